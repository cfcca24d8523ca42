import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { type Config, configSchema } from '../../../../domain/config.ts';
import { ArgusError } from '../../../../domain/errors.ts';
import { type PartitionOffset, partitionKey } from '../../../../domain/offsets.ts';
import type { Roles } from '../../../../domain/roles.ts';
import type { DnsRecord } from '../../../../regions/dns/dns-records.ts';
import type { FlinkJobs, StartJob } from '../../../../regions/flink/flink-jobs.ts';
import type { KafkaAdmin } from '../../../../regions/kafka/kafka-admin.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import type { Region } from '../../../../regions/region.ts';
import type { OpenTransaction } from '../../../../replication/topics/decide-transactions.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { decideRole } from '../../../../runbooks/fencing/decide-role.ts';
import { roleLook } from '../../../../runbooks/fencing/look-at-role.ts';
import type { Sighting } from '../../../../state/sightings.ts';
import { type FakeFenceOptions, fakeFence } from '../../../support/fake-fence.ts';
import { type VirtualClock, virtualClock } from '../../state/virtual-clock.ts';

export const config: Config = configSchema.parse({
  regions: Object.fromEntries(
    (['mumbai', 'singapore'] as const).map((name, i) => [
      name,
      {
        address: `127.0.${i + 1}.1`,
        kafka: { bootstrap: [`127.0.${i + 1}.1:9092`] },
        objects: {
          endpoint: `http://127.0.${i + 1}.1:7070`,
          bucket: `checkpoints-${name}`,
          accessKeyId: 'env:ID',
          secretAccessKey: 'env:SECRET',
        },
        flink: { rest: `http://127.0.${i + 1}.1:8081` },
      },
    ]),
  ),
  roles: { primary: 'mumbai', standby: 'singapore' },
  topics: ['events'],
  jobs: [
    {
      name: 'counts',
      checkpoints: { prefix: 'checkpoints' },
      consumerGroup: 'counts',
      submit: {
        jar: 'counts.jar',
        entryClass: 'argus.lab.CountsJob',
        parallelism: 2,
        args: { mumbai: [], singapore: ['--brokers', 'b:1'] },
      },
    },
  ],
  dns: {
    cloudflare: { zone: 'argus.test', token: 'env:TOKEN' },
    records: [{ name: 'ingest.argus.test' }],
    resolvers: ['127.0.0.1:5353'],
  },
  state: 'file:./state',
});

export const roles: Roles = {
  epoch: 1,
  primary: 'mumbai',
  standby: 'singapore',
  replication: 'active',
  atMs: 1,
  by: 'first start',
};

export const manifest: CheckpointManifest = {
  version: 1,
  job: 'counts',
  flinkJobId: 'f'.repeat(32),
  checkpointId: 7,
  completedAtMs: 900,
  committedAtMs: 950,
  metadataVersion: 4,
  sourceUri: 's3://a/chk-7',
  replicaUri: 's3://checkpoints-singapore/argus/replica/counts/points/7',
  metadata: { key: 'k', sizeBytes: 1, sha256: '00' },
  files: [],
  sourceOffsets: [
    { topic: 'events', partition: 0, offset: '80' },
    { topic: 'events', partition: 1, offset: '-3' },
  ],
  droppedTransactions: [{ transactionalId: 't', producerId: '1', producerEpoch: 0 }],
};

/** Two regions in memory, and how often each effect was made in them. */
export interface World {
  readonly clock: VirtualClock;
  readonly store: ObjectStore;
  readonly effects: string[];
  readonly context: Omit<FailoverContext, 'epoch'>;
  readonly ends: Map<string, bigint>;
  /** A run of another name over the same world; `over` replaces parts of its context. */
  run(n: number, over?: Partial<FailoverContext>): Omit<FailoverContext, 'epoch'>;
}

export interface WorldOptions {
  readonly primary?: 'dark' | 'up';
  readonly sighting?: Sighting;
  readonly acceptUnfenced?: boolean;
  readonly noPoint?: boolean;
  /** Transactions that stand open on the standby once the mirror has stopped. */
  readonly open?: readonly OpenTransaction[];
  /** The primary's Kafka can be fenced, as these say. */
  readonly fence?: FakeFenceOptions;
  /** The regions have guards, which say nothing. */
  readonly guarded?: true;
  /** So can the standby's. */
  readonly standbyFence?: FakeFenceOptions;
  /** The standby's brokers have one, unless told. */
  readonly authorizer?: boolean;
  /** What the mirror does when it is asked to freeze; it is asked at every look of the standby's ends. */
  readonly store?: ObjectStore;
}

const dark = () => Promise.reject(new ArgusError('FlinkUnreachable', 'connect timed out', { retryable: true }));

export function newWorld(options: WorldOptions = {}): World {
  const clock = virtualClock();
  const store = options.store ?? memoryObjectStore('state');
  const effects: string[] = [];
  const ends = new Map<string, bigint>([
    ['events-0', 100n],
    ['events-1', 50n],
  ]);
  const open: OpenTransaction[] = [...(options.open ?? [])];
  const denied = new Set<string>();
  const up = options.primary === 'up';
  const primaryJob = { id: '1'.repeat(32), name: 'counts', state: 'RUNNING', startedAtMs: 1 };
  const records = new Map<string, DnsRecord>([
    ['r1', { id: 'r1', name: 'ingest.argus.test', type: 'A', content: '127.0.1.1', ttlSeconds: 60, proxied: false }],
  ]);
  const standbyJobs = new Map<string, { readonly start: StartJob; looks: number }>();
  const primaryFlink: FlinkJobs = {
    ...unused<FlinkJobs>(),
    list: async () => (up ? [primaryJob] : dark()),
    cancel: async () => {
      effects.push('cancel primary job');
      primaryJob.state = 'CANCELED';
    },
  };
  const standbyFlink: FlinkJobs = {
    ...unused<FlinkJobs>(),
    list: async () =>
      [...standbyJobs].map(([id, { start }]) => ({
        id,
        name: start.name ?? 'counts',
        state: 'RUNNING',
        startedAtMs: 1,
      })),
    slots: async () => ({ free: 4, total: 4 }),
    start: async (start) => {
      if (standbyJobs.has(start.jobId!)) throw new ArgusError('FlinkRefused', 'duplicate job id');
      effects.push(`start ${start.savepointPath}`);
      standbyJobs.set(start.jobId!, { start, looks: 0 });
      await noteRole(store, 'singapore', effects);
      return { jobId: start.jobId! };
    },
    checkpoints: async (id) => {
      const job = standbyJobs.get(id)!;
      const restored = { id: 7, path: job.start.savepointPath!, atMs: 1 };
      const own = ++job.looks > 2 ? { latestCompleted: { id: 8, path: 'p', completedAtMs: clock.now() } } : {};
      return { restored, completedCount: own.latestCompleted ? 1 : 0, failedCount: 0, ...own };
    },
  };
  const standbyFenced = options.standbyFence && fakeFence(options.standbyFence);
  const standbyKafka: KafkaAdmin = {
    ...unused<KafkaAdmin>(),
    ...standbyFenced?.acls,
    describeTopics: async () => new Map([['events', { name: 'events', topicId: 'x', partitions: 2 }]]),
    logRanges: async (partitions) =>
      partitions.map((p) => ({ ...p, logStartOffset: 0n, logEndOffset: ends.get(partitionKey(p))! })),
    initProducer: async () => ({ producerId: 9n, producerEpoch: 0 }),
    fenceProducer: async (_id, partitions) => {
      effects.push('fence');
      for (const p of partitions) ends.set(partitionKey(p), ends.get(partitionKey(p))! + 1n);
      return new Map();
    },
  };
  const fenced =
    options.fence &&
    fakeFence({
      dark: () => !up,
      onChange: (change, { principal, resourceType }) => effects.push(`${change} ${principal} ${resourceType}`),
      ...options.fence,
    });
  const primaryKafka: KafkaAdmin = {
    ...unused<KafkaAdmin>(),
    ...fenced?.acls,
    describeTopics: async () => new Map([['events', { name: 'events', topicId: 'x', partitions: 2 }]]),
    logRanges: async (partitions) => {
      if (!up) return dark();
      return partitions.map((p) => ({ ...p, logStartOffset: 0n, logEndOffset: ends.get(partitionKey(p))! }));
    },
  };
  const region = (name: string, address: string, kafka: KafkaAdmin, flink: FlinkJobs): Region => ({
    name,
    address,
    kafka,
    brokers: { name, bootstrap: [] },
    flink,
    objects: memoryObjectStore(name),
  });
  const context: Omit<FailoverContext, 'epoch'> = {
    config,
    primary: { ...region('mumbai', '127.0.1.1', primaryKafka, primaryFlink), ...(fenced && { fence: fenced.fence }) },
    standby: {
      ...region('singapore', '127.0.2.1', standbyKafka, standbyFlink),
      ...(standbyFenced && { fence: standbyFenced.fence }),
    },
    names: {
      records: {
        find: async (name) => [...records.values()].filter((r) => r.name === name),
        setContent: async (id, content) => {
          effects.push(`dns ${content}`);
          const record = { ...records.get(id)!, content };
          records.set(id, record);
          return record;
        },
      },
      resolvers: [{ server: '127.0.0.1:5353', resolve: async () => [...records.values()].map((r) => r.content) }],
    },
    state: store,
    clock,
    jobs: [{ config: config.jobs[0]!, jarPath: '/jars/counts.jar' }],
    roles,
    sighting: options.sighting,
    run: runName(1),
    by: 'me@here',
    acceptUnfenced: options.acceptUnfenced ?? true,
    ...(options.guarded && { guard: { witness: memoryObjectStore('witness'), leaseMs: 45_000 } }),
    drainMs: 0,
    remains: {
      openTransactions: async () => [...open],
      endTransactions: async (decided, promotedAt, check) => {
        check();
        return decided.map(({ transaction, outcome, because }) => {
          effects.push(`${outcome} ${transaction.transactionalId}`);
          open.splice(open.indexOf(transaction), 1);
          const { owner: _, ...rest } = transaction;
          const markerOffset = promotedAt.find((p) => p.partition === transaction.partition)!.offset;
          const key = partitionKey(transaction);
          ends.set(key, ends.get(key)! + 1n);
          return { ...rest, wanted: outcome, because, outcome, markerOffset, records: 3 };
        });
      },
      heldPartitions: async () => [],
      closeIdleIds: async () => 0,
      denyWrites: async (principal) => {
        effects.push(`deny ${principal}`);
        if (options.authorizer === false) return 'no-authorizer';
        denied.add(principal);
        return 'made';
      },
      allowWrites: async (principal) => {
        effects.push(`allow ${principal}`);
        denied.delete(principal);
      },
      lookAtDenial: async () => ({
        kind: options.authorizer === false ? 'no-authorizer' : denied.size > 0 ? 'denied' : 'open',
        partitions: [],
      }),
    },
    chooseRecoveryPoints: async () =>
      new Map(options.noPoint ? [] : [['counts', { kind: 'chosen', point: manifest, rejected: [] }]]),
    recountOutput: async () => undefined,
    syncGroup: async (group) => {
      effects.push('sync group');
      return { group, source: 'last-copy', offsets: [] };
    },
  };
  return {
    clock,
    store,
    effects,
    context,
    ends,
    run: (n, over = {}) => ({ ...context, run: runName(n), ...over }),
  };
}

/** Which regions' ingress and jobs may start now. */
export async function regionsWithRole(store: ObjectStore): Promise<readonly string[]> {
  const look = roleLook(store);
  const verdicts = await Promise.all(['mumbai', 'singapore'].map(async (name) => decideRole(await look(name))));
  return verdicts.flatMap((v, i) => (v.kind === 'granted' ? [['mumbai', 'singapore'][i]!] : []));
}

/** Among the effects of a world: a job was started that would wait for its region's role. */
export const wouldWait = 'started without the role';

/** Notes that a job which asks for its region's role, before it comes up, would not get it. */
export async function noteRole(store: ObjectStore, region: string, effects: string[]): Promise<void> {
  if (!(await regionsWithRole(store)).includes(region)) effects.push(wouldWait);
}

export const runName = (n: number) => `20261121T10300${n}Z-failover-000${n}`;

/** A port of which a test expects that only some calls are made. */
const unused = <T extends object>(): T =>
  new Proxy({} as T, {
    get: (_, name) => () => Promise.reject(new Error(`not expected: ${String(name)}`)),
    ownKeys: () => [],
  });

export const at = (...offsets: readonly bigint[]): PartitionOffset[] =>
  offsets.map((offset, partition) => ({ topic: 'events', partition, offset }));
