import { beforeEach, describe, expect, test } from 'vitest';
import type { CheckpointManifest } from '../../../../domain/checkpoint.ts';
import type { StartJob } from '../../../../regions/flink/flink-jobs.ts';
import { type MemoryObjectStore, memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { encodeManifest } from '../../../../replication/checkpoints/manifest.ts';
import { copiesOfRun, heldPoints } from '../../../../replication/checkpoints/retention-holds.ts';
import { gatherRetention } from '../../../../replication/checkpoints/retention-prune.ts';
import { createCheckpointSync } from '../../../../replication/checkpoints/sync.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { prepareFailover } from '../../../../runbooks/failover/run-failover.ts';
import { standbyJobId } from '../../../../runbooks/failover/standby-job.ts';
import { putHollowSample } from '../../../support/changelog-bucket.ts';
import { virtualClock } from '../../state/virtual-clock.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { runName, type World } from './world.ts';

const HOUR = 3_600_000;
const JOB_ID = standbyJobId(2, 'counts', 0);

let world: World;
let replica: MemoryObjectStore;
let point: CheckpointManifest;
let context: Omit<FailoverContext, 'epoch'>;
const starts: StartJob[] = [];

beforeEach(async () => {
  world = await started();
  replica = memoryObjectStore('replica', { uri: 's3://checkpoints-singapore', now: () => world.clock.now() });
  const source = memoryObjectStore('primary', { uri: 's3://flink-primary' });
  await putHollowSample(source, 'v6-changelog-fs');
  const sync = createCheckpointSync({
    job: 'counts',
    prefix: 'checkpoints',
    source,
    target: replica,
    clock: virtualClock(),
  });
  const { replicated } = await sync.step();
  if (replicated === undefined) throw new Error('not replicated');
  point = replicated;
  starts.length = 0;
  const { flink } = world.context.standby;
  const recording = { ...world.context.standby, objects: replica };
  const start = flink.start;
  flink.start = async (job, call) => {
    starts.push(job);
    return start(job, call);
  };
  context = {
    ...confirming(world),
    standby: recording,
    chooseRecoveryPoints: async () => new Map([['counts', { kind: 'chosen', point, rejected: [] }]]),
  };
});

const keysBelow = async (prefix: string) => (await replica.list(prefix)).objects.map((o) => o.key);
const copied = () => replica.calls.filter((call) => call.startsWith('copy '));

describe('a job whose state Flink only claims', () => {
  test('is restored from a copy of its own, and the point stays as it was', async () => {
    const plan = await prepareFailover(context, { atMs: 0, source: 'first-failed-probe' });
    const planned = plan.steps.find((s) => s.id === 'prepare-restore');
    expect(planned?.title).toMatch(
      /^Copy what counts will consume \(changelog state, CLAIM\): 18 files, .* \(a guess\)$/,
    );
    const byHand = `s3://checkpoints-singapore/relocated/${JOB_ID}`;
    expect(planned?.manual).toEqual([`argus checkpoints relocate ${point.replicaUri} --to ${byHand} --copy`]);
    const start = plan.steps.find((s) => s.id === 'start-jobs')?.manual.join();
    expect(start).toContain(`"savepointPath":"${byHand}/metadata","claimMode":"CLAIM"`);

    const before = await keysBelow('argus/replica/counts/');
    const report = await failOver(world, context);
    expect(report.error).toBeUndefined();
    expect(report.steps.find((s) => s.id === 'prepare-restore')?.status).toBe('done');
    expect(report.recoveryPoint).toMatchObject({ claim: { files: 18 } });
    const folder = `argus/replica/counts/claims/${JOB_ID}/${point.flinkJobId}-0000000003`;
    const savepointPath = `s3://checkpoints-singapore/${folder}/metadata`;
    expect(starts).toMatchObject([{ savepointPath, claimMode: 'CLAIM', jobId: JOB_ID }]);
    const after = await keysBelow('argus/replica/counts/');
    expect(after.filter((key) => !key.startsWith(folder))).toEqual(before);
    expect(after.filter((key) => key.startsWith(folder))).toHaveLength(point.files.length + 1);
  });

  test.each([0, 1, 7, 17, 18])('gets only what lacks when the copy was broken off after %i of it', async (effects) => {
    const { copy, put } = replica;
    let left = effects;
    const alive = () => {
      if (left-- <= 0) throw new Error('the store is gone');
    };
    replica.copy = async (...args) => {
      alive();
      return copy(...args);
    };
    replica.put = async (...args) => {
      alive();
      return put(...args);
    };
    const failed = await failOver(world, context);
    expect(failed).toMatchObject({ outcome: 'failed', pastReturn: false });
    expect(starts).toEqual([]);
    Object.assign(replica, { copy, put });
    const report = await failOver(world, { ...context, run: runName(2) });
    expect(report.outcome).toBe('done');
    expect(starts).toHaveLength(1);
    expect(new Set(copied()).size).toBe(point.files.length);
    expect(copied()).toHaveLength(point.files.length);
  });

  test('that runs already is found with its point by the run after', async () => {
    await failOver(world, context);
    const again = await failOver(world, { ...context, run: runName(3) });
    expect(again.recoveryPoints).toMatchObject([{ flinkJobId: point.flinkJobId, checkpointId: 3 }]);
    expect(starts).toHaveLength(1);
    expect(copied()).toHaveLength(point.files.length);
  });

  test('is refused before the point of no return where it would be a session job, also when only its _metadata tells', async () => {
    const { needsClaim: _, ...old } = point;
    await replica.put(`${point.metadata.key.replace('_metadata', 'manifest.json')}`, encodeManifest(old));
    point = old;
    const kubernetes = { singapore: { namespace: 'data', deployment: 'session', sessionJob: 'counts' } };
    const jobs = context.jobs.map((job) => ({ ...job, config: { ...job.config, kubernetes } }));
    const report = await failOver(world, { ...context, jobs });
    expect(report).toMatchObject({ outcome: 'refused', pastReturn: false, error: { code: 'ClaimImpossible' } });
    expect(copied()).toEqual([]);
    expect(starts).toEqual([]);
  });

  test('of a manifest of before this was kept is told by its _metadata', async () => {
    const { needsClaim: _, ...old } = point;
    await replica.put(`${point.metadata.key.replace('_metadata', 'manifest.json')}`, encodeManifest(old));
    point = old;
    expect(await failOver(world, context)).toMatchObject({ outcome: 'done' });
    expect(starts).toMatchObject([{ claimMode: 'CLAIM' }]);
  });

  test('keeps its copy whatever its age; one that no job was started from is collected', async () => {
    const { flink } = context.standby;
    const list = flink.list;
    const orphans = async () => {
      const held = await heldPoints(world.store, { objects: replica, flink: { ...flink, list: async () => [] } });
      const nowMs = world.clock.now() + 10 * HOUR;
      return (await gatherRetention(replica, 'counts', { keep: 3, maxAgeMs: HOUR }, held, { nowMs })).orphans.length;
    };
    flink.start = async () => Promise.reject(new Error('not to be reached'));
    flink.list = async () => {
      // The last look before the start breaks the run off.
      if (copied().length === point.files.length && (await keysBelow('argus/replica/counts/claims/')).length === 19) {
        throw new Error('Flink is gone');
      }
      return list();
    };
    expect(await failOver(world, context)).toMatchObject({ outcome: 'failed' });
    expect(await orphans()).toBe(19);
    flink.list = list;
    flink.start = async (job) => {
      starts.push(job);
      throw new Error('no answer');
    };
    expect(await failOver(world, { ...context, run: runName(2) })).toMatchObject({ outcome: 'failed' });
    expect(starts).toHaveLength(1);
    expect(await orphans()).toBe(0);
  });
});

test('only copies that a start was begun for are held', () => {
  const restores = [
    { job: 'a', uri: 's3://r/claims/x/metadata', claimMode: 'CLAIM' },
    { job: 'b', uri: 's3://r/points/y', claimMode: 'NO_CLAIM' },
  ];
  const prepared = { id: 'prepare-restore', startedAtMs: 1, status: 'done', ms: 1, evidence: { restores } } as const;
  const start = { id: 'start-jobs', startedAtMs: 2, status: 'started' } as const;
  expect(copiesOfRun({ steps: [prepared] })).toEqual([]);
  expect(copiesOfRun({ steps: [prepared, start] })).toEqual(['s3://r/claims/x/metadata']);
});
