import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { FlinkJobs } from '../../../../regions/flink/flink-jobs.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import { heldPoints, pointsOfRun } from '../../../../replication/checkpoints/retention-holds.ts';
import { removeDrillNote, writeDrillNote } from '../../../../state/drill-notes.ts';
import { openJournal, runId } from '../../../../state/journal.ts';

const objects = { uri: 's3://replica' };
const point = (id: number) => `argus/replica/counts/points/${'a'.repeat(32)}-${String(id).padStart(10, '0')}`;

type Jobs = Pick<FlinkJobs, 'list' | 'checkpoints'>;

/** Jobs of the standby's Flink, each with what it was restored from. */
function flinkWith(jobs: Readonly<Record<string, { readonly state: string; readonly path?: string }>>): Jobs {
  return {
    list: async () => Object.entries(jobs).map(([id, { state }]) => ({ id, name: id, state, startedAtMs: 0 })),
    checkpoints: async (id) => {
      const path = jobs[id]?.path;
      const restored = path === undefined ? {} : { restored: { id: 1, path, atMs: 0 } };
      return { completedCount: 0, failedCount: 0, ...restored };
    },
  };
}

/** The journal of a run that chose this point. */
async function writeRun(state: ObjectStore, uri: string): Promise<void> {
  const clock = { now: () => 1_000, monotonic: () => 0, sleep: async () => {} };
  const journal = openJournal(state, { run: runId(1_000, 'failover', 'abcd'), epoch: 1 }, clock);
  await journal.append({ kind: 'run-started', runbook: 'failover', by: 'test', details: {} });
  await journal.append({ kind: 'step-started', step: 'choose-recovery-point' });
  const evidence = { points: [{ uri }] };
  await journal.append({ kind: 'step-finished', step: 'choose-recovery-point', status: 'done', ms: 1, evidence });
  await journal.append({ kind: 'run-finished', outcome: 'failed' });
}

const step = (evidence: unknown) => ({ id: 'choose-recovery-point', evidence });

describe('the points of a run', () => {
  const cases: readonly (readonly [string, readonly unknown[], readonly string[]])[] = [
    ['that has not chosen yet', [{ id: 'choose-recovery-point' }], []],
    [
      'that chose for two jobs',
      [step({ points: [{ uri: 's3://b/1' }, { uri: 's3://b/2' }] })],
      ['s3://b/1', 's3://b/2'],
    ],
    ['whose evidence has another form', [step({ points: 'none' }), step(null)], []],
    ['are not what another step names', [{ id: 'start-jobs', evidence: { points: [{ uri: 's3://b/1' }] } }], []],
  ];
  test.each(cases)('%s', (_, steps, uris) => {
    expect(pointsOfRun({ steps } as Parameters<typeof pointsOfRun>[0])).toEqual(uris);
  });
});

describe('the points that must stay', () => {
  test('are those that living jobs were restored from, in this bucket, with or without a slash at the end', async () => {
    const flink = flinkWith({
      running: { state: 'RUNNING', path: `s3://replica/${point(1)}/` },
      restarting: { state: 'RESTARTING', path: `s3a://replica/${point(2)}` },
      translated: { state: 'RUNNING', path: `s3://replica/${point(6)}/translated-${'a'.repeat(16)}` },
      ended: { state: 'CANCELED', path: `s3://replica/${point(3)}` },
      fresh: { state: 'RUNNING' },
      elsewhere: { state: 'RUNNING', path: `s3://other/${point(4)}` },
    });
    expect(await heldPoints(memoryObjectStore('state'), { objects, flink })).toEqual(
      new Set([point(1), point(2), point(6)]),
    );
  });

  test('are those that a run chose, also one that ended long ago', async () => {
    const state = memoryObjectStore('state');
    await writeRun(state, `s3://replica/${point(5)}`);
    expect(await heldPoints(state, { objects, flink: flinkWith({}) })).toEqual(new Set([point(5)]));
  });

  test('are not known while Flink can’t be asked: that is an error, not an empty answer', async () => {
    const silent: Jobs = {
      ...flinkWith({}),
      list: async () => {
        throw new ArgusError('FlinkUnreachable', 'Flink did not answer', { retryable: true });
      },
    };
    await expect(heldPoints(memoryObjectStore('state'), { objects, flink: silent })).rejects.toMatchObject({
      code: 'FlinkUnreachable',
    });
  });
});

describe('the point of a drill', () => {
  const held = (state: ObjectStore, nowMs: number) =>
    heldPoints(state, { objects, flink: flinkWith({}) }, { nowMs }).then((folders) => [...folders]);

  test('stays while the drill’s note lies in the state, an hour at most', async () => {
    const state = memoryObjectStore('state');
    const run = runId(1_000, 'drill', 'abcd');
    const points = [`s3://replica/${point(3)}`, `s3://replica/${point(4)}`];
    const note = { run, atMs: 1_000, by: 'test', region: 'mumbai', jobs: [], ownCluster: true, points };
    await writeDrillNote(state, note);
    const folders = [point(3), point(4)];
    expect(await held(state, 2_000)).toEqual(folders);
    expect(await held(state, 3_600_999)).toEqual(folders);
    expect(await held(state, 3_601_000)).toEqual([]);
    await removeDrillNote(state, run);
    expect(await held(state, 2_000)).toEqual([]);
  });
});
