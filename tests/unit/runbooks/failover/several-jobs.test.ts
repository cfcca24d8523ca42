import { expect, test } from 'vitest';
import type { Region } from '../../../../regions/region.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { joinReplication } from '../../../../runbooks/failover/join-replication.ts';
import { chooseRecoveryPoints } from '../../../../runbooks/failover/steps/choose-recovery-point.ts';
import { endingAt, putPoint, sinkEnd } from '../../replication/recovery-point/point-sample.ts';
import { config, newWorld } from './world.ts';

const topics = ['events', 'enriched'];
const counts = config.jobs[0]!;
const enrich = { ...counts, name: 'enrich', writes: ['enriched'] };
const at = (topic: string, offset: string) => [{ topic, partition: 0, offset }];
const words = { title: '', manual: [] };

/** A failover of a job that writes `enriched` and one that reads it, with replicas as real parts find them. */
function joined(over: Partial<Region['flink']> = {}): FailoverContext {
  const { context } = newWorld();
  const kafka = { ...context.standby.kafka, ...endingAt(1_000n, topics) };
  const standby = { ...context.standby, kafka, flink: { ...context.standby.flink, list: async () => [], ...over } };
  const jobs = [counts, enrich].map((job) => ({ config: job, jarPath: '/jars/x.jar' }));
  return {
    ...context,
    epoch: 1,
    config: { ...config, topics, jobs: [counts, enrich] },
    standby,
    jobs,
    ...joinReplication(context.primary, standby, topics, { sinkLogs: { read: async () => [] } }),
  };
}

async function observe(context: FailoverContext) {
  const io = { signal: new AbortController().signal, check: () => undefined, progress: () => undefined };
  return chooseRecoveryPoints(words).observe(context, {}, io as never);
}

test('jobs that are joined by a topic get points that go with each other', async () => {
  const context = joined();
  const { objects } = context.standby;
  for (const [id, end] of [
    [1, 50],
    [2, 80],
  ] as const)
    await putPoint(objects, 'enrich', id, { sinkEnds: sinkEnd('enriched', end) });
  for (const [id, offset] of [
    [1, '40'],
    [2, '80'],
    [3, '95'],
  ] as const)
    await putPoint(objects, 'counts', id, { sourceOffsets: at('enriched', offset) });
  expect(await observe(context)).toMatchObject({
    kind: 'done',
    facts: {
      points: [
        { job: 'counts', checkpointId: 2 },
        { job: 'enrich', checkpointId: 2 },
      ],
      rejected: [{ job: 'counts', checkpointId: 3, code: 'ReaderPastWriter' }],
    },
  });
});

test('a failover is refused when a reader is ahead of its writer with all it has', async () => {
  const context = joined();
  const { objects } = context.standby;
  await putPoint(objects, 'enrich', 1, { sinkEnds: sinkEnd('enriched', 30) });
  await putPoint(objects, 'counts', 1, { sourceOffsets: at('enriched', '40') });
  expect(await observe(context)).toMatchObject({
    kind: 'refused',
    error: {
      code: 'NoRecoveryPoint',
      message: expect.stringContaining('enrich at its checkpoint 1 had committed up to 30'),
    },
  });
});
