import { expect, test } from 'vitest';
import type { Clock } from '../../../../domain/clock.ts';
import { type PartitionOffset, partitionKey } from '../../../../domain/offsets.ts';
import type { DnsRecord } from '../../../../regions/dns/dns-records.ts';
import type { FlinkJobs, StartJob } from '../../../../regions/flink/flink-jobs.ts';
import type { KafkaAdmin } from '../../../../regions/kafka/kafka-admin.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { joinReplication } from '../../../../runbooks/failover/join-replication.ts';
import { prepareFailover, runFailover } from '../../../../runbooks/failover/run-failover.ts';
import { readRun } from '../../../../state/journal.ts';
import { putPoint } from '../../replication/recovery-point/point-sample.ts';
import { confirming, started } from './fail-over.ts';
import { config } from './world.ts';

/** What a request takes, and how long a job needs until its first checkpoint, and caches until they ask anew. */
const latencyMs = 20;
const submitMs = 1_000;
const checkpointMs = 15_000;
const cacheMs = 10_000;
const partitions = 4;

/** Each call of a port takes its time. */
function slow<T extends object>(port: T, clock: Clock, ms = latencyMs): T {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        await clock.sleep(ms);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

function flinkWith(names: readonly string[], running: boolean, clock: Clock): Partial<FlinkJobs> {
  const started = new Map<string, { readonly start: StartJob; readonly atMs: number }>();
  const states = new Map(running ? names.map((name) => [name, 'RUNNING']) : []);
  return {
    list: async () => [
      ...[...states].map(([name, state]) => ({ id: `primary ${name}`, name, state, startedAtMs: 1 })),
      ...[...started].map(([id, { start }]) => ({ id, name: start.name ?? '', state: 'RUNNING', startedAtMs: 1 })),
    ],
    slots: async () => ({ free: 10_000, total: 10_000 }),
    cancel: async (id) => void states.set(id.slice('primary '.length), 'CANCELED'),
    async start(start) {
      await clock.sleep(submitMs);
      started.set(start.jobId ?? '', { start, atMs: clock.monotonic() });
      return { jobId: start.jobId ?? '' };
    },
    async checkpoints(id) {
      const { start, atMs } = started.get(id)!;
      const restored = { id: 1, path: start.savepointPath ?? '', atMs: 1 };
      if (clock.monotonic() - atMs < checkpointMs) return { restored, completedCount: 0, failedCount: 0 };
      return { restored, completedCount: 1, failedCount: 0, latestCompleted: { id: 2, path: 'p', completedAtMs: 1 } };
    },
  };
}

function kafkaWith(topics: readonly string[]): Partial<KafkaAdmin> {
  return {
    describeTopics: async (names = topics) =>
      new Map(names.filter((n) => topics.includes(n)).map((name) => [name, { name, topicId: 'x', partitions }])),
    logRanges: async (asked) => asked.map((p) => ({ ...p, logStartOffset: 0n, logEndOffset: 1_000n })),
    groupCommits: async (groups) => new Map(groups.map((g) => [g, []])),
    groupOffsets: async () => [],
  };
}

/** A failover of so many jobs, topics and names, and how long it took by the clock. */
async function failOverMany(jobCount: number, topicCount: number) {
  const world = await started({ primary: 'up' });
  const { clock } = world;
  const topics = Array.from({ length: topicCount }, (_, i) => `topic-${i}`);
  const template = config.jobs[0]!;
  const jobs = Array.from({ length: jobCount }, (_, i) => ({
    ...template,
    name: `job-${i}`,
    consumerGroup: `group-${i}`,
  }));
  const names = jobs.map((j) => j.name);
  const records = jobs.map((_, i) => ({ name: `name-${i}.argus.test`, type: 'A' as const }));
  const held = new Map<string, DnsRecord & { readonly sinceMs: number }>(
    records.map(({ name, type }) => [
      name,
      { id: name, name, type, content: '127.0.1.1', ttlSeconds: 10, proxied: false, sinceMs: 0 },
    ]),
  );
  const kafka = kafkaWith(topics) as KafkaAdmin;
  const primary = {
    ...world.context.primary,
    kafka: slow(kafka, clock),
    flink: slow(flinkWith(names, true, clock) as FlinkJobs, clock),
  };
  const { objects } = world.context.standby;
  for (const [i, name] of names.entries()) {
    const sourceOffsets = [{ topic: `topic-${i % topicCount}`, partition: 0, offset: '10' }];
    for (const id of [1, 2, 3]) await putPoint(objects, name, id, { sourceOffsets });
  }
  const standby = {
    ...world.context.standby,
    objects: slow(objects, clock),
    kafka: slow(kafka, clock),
    flink: slow(flinkWith(names, false, clock) as FlinkJobs, clock),
  };
  const many = { ...config, topics, jobs, dns: { ...config.dns, records } };
  const replication = joinReplication(primary, standby, topics, { sinkLogs: { read: async () => [] } });
  const ends = (): PartitionOffset[] =>
    topics.flatMap((topic) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 1_000n })),
    );
  const context: Omit<FailoverContext, 'epoch'> = {
    ...world.context,
    config: many,
    primary,
    standby,
    jobs: jobs.map((job) => ({ config: job, jarPath: '/jars/x.jar' })),
    ...replication,
    remains: slow(world.context.remains, clock),
    names: {
      records: slow(
        {
          find: async (name: string) => [held.get(name)!],
          setContent: async (id: string, content: string) => {
            const record = { ...held.get(id)!, content, sinceMs: clock.monotonic() };
            held.set(id, record);
            return record;
          },
        },
        clock,
      ),
      resolvers: ['127.0.0.1:53', '127.0.0.2:53'].map((server) => ({
        server,
        resolve: async (name: string) => {
          await clock.sleep(latencyMs);
          const { content, sinceMs } = held.get(name)!;
          return [clock.monotonic() - sinceMs < cacheMs ? '127.0.1.1' : content];
        },
      })),
    },
    state: slow(
      confirming({ ...world, context: { ...world.context, standby: { ...standby, kafka: endingAt(ends()) } } }).state,
      clock,
    ),
  };
  const begunAt = clock.monotonic();
  const outage = { atMs: clock.now(), source: 'run-start' as const };
  const plan = await prepareFailover(context, outage);
  const report = await runFailover({ context, outage, plan, holder: 'me' });
  return { report, tookMs: clock.monotonic() - begunAt, world };
}

/** What the mirror is asked for when it confirms a freeze. */
const endingAt = (ends: readonly PartitionOffset[]) =>
  ({
    logRanges: async () => ends.map((e) => ({ ...e, logStartOffset: 0n, logEndOffset: e.offset })),
  }) as unknown as KafkaAdmin;

test('100 jobs and 200 topics take at most one and a half times as long as one', { timeout: 60_000 }, async () => {
  const one = await failOverMany(1, 1);
  const many = await failOverMany(100, 200);
  for (const { report } of [one, many]) expect(report).toMatchObject({ outcome: 'done' });
  expect(many.report.recoveryPoints.map((p) => p.checkpointId)).toEqual(Array.from({ length: 100 }, () => 3));
  expect(new Set(many.report.promotedAt.map(partitionKey)).size).toBe(200 * partitions);
  expect(one.tookMs).toBeGreaterThan(checkpointMs);
  expect(many.tookMs / one.tookMs).toBeLessThanOrEqual(1.5);
  expect(many.report.share?.ownMs).toBeLessThanOrEqual(5_000);
});

test("Argus' own share is the run's time without the waiting, as the journal has both", async () => {
  const { report, world } = await failOverMany(2, 2);
  const entries = await readRun(world.store, report.run);
  const waited = entries.reduce((sum, { fact }) => sum + ((fact.kind === 'step-finished' && fact.waitedMs) || 0), 0);
  const lastAtMs = Math.max(...entries.flatMap((e) => (e.fact.kind === 'step-finished' ? [e.atMs] : [])));
  const { totalMs = 0, ownMs } = report.share ?? {};
  // The journal's last write itself takes its time.
  expect(Math.abs(totalMs - (lastAtMs - (entries[0]?.atMs ?? 0)))).toBeLessThanOrEqual(2 * latencyMs);
  expect(ownMs).toBe(totalMs - waited);
  expect(waited).toBeGreaterThan(checkpointMs);
  expect(report.share?.waited.map((w) => w.step)).toContain('await-checkpoint');
});
