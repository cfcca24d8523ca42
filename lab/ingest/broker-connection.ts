import { connect, type Socket } from 'node:net';
import { type ApiRequest, frameRequest } from './kafka-messages.ts';

/**
 * A request failed. `sent` is false when not a byte of it can have reached the broker.
 */
export class BrokerError extends Error {
  readonly sent: boolean;

  constructor(message: string, sent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.sent = sent;
  }
}

const maxResponseBytes = 16 << 20;

/**
 * One connection to one broker; one request at a time. It ends with the first error or time-out and is not used
 * again: what a late answer belongs to could not be told.
 */
export class BrokerConnection {
  readonly #socket: Socket;
  #correlationId = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #answer: { resolve: (body: Buffer) => void; reject: (error: Error) => void } | undefined;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('the broker closed the connection'));
  }

  /** Connects to `host:port`; a `BrokerError` when that takes longer than `timeoutMs` or fails. */
  static open(address: string, timeoutMs: number, signal: AbortSignal): Promise<BrokerConnection> {
    const colon = address.lastIndexOf(':');
    const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      const give = (error: Error | undefined): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        socket.removeAllListeners();
        if (error === undefined) {
          resolve(new BrokerConnection(socket));
          return;
        }
        socket.on('error', () => {});
        socket.destroy();
        reject(new BrokerError(`no connection to ${address}: ${error.message}`, false, error));
      };
      const abort = (): void => give(new Error('stopped'));
      const timer = setTimeout(() => give(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
      signal.addEventListener('abort', abort, { once: true });
      socket.once('connect', () => give(undefined));
      socket.once('error', give);
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The body of the answer, behind the correlation id. A `BrokerError` ends the connection. */
  request(request: ApiRequest, timeoutMs: number): Promise<Buffer> {
    if (this.#closed) return Promise.reject(new BrokerError('the connection is closed', false));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(`no answer in ${timeoutMs} ms`), timeoutMs);
      const settle =
        <T>(act: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          act(value);
        };
      this.#answer = { resolve: settle(resolve), reject: settle(reject) };
      this.#socket.write(frameRequest(request, ++this.#correlationId, 'lab-ingest'));
    });
  }

  close(): void {
    this.#end('closed');
  }

  #receive(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes < 8) return;
    const bytes = this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting);
    this.#waiting = [bytes];
    const length = bytes.readInt32BE(0);
    if (length < 4 || length > maxResponseBytes) {
      this.#end(`a response of ${length} bytes`);
      return;
    }
    if (bytes.length < 4 + length) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const answer = this.#answer;
    if (answer === undefined || bytes.length > 4 + length || bytes.readInt32BE(4) !== this.#correlationId) {
      this.#end('an answer that nobody asked for');
      return;
    }
    this.#answer = undefined;
    answer.resolve(bytes.subarray(8));
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#answer?.reject(new BrokerError(reason, true));
    this.#answer = undefined;
  }
}
