import { expect, test } from 'vitest';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { type AskedJob, findRecoveryPoints, seeJobs } from '../../../../replication/recovery-point/find.ts';
import { endingAt, putPoint, sinkEnd } from './point-sample.ts';

const topics = ['events', 'enriched'];
const reading = (offset: number) => ({ sourceOffsets: [{ topic: 'enriched', partition: 0, offset: String(offset) }] });
const enrich: AskedJob = { job: 'enrich', writes: ['enriched'] };
const counts: AskedJob = { job: 'counts', writes: [] };
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

/** `enrich` writes what `counts` reads: offsets of `enriched` by the checkpoint's id. */
async function replicas(
  written: Readonly<Record<number, ReturnType<typeof sinkEnd> | undefined>>,
  read: readonly number[],
) {
  const objects = memoryObjectStore('replica');
  for (const [id, sinkEnds] of Object.entries(written)) await putPoint(objects, 'enrich', Number(id), { sinkEnds });
  for (const [i, offset] of read.entries()) await putPoint(objects, 'counts', i + 1, reading(offset));
  return { objects, kafka: endingAt(10_000n, topics), topics };
}

const chosenOf = async (from: Awaited<ReturnType<typeof replicas>>, jobs = [enrich, counts]) =>
  Object.fromEntries((await seeJobs(from, jobs)).map((s) => [s.job, s.chosen?.manifest.checkpointId]));

test('a job goes back to where it had read no more than its writer had committed', async () => {
  const from = await replicas({ 1: sinkEnd('enriched', 50), 2: sinkEnd('enriched', 80) }, [40, 80, 95]);
  expect(await chosenOf(from)).toEqual({ enrich: 2, counts: 2 });
  const choice = (await findRecoveryPoints(from, [counts, enrich])).get('counts');
  expect(choice?.rejected).toMatchObject([
    {
      checkpointId: 3,
      reasons: [
        {
          code: 'ReaderPastWriter',
          message: 'enriched-0: the job would go on at 95, enrich at its checkpoint 2 had committed up to 80',
        },
      ],
    },
  ]);
});

test('without a topic in common each has its newest', async () => {
  const from = await replicas({ 1: sinkEnd('enriched', 50) }, [40, 95]);
  expect(await chosenOf(from, [{ ...enrich, writes: [] }, counts])).toEqual({ enrich: 1, counts: 2 });
  expect(await chosenOf(from, [{ ...enrich, writes: ['events'] }, counts])).toMatchObject({ counts: 2 });
});

test('ends that were seen after a newer checkpoint was complete are unknown', async () => {
  const late = await replicas({ 1: sinkEnd('enriched', 50), 2: sinkEnd('enriched', 90, true) }, [40, 90]);
  expect(await chosenOf(late)).toEqual({ enrich: 2, counts: 1 });
  const never = await replicas({ 1: undefined }, [0, 1]);
  expect(await chosenOf(never)).toEqual({ enrich: 1, counts: 1 });
  const [, seen] = await seeJobs(never, [enrich, counts]);
  expect(seen?.points[0]?.reasons.map((r) => r.code)).toEqual(['WriterOutputUnknown']);
});

test('looks further back in the writer where its ends are not known, and in the reader where none fits', async () => {
  const unknown = Object.fromEntries(upTo(30).map((id) => [id, id > 3 ? undefined : sinkEnd('enriched', id * 10)]));
  const from = await replicas(
    unknown,
    upTo(40).map((id) => id * 10),
  );
  expect(await chosenOf(from)).toEqual({ enrich: 30, counts: 3 });
});

test('one that has none leaves the others what they have by themselves', async () => {
  const from = await replicas({ 1: sinkEnd('enriched', 50) }, [60, 95]);
  const [, seen] = await seeJobs(from, [enrich, counts]);
  expect(seen?.chosen).toBeUndefined();
  expect(seen?.points.map((p) => p.reasons.map((r) => r.code))).toEqual([['ReaderPastWriter'], ['ReaderPastWriter']]);
  expect(await chosenOf(from)).toEqual({ enrich: 1, counts: undefined });
});

test('a job that runs already stays where it was restored from, and the others go with it', async () => {
  const from = await replicas({ 1: sinkEnd('enriched', 50), 2: sinkEnd('enriched', 80) }, [40, 80]);
  const restored = { flinkJobId: 'a'.repeat(32), checkpointId: 1, completedAtMs: 1_000, sourceOffsets: [] };
  expect(await chosenOf(from, [{ ...enrich, restored }, counts])).toEqual({ enrich: 1, counts: 1 });
  const foreign = { ...restored, flinkJobId: 'unknown' };
  expect(await chosenOf(from, [{ ...enrich, restored: foreign }, counts])).toMatchObject({ counts: undefined });
});

test('each replica is listed once, and the standby’s Kafka is asked once, however many jobs there are', async () => {
  const objects = memoryObjectStore('replica');
  const jobs = upTo(20).map((n) => ({ job: `job-${n}`, writes: [] }));
  for (const { job } of jobs) for (const id of upTo(12)) await putPoint(objects, job, id * 10);
  let [lists, asked, atOnce, most] = [0, 0, 0, 0];
  const counting = {
    ...objects,
    list: async (...args: Parameters<typeof objects.list>) => {
      lists++;
      most = Math.max(most, ++atOnce);
      const found = await objects.list(...args);
      atOnce--;
      return found;
    },
  };
  const kafka = endingAt(5n);
  const logRanges: typeof kafka.logRanges = (...args) => {
    asked++;
    return kafka.logRanges(...args);
  };
  const seen = await seeJobs({ objects: counting, kafka: { ...kafka, logRanges }, topics }, jobs);
  expect(seen.map((s) => [s.points.length, s.older])).toEqual(jobs.map(() => [12, 0]));
  expect([lists, asked]).toEqual([20, 1]);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(16);
});
