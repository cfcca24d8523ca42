import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerConnection } from './broker-connection.ts';
import type { TopicSession } from './event-writer.ts';
import {
  type BrokerLogin,
  loginRequests,
  metadataRequest,
  produceRequest,
  readError,
  readPartitionCount,
  readProduceAnswers,
} from './kafka-messages.ts';

/** Where the topic is written. The lab's regions have one broker each, which leads every partition. */
export interface TopicLinkOptions {
  /** `host:port` of the broker. */
  readonly bootstrap: string;
  readonly topic: string;
  readonly login?: BrokerLogin;
}

const connectTimeoutMs = 2_000;
const metadataTimeoutMs = 2_000;
/** Errors of Metadata are looked at again this often while there is no session, and a lost session is replaced. */
const retryMs = 250;
/**
 * Long on purpose: a broker that is only slow may still append, and a later Produce on another connection could
 * overtake the first. The clients give up earlier by themselves.
 */
const produceTimeoutMs = 30_000;

/** Keeps a session with the broker: makes one as soon as it can be reached, and a new one when it is lost. */
export class TopicLink {
  readonly #options: TopicLinkOptions;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #session: TopicSession | undefined;

  constructor(options: TopicLinkOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** The session to write through; nothing while Kafka can't be reached or the topic isn't there. */
  session(): TopicSession | undefined {
    return this.#session?.closed === false ? this.#session : undefined;
  }

  /** Ends the session; a Produce in flight becomes unknown. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#session?.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // No session is the state to go on with: the service answers "refused" until there is one.
      if (this.session() === undefined) this.#session = await this.#connect().catch(() => undefined);
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
    this.#session?.close();
  }

  async #connect(): Promise<TopicSession | undefined> {
    const { bootstrap, topic, login } = this.#options;
    const connection = await BrokerConnection.open(bootstrap, connectTimeoutMs, this.#stop.signal);
    try {
      if (login && !(await logIn(connection, login))) {
        connection.close();
        return undefined;
      }
      const metadata = readPartitionCount(await connection.request(metadataRequest(topic), metadataTimeoutMs));
      if (metadata.error === 0 && metadata.partitions > 0) return sessionOver(connection, topic, metadata.partitions);
    } catch (error) {
      connection.close();
      throw error;
    }
    connection.close();
    return undefined;
  }
}

async function logIn(connection: BrokerConnection, login: BrokerLogin): Promise<boolean> {
  for (const request of loginRequests(login)) {
    if (readError(await connection.request(request, metadataTimeoutMs)) !== 0) return false;
  }
  return true;
}

function sessionOver(connection: BrokerConnection, topic: string, partitions: number): TopicSession {
  return {
    partitions,
    get closed() {
      return connection.closed;
    },
    async produce(batches) {
      const body = await connection.request(produceRequest(topic, batches, produceTimeoutMs), produceTimeoutMs);
      const answers = readProduceAnswers(body);
      // Not the leader, unknown topic, …: ask the broker again, on a new connection.
      if (answers.some((answer) => answer.error !== 0)) connection.close();
      return answers;
    },
    close: () => connection.close(),
  };
}
