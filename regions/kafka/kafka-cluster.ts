import { ArgusError } from '../../domain/errors.ts';
import { partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { missingRight, missingRightHint } from './access.ts';
import { apiVersionsRequest, type OfferedApis } from './api-versions.ts';
import { errorName, isDenied, isTransient } from './error-codes.ts';
import { KafkaConnection, type KafkaRequest } from './kafka-connection.ts';
import type { KafkaEndpoint } from './kafka-security.ts';
import { earliest, latest, listOffsetsRequest } from './list-offsets.ts';
import { type BrokerAddress, type ClusterMetadata, metadataRequest, type TopicLeaders } from './metadata.ts';

type PartitionLeader = TopicLeaders['partitions'][number];

interface SeenTopic {
  readonly errorCode: number;
  readonly partitions: ReadonlyMap<number, PartitionLeader>;
}

export interface ClusterOptions extends KafkaEndpoint {
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  /** Of each request. */
  readonly requestTimeoutMs: number;
}

/**
 * Raw connections to the brokers of one cluster, found by Metadata. A connection that failed is replaced at the next
 * use; the caller decides when to ask again who leads. Errors: `KafkaUnreachable`, `KafkaFailed`, `KafkaDenied`,
 * `KafkaVersion` where a broker is too old for a request.
 */
export class KafkaCluster {
  readonly name: string;
  readonly #options: ClusterOptions;
  /** By address and lane: a long poll on one connection delays whatever is asked behind it. */
  readonly #connections = new Map<string, Promise<KafkaConnection>>();
  /** What each broker takes, by address; asked on the first connection to it. */
  readonly #offered = new Map<string, OfferedApis>();
  #brokers: ReadonlyMap<number, BrokerAddress> = new Map();
  /** Of each topic that was asked for what the last answer about it said. */
  readonly #topics = new Map<string, SeenTopic>();
  #answered: BrokerAddress | undefined;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /**
   * Asks any broker who leads the partitions of these topics, and remembers it for `leaderOf`. What is known of other
   * topics stays: whoever else uses this cluster at the same time may be about to ask their leaders.
   */
  async refresh(topics: readonly string[], signal?: AbortSignal): Promise<ClusterMetadata> {
    const metadata = await this.#askAny(() => metadataRequest(topics), signal);
    this.#brokers = metadata.brokers;
    for (const topic of topics) this.#topics.delete(topic);
    for (const [topic, { errorCode, partitions }] of metadata.topics)
      this.#topics.set(topic, { errorCode, partitions: new Map(partitions.map((p) => [p.partition, p])) });
    return metadata;
  }

  /** The node id of a partition's leader as last seen. None is `KafkaFailed`, retryable. */
  leaderOf(tp: TopicPartition): number {
    const leader = this.#seen(tp)?.leader;
    if (leader === undefined || !this.#brokers.has(leader)) throw this.#leaderless(tp);
    return leader;
  }

  /** Whether `leaderOf` has an answer. */
  knowsLeader(tp: TopicPartition): boolean {
    return this.#brokers.has(this.#seen(tp)?.leader ?? -1);
  }

  /** The epoch of a partition's leader as last seen; -1 while it isn't known. */
  leaderEpochOf(tp: TopicPartition): number {
    return this.#seen(tp)?.leaderEpoch ?? -1;
  }

  #seen({ topic, partition }: TopicPartition): PartitionLeader | undefined {
    return this.#topics.get(topic)?.partitions.get(partition);
  }

  #leaderless(tp: TopicPartition): ArgusError {
    // A topic that may not be described: whether it exists isn't told.
    const code = this.#topics.get(tp.topic)?.errorCode ?? 0;
    if (isDenied(code)) return partitionError(this.name, 'Metadata', tp, code);
    const known = this.#seen(tp) !== undefined;
    const what = known ? 'has no leader' : 'does not exist';
    return new ArgusError('KafkaFailed', `${this.name}: partition ${partitionKey(tp)} ${what}`, {
      retryable: true,
      hint: known ? 'check that its brokers run' : 'check that the topic exists and may be described',
    });
  }

  /** An open connection to a broker by its node id; a lane has one of its own. */
  async connection(node: number, lane: string, signal?: AbortSignal): Promise<KafkaConnection> {
    const address = this.#brokers.get(node);
    if (!address) throw failed(this.name, `no broker has id ${node}`, true);
    return this.#connectionTo(address, lane, signal);
  }

  /** Sends to a broker by its node id, on the connection of the given lane. */
  async send<T>(node: number, lane: string, request: KafkaRequest<T>, options: CallOptions = {}): Promise<T> {
    const connection = await this.connection(node, lane, options.signal);
    return connection.send(request, { timeoutMs: this.#options.requestTimeoutMs, ...options });
  }

  /** How long an answer of a broker takes: the shortest of three, on the connection of the given lane. */
  async roundTripMs(node: number, lane: string, signal?: AbortSignal): Promise<number> {
    let shortest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const from = performance.now();
      await this.send(node, lane, listOffsetsRequest([], latest), signal ? { signal } : {});
      // The first one also opens the connection.
      if (i > 0) shortest = Math.min(shortest, performance.now() - from);
    }
    return shortest;
  }

  /** Sends to an address, on the connection of the given lane. */
  async sendTo<T>(address: BrokerAddress, lane: string, request: KafkaRequest<T>, options: CallOptions): Promise<T> {
    const connection = await this.#connectionTo(address, lane, options.signal);
    return connection.send(request, { timeoutMs: this.#options.requestTimeoutMs, ...options });
  }

  /** Sends what `make` gives to the first broker that answers: the one that did last time, else by the bootstrap list. */
  async #askAny<T>(make: () => KafkaRequest<T>, signal?: AbortSignal): Promise<T> {
    let failure: unknown;
    const listed = this.#options.bootstrap.map(parseAddress);
    for (const address of this.#answered ? [this.#answered, ...listed] : listed) {
      try {
        const answer = await this.sendTo(address, 'control', make(), signal ? { signal } : {});
        this.#answered = address;
        return answer;
      } catch (error) {
        this.#answered = undefined;
        signal?.throwIfAborted();
        failure = error;
      }
    }
    throw failure ?? failed(this.name, 'no bootstrap broker is configured', false);
  }

  /** Sends to the bootstrap brokers in turn; for what any broker answers. */
  ask<T>(make: () => KafkaRequest<T>, signal?: AbortSignal): Promise<T> {
    return this.#askAny(make, signal);
  }

  /** High watermarks by `partitionKey`, asked at each partition's leader as last seen. */
  async logEnds(partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<ReadonlyMap<string, bigint>> {
    return allOf(await this.listEnds(partitions, signal));
  }

  /** Log start offsets by `partitionKey`. */
  async logStarts(partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<ReadonlyMap<string, bigint>> {
    return allOf(await this.listStarts(partitions, signal));
  }

  /**
   * As `logEnds`, but a partition that can't be asked is told instead of thrown: also where its broker is away, as long
   * as the cluster has others. A cluster's only broker that is away throws.
   */
  listEnds(partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<ListedOffsets> {
    return this.#listOffsets(partitions, latest, signal);
  }

  /** As `logStarts`, in the same way. */
  listStarts(partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<ListedOffsets> {
    return this.#listOffsets(partitions, earliest, signal);
  }

  /** Closes every connection at once. May be called again; later sends are refused. */
  close(): void {
    this.#closed = true;
    for (const opening of this.#connections.values()) {
      opening.then(
        (connection) => connection.close(),
        () => undefined, // It never opened: nothing to close.
      );
    }
    this.#connections.clear();
  }

  async #listOffsets(
    partitions: readonly TopicPartition[],
    timestamp: bigint,
    signal?: AbortSignal,
  ): Promise<ListedOffsets> {
    const failures = new Map<string, ArgusError>();
    const led = partitions.filter((p) => {
      if (this.knowsLeader(p)) return true;
      failures.set(partitionKey(p), this.#leaderless(p));
      return false;
    });
    const answers = await Promise.all(
      [...Map.groupBy(led, (p) => this.leaderOf(p))].map(([node, list]) =>
        this.send(node, 'control', listOffsetsRequest(list, timestamp), signal ? { signal } : {}).catch((error) => {
          signal?.throwIfAborted();
          if (this.#brokers.size < 2 || !isAway(error)) throw error;
          for (const p of list) failures.set(partitionKey(p), error);
          return [];
        }),
      ),
    );
    const offsets = new Map<string, bigint>();
    for (const answer of answers.flat()) {
      const key = partitionKey(answer);
      if (answer.errorCode === 0) offsets.set(key, answer.offset);
      else failures.set(key, partitionError(this.name, 'ListOffsets', answer, answer.errorCode));
    }
    for (const p of led) {
      const key = partitionKey(p);
      if (!offsets.has(key) && !failures.has(key)) {
        failures.set(key, failed(this.name, `ListOffsets left out ${key}`, true));
      }
    }
    return { offsets, failures };
  }

  async #connectionTo(address: BrokerAddress, lane: string, signal?: AbortSignal): Promise<KafkaConnection> {
    if (this.#closed) throw failed(this.name, 'the client is closed', false);
    const key = `${address.host}:${address.port} ${lane}`;
    const known = this.#connections.get(key);
    if (known) {
      const connection = await known;
      if (!connection.closed) return connection;
      if (this.#connections.get(key) === known) this.#connections.delete(key);
      return this.#connectionTo(address, lane, signal);
    }
    const opening = this.#open(address, signal);
    this.#connections.set(key, opening);
    try {
      const connection = await opening;
      if (this.#closed) connection.close();
      return connection;
    } catch (error) {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
      throw error;
    }
  }

  async #open(address: BrokerAddress, signal?: AbortSignal): Promise<KafkaConnection> {
    const { name, clientId, connectTimeoutMs, security } = this.#options;
    const connection = await KafkaConnection.open(
      address,
      { region: name, clientId, connectTimeoutMs, security },
      signal,
    );
    const key = `${address.host}:${address.port}`;
    try {
      const options = { timeoutMs: connectTimeoutMs, ...(signal && { signal }) };
      let offered = this.#offered.get(key);
      if (!offered) {
        const answer = await connection.send(apiVersionsRequest(), options);
        if (answer.errorCode !== 0) throw failed(name, `ApiVersions answered ${errorName(answer.errorCode)}`, false);
        offered = answer.offered;
        this.#offered.set(key, offered);
      }
      connection.limitTo(offered);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}

/** Whether one broker can't be reached for now; of the others that says nothing. */
export function isAway(error: unknown): error is ArgusError {
  return error instanceof ArgusError && error.code === 'KafkaUnreachable';
}

/** What each partition answered, by `partitionKey`: in one of the two. */
export interface ListedOffsets {
  readonly offsets: ReadonlyMap<string, bigint>;
  readonly failures: ReadonlyMap<string, ArgusError>;
}

function allOf({ offsets, failures }: ListedOffsets): ReadonlyMap<string, bigint> {
  for (const failure of failures.values()) throw failure;
  return offsets;
}

interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The error of one partition in an answer: `KafkaDenied` or `KafkaFailed`, retryable where the protocol says so. */
export function partitionError(
  region: string,
  call: string,
  tp: TopicPartition,
  code: number,
  detail = '',
): ArgusError {
  const message = `${region}: ${call} of ${partitionKey(tp)} answered ${errorName(code)}${detail && `: ${detail}`}`;
  if (isDenied(code)) {
    const right = missingRight(call, code, tp);
    return new ArgusError('KafkaDenied', right ? `${message}; ${right}` : message, { hint: missingRightHint });
  }
  return new ArgusError('KafkaFailed', message, { retryable: isTransient(code) });
}

/** `host:port` as it stands in the configuration. */
export function parseAddress(entry: string): BrokerAddress {
  const colon = entry.lastIndexOf(':');
  return { host: entry.slice(0, colon), port: Number.parseInt(entry.slice(colon + 1), 10) };
}

function failed(region: string, message: string, retryable: boolean): ArgusError {
  return new ArgusError('KafkaFailed', `${region}: ${message}`, { retryable });
}
