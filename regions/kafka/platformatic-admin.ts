import { type Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import { ArgusError } from '../../domain/errors.ts';
import {
  byPartition,
  type LogRange,
  type PartitionOffset,
  partitionsOf,
  type TopicPartition,
} from '../../domain/offsets.ts';
import type { Subject } from './access.ts';
import { createAcls, deleteAcls, listAcls } from './acls.ts';
import { byTopic } from './by-topic.ts';
import { deleteTopics } from './delete-topics.ts';
import { isDenied } from './error-codes.ts';
import { commitGroupOffsets, deleteGroups, fetchGroupCommits, listGroups } from './group-offsets.ts';
import type { Acl, AclFilter } from './kafka-acls.ts';
import type { GroupCommit, KafkaAdmin, NewTopic, TopicDescription, UserQuotas } from './kafka-admin.ts';

import { KafkaCluster, partitionError } from './kafka-cluster.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import { AdminClient } from './platformatic-client.ts';
import { readAdminFailure, topicsDespiteLeaders } from './platformatic-errors.ts';
import { readLogRanges } from './platformatic-log-ranges.ts';
import { readUserQuotas, writeUserQuotas } from './platformatic-quotas.ts';
import { type FencedProducer, fencePartitions, initProducerId } from './producer-fencing.ts';

export interface PlatformaticAdminOptions {
  /** The region's name, for messages. */
  readonly region: string;
  /** `host:port` of brokers to begin with. */
  readonly bootstrap: readonly string[];
  readonly security?: KafkaSecurity | undefined;
  /** Of each call; 10 s when not given. */
  readonly deadlineMs?: number;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

const retryDelayMs = 150;

/**
 * The control path by @platformatic/kafka. Its own retries are off: they hide how long a call takes and repeat what
 * can't succeed; a call is repeated here, within its deadline, where the protocol says that it may. After trouble with
 * a connection the whole client is replaced, because a reconnected one of it can hang. It is replaced as well before
 * the brokers end its sessions: the library renews a login without awaiting what is in flight, which ends the connection.
 */
export class PlatformaticAdmin implements KafkaAdmin {
  readonly #options: PlatformaticAdminOptions;
  readonly #deadlineMs: number;
  #client: AdminClient | undefined;
  #closed = false;
  /** Aborts every call under way when the adapter is closed. */
  readonly #closing = new AbortController();

  constructor(options: PlatformaticAdminOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 10_000;
  }

  async describeTopics(
    names?: readonly string[],
    options: CallOptions = {},
  ): Promise<ReadonlyMap<string, TopicDescription>> {
    const described = await this.#call('describeTopics', options, async (client) => {
      // Asking for the metadata of a topic that is missing is an error in the library: list first.
      const existing = await client
        .listTopics({ includeInternals: names !== undefined })
        .catch((cause) => topicsDespiteLeaders(cause).map((t) => t.name));
      const wanted = names === undefined ? existing.filter((n) => !n.startsWith('__')) : intersect(names, existing);
      if (wanted.length === 0) return new Map();
      const topics: readonly TopicDescription[] = await client
        .metadata({ topics: wanted, forceUpdate: true })
        .then((m) => [...m.topics].map(([name, t]) => ({ name, topicId: t.id, partitions: t.partitionsCount })))
        .catch(topicsDespiteLeaders);
      const described = topics.map((t) => [t.name, t] as const);
      return new Map(described.sort(([a], [b]) => (a < b ? -1 : 1)));
    });
    const absent = names?.filter((name) => !described.has(name)) ?? [];
    // A list leaves out what may not be seen: that must not look like a topic that doesn't exist.
    if (absent.length > 0)
      await this.#raw('describeTopics', options, (cluster, signal) => mayBeSeen(cluster, absent, signal));
    return described;
  }

  async createTopic(topic: NewTopic, options: CallOptions = {}): Promise<void> {
    const configs = Object.entries(topic.configs).map(([name, value]) => ({ name, value }));
    await this.#call(
      'createTopic',
      options,
      (client) => client.createTopics({ topics: [topic.name], partitions: topic.partitions, replicas: -1, configs }),
      { repeatable: false, subject: { topic: topic.name } },
    );
    const partitions = partitionsOf([topic]);
    // The controller answers before every broker knows the topic.
    await this.#call('createTopic', options, (client) => readLogRanges(client, partitions), {
      awaitTopic: true,
      subject: { topic: topic.name },
    });
  }

  async growTopic(topic: string, partitions: number, options: CallOptions = {}): Promise<void> {
    await this.#call(
      'growTopic',
      options,
      (client) => client.createPartitions({ topics: [{ name: topic, count: partitions, assignments: null }] }),
      { repeatable: false, subject: { topic } },
    );
    const all = partitionsOf([{ name: topic, partitions }]);
    await this.#call('growTopic', options, (client) => readLogRanges(client, all), { awaitTopic: true });
  }

  async alterTopicConfigs(
    topic: string,
    configs: Readonly<Record<string, string>>,
    options: CallOptions = {},
  ): Promise<void> {
    const configOperation = IncrementalAlterConfigOperationTypes.SET;
    const changes = Object.entries(configs).map(([name, value]) => ({ name, configOperation, value }));

    const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs: changes }];
    await this.#call('alterTopicConfigs', options, (client) => client.incrementalAlterConfigs({ resources }), {
      subject: { topic },
    });
  }

  async topicConfigs(topic: string, options: CallOptions = {}): Promise<ReadonlyMap<string, string>> {
    return this.#call(
      'topicConfigs',
      options,
      async (client) => {
        const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }];
        const described = await client.describeConfigs({ resources });
        const values = new Map<string, string>();
        for (const config of described[0]?.configs ?? []) {
          if (typeof config.value === 'string') values.set(config.name, config.value);
        }
        return values;
      },
      { subject: { topic } },
    );
  }

  async logRanges(partitions: readonly TopicPartition[], options: CallOptions = {}): Promise<readonly LogRange[]> {
    if (partitions.length === 0) return [];
    const subject = { topic: topicNames(partitions) };
    return this.#call('logRanges', options, (client) => readLogRanges(client, partitions), { subject });
  }

  async groupOffsets(group: string, options: CallOptions = {}): Promise<readonly PartitionOffset[]> {
    return this.#call(
      'groupOffsets',
      options,
      async (client) => {
        const groups = await client.listConsumerGroupOffsets({ groups: [group] });
        const offsets = groups
          .filter((g) => g.groupId === group)
          .flatMap((g) => g.topics)
          .flatMap((t) =>
            t.partitions.map((p) => ({ topic: t.name, partition: p.partitionIndex, offset: p.committedOffset })),
          );
        return offsets.filter((o) => o.offset >= 0n).sort(byPartition);
      },
      { subject: { group } },
    );
  }

  async setGroupOffsets(group: string, offsets: readonly PartitionOffset[], options: CallOptions = {}): Promise<void> {
    if (offsets.length === 0) return;
    const topics = byTopic(offsets).map(([name, list]) => ({
      name,
      partitionOffsets: list.map(({ partition, offset }) => ({ partition, offset })),
    }));
    const subject = { group, topic: topicNames(offsets) };
    await this.#call(
      'setGroupOffsets',
      options,
      (client) => client.alterConsumerGroupOffsets({ groupId: group, topics }),
      { subject },
    );
  }

  async listGroups(options: CallOptions = {}): Promise<readonly string[]> {
    return this.#raw('listGroups', options, listGroups);
  }

  async groupCommits(groups: readonly string[], options: CallOptions = {}) {
    return this.#raw('groupCommits', options, (cluster, signal) => fetchGroupCommits(cluster, groups, signal));
  }

  async commitGroups(commits: ReadonlyMap<string, readonly GroupCommit[]>, options: CallOptions = {}) {
    return this.#raw('commitGroups', options, (cluster, signal) => commitGroupOffsets(cluster, commits, signal));
  }

  async deleteTopics(names: readonly string[], options: CallOptions = {}): Promise<void> {
    await this.#raw('deleteTopics', options, (cluster, signal) => deleteTopics(cluster, names, signal));
  }

  async deleteGroups(groups: readonly string[], options: CallOptions = {}) {
    return this.#raw('deleteGroups', options, (cluster, signal) => deleteGroups(cluster, groups, signal));
  }

  async describeQuotas(principal: string, options: CallOptions = {}): Promise<ReadonlyMap<string, number>> {
    return this.#call('describeQuotas', options, (client) => readUserQuotas(client, principal));
  }

  async alterQuotas(principal: string, quotas: UserQuotas, options: CallOptions = {}): Promise<void> {
    await this.#call('alterQuotas', options, (client) => writeUserQuotas(client, principal, quotas));
  }

  async initProducer(transactionalId: string, options: CallOptions = {}) {
    return this.#raw('initProducer', options, (cluster, signal) => initProducerId(cluster, transactionalId, signal));
  }

  async fenceProducer(
    producer: FencedProducer,
    partitions: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<ReadonlyMap<string, number>> {
    return this.#raw('fenceProducer', options, (cluster, signal) =>
      fencePartitions(cluster, producer, partitions, signal),
    );
  }

  async listAcls(filter: AclFilter = {}, options: CallOptions = {}) {
    return this.#raw('listAcls', options, (cluster, signal) => listAcls(cluster, filter, signal));
  }

  async createAcls(acls: readonly Acl[], options: CallOptions = {}): Promise<void> {
    await this.#raw('createAcls', options, (cluster, signal) => createAcls(cluster, acls, signal));
  }

  async deleteAcls(acls: readonly Acl[], options: CallOptions = {}): Promise<void> {
    await this.#raw('deleteAcls', options, (cluster, signal) => deleteAcls(cluster, acls, signal));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.abort(closedError(this.#options.region));
    if (this.#client) await this.#discard(this.#client);
  }

  /**
   * Runs one call of the library within the deadline. A client whose connection broke is replaced and the call made
   * once more where that can't do harm, so that a broker's restart is not an error of the first call after it.
   */
  async #call<T>(
    name: string,
    options: CallOptions,
    run: (client: Admin) => Promise<T>,
    { repeatable = true, awaitTopic = false, subject = {} as Subject } = {},
  ): Promise<T> {
    const { signal, expired } = this.#scope(name, options);
    let reconnected = false;
    for (;;) {
      if (this.#closed) throw closedError(this.#options.region);
      if (this.#client?.retired) this.#client = undefined;
      const fresh = this.#client === undefined;
      this.#client ??= this.#open();
      const client = this.#client;
      try {
        return await untilAborted(client.use(run), signal);
      } catch (cause) {
        if (signal.aborted) {
          void this.#discard(client);
          throw expired(cause);
        }
        const failure = readAdminFailure(cause, this.#options, name, subject);
        if (failure.connectionLost) void this.#discard(client);
        const again =
          (failure.connectionLost && repeatable && !fresh && !reconnected) ||
          (!failure.connectionLost && (failure.transient || awaitTopic));
        if (!again) throw (fresh && failure.connectionLost && (await this.#diagnose(signal))) || failure.error;
        reconnected ||= failure.connectionLost;
        await untilAborted(new Promise((resolve) => setTimeout(resolve, retryDelayMs)), signal).catch(() => {
          throw failure.error;
        });
      }
    }
  }

  /** The library's errors don't tell what a broker has against a secured client: a connection of our own does. */
  async #diagnose(signal: AbortSignal): Promise<ArgusError | undefined> {
    if (!this.#options.security) return undefined;
    const cluster = this.#cluster();
    try {
      await cluster.refresh([], signal);
      return undefined;
    } catch (error) {
      return error instanceof ArgusError ? error : undefined;
    } finally {
      cluster.close();
    }
  }

  #cluster(): KafkaCluster {
    const { region: name, bootstrap, security } = this.#options;
    const timeouts = { connectTimeoutMs: this.#deadlineMs, requestTimeoutMs: this.#deadlineMs };
    return new KafkaCluster({ name, bootstrap, security, clientId: 'argus', ...timeouts });
  }

  /** Runs calls that the library's admin lacks, over connections of their own, within the deadline. */
  async #raw<T>(
    name: string,
    options: CallOptions,
    run: (cluster: KafkaCluster, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { signal, expired } = this.#scope(name, options);
    const cluster = this.#cluster();
    try {
      return await run(cluster, signal);
    } catch (cause) {
      throw signal.aborted ? expired(cause) : cause;
    } finally {
      cluster.close();
    }
  }

  /** The signal that ends a call, and the error that says why it ended. */
  #scope(name: string, options: CallOptions): { signal: AbortSignal; expired: (cause: unknown) => unknown } {
    const deadline = AbortSignal.timeout(this.#deadlineMs);
    const outer = [this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    const expired = (cause: unknown) => {
      const given = outer.find((s) => s.aborted);
      if (given) return given.reason;
      const { region, bootstrap } = this.#options;
      return new ArgusError(
        'KafkaUnreachable',
        `${region}: ${name} at ${bootstrap.join(',')} got no answer within ${this.#deadlineMs} ms`,
        { hint: 'check that the broker runs, is not frozen, and can be reached', retryable: true, cause },
      );
    };
    return { signal: AbortSignal.any([deadline, ...outer]), expired };
  }

  #open(): AdminClient {
    return new AdminClient(this.#options.bootstrap, this.#options.security, this.#deadlineMs);
  }

  async #discard(client: AdminClient): Promise<void> {
    if (this.#client === client) this.#client = undefined;
    await client.close();
  }
}

function topicNames(partitions: readonly TopicPartition[]): string {
  return [...new Set(partitions.map((p) => p.topic))].join(', ');
}

/** A topic that may not be described is `KafkaDenied`. */
async function mayBeSeen(cluster: KafkaCluster, topics: readonly string[], signal: AbortSignal): Promise<void> {
  for (const [topic, { errorCode }] of (await cluster.refresh(topics, signal)).topics) {
    if (isDenied(errorCode)) throw partitionError(cluster.name, 'Metadata', { topic, partition: 0 }, errorCode);
  }
}

function intersect(names: readonly string[], existing: readonly string[]): string[] {
  const known = new Set(existing);
  return names.filter((n) => known.has(n));
}

function closedError(region: string): ArgusError {
  return new ArgusError('KafkaFailed', `${region}: the Kafka client is closed`);
}

/** The promise, or a rejection as soon as the signal is aborted. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
