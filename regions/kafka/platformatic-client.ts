import type { EventEmitter } from 'node:events';
import { Admin, instancesChannel, type SASLOptions } from '@platformatic/kafka';
import type { KafkaSasl, KafkaSecurity } from './kafka-security.ts';
import { authenticateBy, type SaslAnswer } from './sasl.ts';

const closeTimeoutMs = 1_000;
/** When of a session's lifetime the client is replaced: what it still does has the rest of it to end. */
const replaceAfter = 0.5;

// A connection that ends amidst its login tells so twice, the second time to nobody, which would end the process.
instancesChannel.subscribe((message) => {
  const { type, instance } = message as { readonly type: string; readonly instance: EventEmitter };
  if (type === 'connection') instance.on('error', () => undefined);
});

/** One client of the library, used until a connection of it breaks or its first session is about to end. */
export class AdminClient {
  readonly #admin: Admin;
  #retireAt = Number.POSITIVE_INFINITY;
  #inUse = 0;
  #closing = false;

  constructor(bootstrap: readonly string[], security: KafkaSecurity | undefined, deadlineMs: number) {
    const { tls, sasl } = security ?? {};
    const { servername, ...pem } = tls ?? {};
    this.#admin = new Admin({
      clientId: 'argus',
      bootstrapBrokers: [...bootstrap],
      retries: 0,
      connectTimeout: Math.min(5_000, deadlineMs),
      requestTimeout: deadlineMs,
      timeout: deadlineMs,
      metadataMaxAge: 0,
      ...(tls && { tls: defined({ ...pem, servername }) }),
      ...(sasl && { sasl: this.#login(sasl) }),
    });
    // Without listeners a reset connection would end the process.
    this.#admin.on('error', () => undefined);
  }

  /** Begin nothing more with it: take a new one. */
  get retired(): boolean {
    return this.#closing || performance.now() >= this.#retireAt;
  }

  /** Runs one call. A client that was retired meanwhile is closed after its last one. */
  async use<T>(run: (admin: Admin) => Promise<T>): Promise<T> {
    this.#inUse++;
    try {
      return await run(this.#admin);
    } finally {
      this.#inUse--;
      if (this.retired && this.#inUse === 0) void this.close();
    }
  }

  /** Ends its connections; given up after a second, since broken ones may never end. May be called again. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const closed = this.#admin.close().catch(() => undefined); // Its connections are broken: that is why it goes.
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([closed, new Promise((resolve) => (timer = setTimeout(resolve, closeTimeoutMs)))]);
    clearTimeout(timer);
  }

  /**
   * Our own messages over the library's frames. It is told that the session never ends, so that it doesn't renew the
   * login: it would send that between requests in flight, for which brokers close the connection.
   */
  #login(sasl: KafkaSasl): SASLOptions {
    const { mechanism, username, password } = sasl;
    return {
      mechanism,
      username,
      password,
      authenticate: (_mechanism, connection, send, _username, _password, _token, callback) => {
        const exchange = (message: Buffer) =>
          new Promise<SaslAnswer>((resolve, reject) => {
            send(connection, message, (error, answer) => {
              if (error || !answer) reject(error);
              else resolve({ bytes: answer.authBytes, sessionLifetimeMs: Number(answer.sessionLifetimeMs) });
            });
          });
        authenticateBy(sasl, exchange).then((lifetimeMs) => {
          if (lifetimeMs > 0) this.#retireAt = Math.min(this.#retireAt, performance.now() + lifetimeMs * replaceAfter);
          callback(null, { errorCode: 0, errorMessage: null, authBytes: Buffer.alloc(0), sessionLifetimeMs: 0n });
        }, callback);
      },
    };
  }
}

function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as never;
}
