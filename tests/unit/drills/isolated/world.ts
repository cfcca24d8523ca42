import { bubbleOf, bubblePrefixes } from '../../../../domain/bubble.ts';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import { type Config, configSchema } from '../../../../domain/config.ts';
import { ArgusError } from '../../../../domain/errors.ts';
import type { Roles } from '../../../../domain/roles.ts';
import type { DrillSite } from '../../../../drills/bubble-region.ts';
import type { DrillQuestions } from '../../../../drills/isolated/context.ts';
import { planDrill } from '../../../../drills/isolated/plan.ts';
import { type RunIsolatedDrillOptions, runIsolatedDrill } from '../../../../drills/isolated/run-isolated-drill.ts';
import type { DnsRecords } from '../../../../regions/dns/dns-records.ts';
import type { FlinkJobs, StartJob } from '../../../../regions/flink/flink-jobs.ts';
import type { KafkaAdmin } from '../../../../regions/kafka/kafka-admin.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import { config as plain, manifest as point, roles } from '../../runbooks/failover/world.ts';
import { type VirtualClock, virtualClock } from '../../state/virtual-clock.ts';

/** As of a failover's tests, with a job that takes part in drills. */
export const drillConfig: Config = configSchema.parse({
  ...JSON.parse(
    JSON.stringify({
      regions: plain.regions,
      roles: plain.roles,
      topics: plain.topics,
      dns: {
        cloudflare: { zone: 'argus.test', token: 'env:TOKEN' },
        records: [{ name: 'ingest.argus.test' }],
        resolvers: ['127.0.0.1:5353'],
      },
      state: 'file:./state',
    }),
  ),
  jobs: [
    {
      name: 'counts',
      checkpoints: { prefix: 'checkpoints' },
      consumerGroup: 'counts',
      writes: ['metrics'],
      submit: {
        jar: 'counts.jar',
        entryClass: 'argus.lab.CountsJob',
        parallelism: 2,
        args: { mumbai: [], singapore: ['--out', 'metrics'] },
      },
      drill: {
        args: { singapore: ['--group', '{group}', '--txid={transactionalIdPrefix}', '--out', '{topic:metrics}'] },
      },
    },
  ],
  drill: {
    regions: {
      singapore: { flink: { rest: 'http://127.0.2.9:8081' }, principal: 'User:drill', quota: { read: 1_000_000 } },
    },
  },
});

export const manifest: CheckpointManifest = {
  ...point,
  sourceOffsets: [{ topic: 'events', partition: 0, offset: '80' }],
};

/** What was changed in the regions: `topic+ name`, `topic- name` and so on. */
export type Change = readonly [what: string, name: string];

export interface DrillWorld {
  readonly clock: VirtualClock;
  readonly state: ObjectStore;
  readonly objects: ObjectStore;
  readonly topics: Map<string, number>;
  readonly groups: Set<string>;
  readonly quotas: Map<string, number>;
  readonly jobs: Map<string, { readonly start: StartJob; state: string; looks: number }>;
  /** In order. */
  readonly changes: Change[];
  readonly site: DrillSite;
  readonly questions: DrillQuestions;
  readonly records: Pick<DnsRecords, 'find'>;
  /** Options of a drill's n-th run, from 1. */
  options(n: number, over?: Partial<RunIsolatedDrillOptions>): RunIsolatedDrillOptions;
  run(n: number, over?: Partial<RunIsolatedDrillOptions>): ReturnType<typeof runIsolatedDrill>;
}

export interface DrillWorldOptions {
  readonly config?: Config;
  readonly roles?: Roles;
  readonly questions?: Partial<DrillQuestions>;
  /** The job comes to this state at once. */
  readonly jobEnds?: string;
  /** The job stays without a checkpoint of its own. */
  readonly stuck?: boolean;
  /** The job writes its checkpoints here, a key. */
  readonly checkpointsIn?: string;
  /** Something that the job makes beside what it was told to. */
  readonly leavesTopic?: string;
}

export const drillName = (n: number) => `20261122T03300${n}Z-drill-000${n}`;

/** A standby in memory, with all that production has there, in which whatever is changed is noted. */
export function drillWorld(options: DrillWorldOptions = {}): DrillWorld {
  const { config = drillConfig } = options;
  const clock = virtualClock();
  const state = memoryObjectStore('state');
  const changes: Change[] = [];
  const objects = watched(memoryObjectStore('singapore'), changes);
  const topics = new Map([
    ['events', 1],
    ['metrics', 2],
  ]);
  const ends = new Map<string, bigint>([['events', 100n]]);
  const groups = new Set(['counts']);
  const quotas = new Map<string, number>([['consumer_byte_rate', 5]]);
  const jobs: DrillWorld['jobs'] = new Map();
  const alive = () => [...jobs.values()].filter(({ state: now }) => now === 'RUNNING');

  const kafka: KafkaAdmin = {
    ...unused<KafkaAdmin>(),
    describeTopics: async (names) =>
      new Map(
        [...topics]
          .filter(([name]) => names === undefined || names.includes(name))
          .map(([name, partitions]) => [name, { name, topicId: name, partitions }]),
      ),
    topicConfigs: async () => new Map([['max.message.bytes', '1000']]),
    logRanges: async (partitions) =>
      partitions.map((p) => ({ ...p, logStartOffset: 0n, logEndOffset: ends.get(p.topic) ?? 0n })),
    listGroups: async () => [...groups],
    listAcls: async () => [],
    describeQuotas: async () => new Map(quotas),
    createTopic: async ({ name, partitions }) => {
      changes.push(['topic+', name]);
      if (topics.has(name)) throw new ArgusError('KafkaFailed', `${name} exists`);
      topics.set(name, partitions);
    },
    deleteTopics: async (names) => {
      for (const name of names) {
        changes.push(['topic-', name]);
        topics.delete(name);
      }
    },
    deleteGroups: async (names) => {
      for (const name of names) {
        changes.push(['group-', name]);
        if (alive().length === 0) groups.delete(name);
      }
      return new Map();
    },
    alterQuotas: async (principal, limits) => {
      changes.push(['quota', principal]);
      for (const [key, value] of Object.entries(limits)) {
        if (value === null) quotas.delete(key);
        else quotas.set(key, value);
      }
    },
  };
  const flink: FlinkJobs = {
    ...unused<FlinkJobs>(),
    list: async () => [...jobs].map(([id, job]) => ({ id, name: 'counts', state: job.state, startedAtMs: 1 })),
    slots: async () => ({ free: 4, total: 4 }),
    failureOf: async () => 'it broke',
    start: async (start) => {
      const id = start.jobId ?? '';
      changes.push(['job+', id]);
      if (jobs.has(id)) throw new ArgusError('FlinkRefused', 'duplicate job id');
      jobs.set(id, { start, state: options.jobEnds ?? 'RUNNING', looks: 0 });
      groups.add(start.args[1] ?? '');
      if (options.leavesTopic !== undefined) topics.set(options.leavesTopic, 1);
      return { jobId: id };
    },
    cancel: async (id) => {
      changes.push(['job-', id]);
      const job = jobs.get(id);
      if (job) job.state = 'CANCELED';
    },
    checkpoints: async (id) => {
      const job = jobs.get(id)!;
      const restored = { id: 7, path: job.start.savepointPath ?? '', atMs: 1 };
      const directory = job.start.configuration?.['execution.checkpointing.dir'] ?? '';
      if (options.stuck || ++job.looks < 3) return { restored, completedCount: 0, failedCount: 0 };
      const path = `${options.checkpointsIn ?? directory}/${id}/chk-8`;
      await memory.put(`${path.slice(`${objects.uri}/`.length)}/_metadata`, new Uint8Array(1));
      ends.set(job.start.args.at(-1) ?? '', 3n);
      const latestCompleted = { id: 8, path, completedAtMs: clock.now() };
      return { restored, latestCompleted, completedCount: 1, failedCount: 0 };
    },
  };
  const memory = objects.bare;
  const site: DrillSite = {
    name: 'singapore',
    kafka,
    objects,
    flink,
    ownCluster: true,
    principal: 'User:drill',
  };
  const questions: DrillQuestions = {
    chooseRecoveryPoints: async () => new Map([['counts', { kind: 'chosen', point: manifest, rejected: [] }]]),
    gatherCopy: async (_point, { folder }) => ({
      uri: `${objects.uri}/${folder}/metadata`,
      files: [],
      metadata: { key: `${folder}/metadata/_metadata`, bytes: new Uint8Array([1, 2]) },
      claimMode: 'NO_CLAIM',
      sinks: [],
    }),
    prove: async () => ({ causes: [], evidence: {} }),
    compare: async ({ config: { name } }) => ({
      kind: 'ended',
      comparisons: [
        {
          job: name,
          topic: 'metrics',
          kind: 'compared',
          against: 'mirrored',
          records: 3,
          missing: 0,
          unexpected: 0,
          differing: 0,
        },
      ],
    }),
    causeOf: (job, message) => ({ job, code: 'JobFailed', message }),
    ...options.questions,
  };
  const records = {
    find: async () => [
      {
        id: 'r',
        name: 'ingest.argus.test',
        type: 'A' as const,
        content: '127.0.1.1',
        ttlSeconds: 60,
        proxied: false,
      },
    ],
  };
  const optionsOf = (n: number, over: Partial<RunIsolatedDrillOptions> = {}): RunIsolatedDrillOptions => {
    const run = drillName(n);
    const { jobs: planned } = planDrill({
      bubble: bubbleOf(run),
      region: 'singapore',
      storeUri: objects.uri,
      configured: config.jobs.map((job) => ({ config: job, jarPath: '/jars/counts.jar' })),
      only: undefined,
      ownCluster: true,
      slots: undefined,
    });
    return {
      context: {
        config,
        run,
        by: 'me@here',
        clock,
        roles: options.roles ?? roles,
        primary: { name: 'mumbai', kafka },
        records,
        state,
        jobs: planned,
        sighting: undefined,
        questions,
      },
      sites: new Map([['singapore', site]]),
      holder: run,
      trigger: { kind: 'person' },
      ...over,
    };
  };
  return {
    clock,
    state,
    objects,
    topics,
    groups,
    quotas,
    jobs,
    changes,
    site,
    questions,
    records,
    options: optionsOf,
    run: (n, over) => runIsolatedDrill(optionsOf(n, over)),
  };
}

/** What there is of drills, by kind; jobs only those that live. */
export async function leftIn({ topics, groups, objects, jobs }: DrillWorld) {
  const { objects: listed } = await objects.list(bubblePrefixes.object);
  return {
    topics: [...topics.keys()].filter((name) => name.startsWith(bubblePrefixes.topic)),
    groups: [...groups].filter((name) => name.startsWith(bubblePrefixes.group)),
    objects: listed.map(({ key }) => key),
    jobs: [...jobs].filter(([, job]) => job.state === 'RUNNING').map(([id]) => id),
  };
}

/** Nothing. */
export const nothingLeft = { topics: [], groups: [], objects: [], jobs: [] };

/** A store whose changes are noted; `bare` is the same without, for those who aren't Argus. */
function watched(bare: ObjectStore, changes: Change[]): ObjectStore & { readonly bare: ObjectStore } {
  return {
    ...bare,
    uri: bare.uri,
    bare,
    put: async (key, body, call) => {
      changes.push(['object+', key]);
      return bare.put(key, body, call);
    },
    copy: async (from, to, call) => {
      changes.push(['object+', to]);
      return bare.copy(from, to, call);
    },
    delete: async (key, call) => {
      changes.push(['object-', key]);
      return bare.delete(key, call);
    },
  };
}

/** A port of which a test expects that only some calls are made. */
const unused = <T extends object>(): T =>
  new Proxy({} as T, {
    get: (_, name) => () => Promise.reject(new Error(`not expected: ${String(name)}`)),
    ownKeys: () => [],
  });
