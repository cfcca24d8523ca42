import type { Socket } from 'node:net';
import { ArgusError } from '../../domain/errors.ts';
import { type OfferedApis, versionRefusal } from './api-versions.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import type { BrokerAddress } from './metadata.ts';
import { openSocket } from './open-socket.ts';
import { authenticate } from './sasl.ts';
import { isTlsAlert, readTlsFailure, silent, silentCloseHint, tlsRequired, unreachable } from './transport-errors.ts';
import { malformed, type WireWriter } from './wire.ts';

/** One request, and how its answer is read. A writer can be sent once. */
export interface KafkaRequest<T> {
  /** The API's name, for messages. */
  readonly name: string;
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly body: WireWriter;
  /** Decodes the response from behind its correlation id. */
  readonly read: (bytes: Buffer) => T;
}

export interface ConnectionOptions {
  /** The region, for messages. */
  readonly region: string;
  readonly clientId: string;
  /** Also of the login. */
  readonly connectTimeoutMs: number;
  readonly security?: KafkaSecurity | undefined;
}

export interface SendOptions {
  /** Time without a single byte from the broker, counted from the send: then the request has failed. */
  readonly timeoutMs: number;
  /** Gives up waiting: the whole connection is closed, since its answers come in order. */
  readonly signal?: AbortSignal;
}

interface Pending {
  readonly name: string;
  readonly sentAt: number;
  readonly timeoutMs: number;
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: Error) => void;
}

const maxResponseBytes = 64 * 1024 * 1024;
/** A response that trickles in is given this many time-outs at most. */
const slowResponseFactor = 10;
/** When of a session's lifetime the login is renewed; the rest is for the requests in flight to be answered. */
const renewAfter = 0.7;
/** Brokers refuse a login sooner after the last one. Source: KIP-368. */
const renewAfterMsAtLeast = 1_100;

/**
 * One connection to one broker: requests are pipelined, answers come in order (the broker guarantees it for each
 * connection). It never reconnects: after any failure every waiting and later request is `KafkaUnreachable`, and its
 * owner opens a new one. Reads go through one reused buffer: half the CPU of stream reads.
 *
 * Where the broker ends sessions, the login is renewed on the same connection before that: what is asked meanwhile
 * waits, in order, until all that is in flight was answered and the broker has agreed. Nothing is lost by it.
 */
export class KafkaConnection {
  readonly #socket: Socket;
  readonly #name: string;
  readonly #options: ConnectionOptions;
  readonly #clientId: Buffer;
  readonly #pending = new Map<number, Pending>();
  readonly #timer: NodeJS.Timeout;
  readonly #length = Buffer.allocUnsafe(4);
  #lengthBytes = 0;
  #frame: Buffer | undefined;
  #frameBytes = 0;
  #correlationId = 0;
  #lastByteAt = 0;
  #failure: ArgusError | undefined;
  #offered: OfferedApis | undefined;
  /** Something was answered that a broker answers only to who is let in. */
  #letIn = false;
  /** When the login has to be renewed. */
  #renewAt = Number.POSITIVE_INFINITY;
  /** What was asked while the login is renewed, in order; undefined at any other time. */
  #held: { readonly write: () => void; readonly reject: (error: Error) => void }[] | undefined;
  /** Told when nothing is in flight. */
  #onDrained: (() => void) | undefined;

  private constructor(socket: Socket, name: string, options: ConnectionOptions) {
    this.#socket = socket;
    this.#name = name;
    this.#options = options;
    this.#clientId = Buffer.from(options.clientId);
    this.#timer = setInterval(() => this.#checkDeadlines(), 100);
    this.#timer.unref();
  }

  /**
   * Opens a connection, and logs in where that is set. No answer within `connectTimeoutMs` and every refusal of the
   * network are `KafkaUnreachable`; `KafkaTls`: no trusted TLS with this broker; `KafkaDenied`: the login was refused.
   * An aborted signal rejects with its reason.
   */
  static open(address: BrokerAddress, options: ConnectionOptions, signal?: AbortSignal): Promise<KafkaConnection> {
    const name = `${options.region}'s broker ${address.host}:${address.port}`;
    const { security, connectTimeoutMs } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let connection: KafkaConnection | undefined;
      const opened = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const abandon = (error: unknown) => {
        opened();
        socket.destroy();
        connection?.close(error);
        reject(error);
      };
      const onAbort = () => abandon(signal?.reason);
      const timer = setTimeout(
        () => abandon(silent(`${name} did not accept a connection within ${connectTimeoutMs} ms`)),
        connectTimeoutMs,
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      const receive = (bytes: Buffer) => connection?.feed(bytes);
      const socket = openSocket(address, security?.tls, receive, () => {
        const made = new KafkaConnection(socket, name, options);
        connection = made;
        made.#login().then(() => {
          opened();
          resolve(made);
        }, abandon);
      });
      socket.on('error', (cause) => {
        const failure = security?.tls ? readTlsFailure(name, cause) : undefined;
        abandon(failure ?? unreachable(`${name} can't be reached`, cause));
      });
      socket.on('close', () => {
        const mute = connection !== undefined && !connection.#letIn;
        abandon(
          unreachable(`${name} closed the connection`, undefined, mute ? silentCloseHint(security) : undefined, true),
        );
      });
    });
  }

  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** What the broker said that it takes: from now on other requests are refused here. */
  limitTo(offered: OfferedApis): void {
    this.#offered = offered;
  }

  /**
   * Sends one request and gives its decoded answer. Errors: `KafkaUnreachable`, `KafkaMalformed`, `KafkaVersion`, the
   * signal's reason.
   */
  async send<T>(request: KafkaRequest<T>, options: SendOptions): Promise<T> {
    options.signal?.throwIfAborted();
    const refusal = this.#offered && versionRefusal(this.#name, this.#offered, request);
    if (refusal) throw refusal;
    const onAbort = () => this.close(options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const frame = await this.#exchange(request, options.timeoutMs);
      return request.read(frame);
    } catch (error) {
      if (error instanceof ArgusError && error.code === 'KafkaMalformed') this.close(error);
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Closes at once; waiting requests are rejected with `reason`. May be called again. */
  close(reason: unknown = unreachable(`the connection to ${this.#name} was closed`)): void {
    if (this.#failure) return;
    this.#failure =
      reason instanceof ArgusError ? reason : unreachable(`the connection to ${this.#name} was given up`, reason);
    clearInterval(this.#timer);
    this.#socket.destroy();
    this.#frame = undefined;
    const error = reason instanceof Error ? reason : this.#failure;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    for (const held of this.#held ?? []) held.reject(error);
    this.#held = undefined;
  }

  /** Logs in, and notes when that has to be done again. */
  async #login(): Promise<void> {
    const sasl = this.#options.security?.sasl;
    if (!sasl) return;
    const lifetimeMs = await authenticate(this.#name, sasl, async (request) => {
      const frame = await new Promise<Buffer>((resolve, reject) => {
        this.#write(request, this.#options.connectTimeoutMs, resolve, reject);
      });
      return request.read(frame);
    });
    if (lifetimeMs > 0) this.#renewAt = performance.now() + Math.max(renewAfterMsAtLeast, lifetimeMs * renewAfter);
  }

  /** Holds back what is asked from now on, awaits what is in flight, logs in again, and goes on. */
  async #renewLogin(): Promise<void> {
    this.#renewAt = Number.POSITIVE_INFINITY;
    this.#held = [];
    try {
      if (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#onDrained = resolve));
      if (this.#failure) return;
      await this.#login();
    } catch (error) {
      this.close(error);
      return;
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { write } of held) write();
  }

  /** Takes bytes as the socket delivers them; they may be overwritten afterwards. */
  private feed(bytes: Buffer): void {
    this.#lastByteAt = performance.now();
    for (let at = 0; at < bytes.length && !this.#failure; ) {
      if (this.#frame === undefined) {
        const taken = bytes.copy(this.#length, this.#lengthBytes, at, at + 4 - this.#lengthBytes);
        this.#lengthBytes += taken;
        at += taken;
        if (this.#lengthBytes === 4) this.#beginFrame(this.#length.readInt32BE(0));
      } else {
        const taken = bytes.copy(this.#frame, this.#frameBytes, at);
        this.#frameBytes += taken;
        at += taken;
        if (this.#frameBytes === this.#frame.length) this.#endFrame(this.#frame);
      }
    }
  }

  #beginFrame(length: number): void {
    this.#lengthBytes = 0;
    this.#frameBytes = 0;
    if (!this.#options.security?.tls && isTlsAlert(this.#length)) {
      this.close(tlsRequired(this.#name));
      return;
    }
    if (length < 4 || length > maxResponseBytes) {
      this.close(malformed(`${this.#name} announced a response of ${length} bytes`));
      return;
    }
    // Memory of its own: a frame's views live on in batches that wait for the standby.
    this.#frame = Buffer.allocUnsafeSlow(length);
  }

  #endFrame(frame: Buffer): void {
    this.#frame = undefined;
    const id = frame.readInt32BE(0);
    const pending = this.#pending.get(id);
    if (!pending) {
      this.close(malformed(`${this.#name} answered request ${id}, which was not asked`));
      return;
    }
    this.#pending.delete(id);
    // A listener that wants a login answers this one before it, and closes at the next.
    if (pending.name !== 'ApiVersions') this.#letIn = true;
    pending.resolve(frame.subarray(4));
    if (this.#pending.size > 0 || !this.#onDrained) return;
    this.#onDrained();
    this.#onDrained = undefined;
  }

  #exchange(request: KafkaRequest<unknown>, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      if (performance.now() >= this.#renewAt) void this.#renewLogin();
      const write = () => this.#write(request, timeoutMs, resolve, reject);
      if (this.#held) this.#held.push({ write, reject });
      else write();
    });
  }

  #write(
    request: KafkaRequest<unknown>,
    timeoutMs: number,
    resolve: (frame: Buffer) => void,
    reject: (error: Error) => void,
  ): void {
    if (this.#failure) {
      reject(this.#failure);
      return;
    }
    this.#correlationId = (this.#correlationId + 1) & 0x7fff_ffff;
    const { chunks, length } = request.body.finish();
    // Request header v1: size i32 | api key i16 | version i16 | correlation id i32 | client id string.
    const header = Buffer.allocUnsafe(14 + this.#clientId.length);
    header.writeInt32BE(10 + this.#clientId.length + length, 0);
    header.writeInt16BE(request.apiKey, 4);
    header.writeInt16BE(request.apiVersion, 6);
    header.writeInt32BE(this.#correlationId, 8);
    header.writeInt16BE(this.#clientId.length, 12);
    this.#clientId.copy(header, 14);
    const sentAt = performance.now();
    this.#pending.set(this.#correlationId, { name: request.name, sentAt, timeoutMs, resolve, reject });
    this.#socket.cork();
    this.#socket.write(header);
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
  }

  #checkDeadlines(): void {
    const now = performance.now();
    if (now >= this.#renewAt) void this.#renewLogin();
    // Answers come in order, so the oldest request stands for all.
    const oldest = this.#pending.values().next().value;
    if (!oldest) return;
    const silentMs = now - Math.max(oldest.sentAt, this.#lastByteAt);
    const waitedMs = now - oldest.sentAt;
    if (silentMs < oldest.timeoutMs && waitedMs < oldest.timeoutMs * slowResponseFactor) return;
    this.close(silent(`${this.#name} did not answer ${oldest.name} within ${Math.round(waitedMs)} ms`));
  }
}
