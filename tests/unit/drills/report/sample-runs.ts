import type { DrillReport } from '../../../../drills/drill-report.ts';
import { gatherFacts } from '../../../../drills/report/gather.ts';
import type { ReportModel } from '../../../../drills/report/model.ts';
import { reportOf } from '../../../../drills/report/report-of.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import { stateOfRun } from '../../../../state/drills.ts';
import { type Json, openJournal, runId } from '../../../../state/journal.ts';
import { putRunSamples, type Sample } from '../../../../state/samples.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

export const startMs = 1_800_000_000_000;
const minute = 60_000;

export interface SampleOptions {
  readonly steps?: number;
  readonly runbook?: 'failover' | 'drill';
  readonly state?: ObjectStore;
  readonly atMs?: number;
  readonly report?: Json;
  /** Without an end: it was cut off. */
  readonly cut?: true;
  readonly title?: string;
  /** The run that it goes on with. */
  readonly resumes?: string;
  readonly rolesEpoch?: number;
}

/** A failover's report with the losses and points that tests look at. */
export const failoverReport = (run: string, more: object = {}): Json =>
  ({
    ...{ run, epoch: 7, outcome: 'done', from: 'mumbai', to: 'singapore', outageAtMs: startMs - 20_000 },
    ...{ outageSource: 'first-failed-probe', rtoMs: 95_000, unfenced: false, pastReturn: true, compensated: [] },
    share: { totalMs: 75_000, ownMs: 4_000, waited: [{ step: 'step-2', for: 'Flink of the standby', ms: 2_000 }] },
    rpo: {
      topics: {
        events: { estimatedRecords: 45, boundRecords: 90, estimatedBytes: 5_400, ms: 600, estimated: true },
        audit: { estimatedRecords: 0, ms: 0, estimated: false, proven: true },
      },
    },
    replayedRecords: 170,
    recoveryPoints: [
      {
        job: 'counts',
        checkpointId: 12,
        completedAtMs: startMs - 25_000,
        uri: 's3://replica/points/12',
        sourceOffsets: [],
      },
    ],
    rejected: [{ job: 'counts', checkpointId: 13, code: 'FileMissing', message: 'a state file is missing' }],
    droppedTransactions: [],
    promotedAt: [],
    ...more,
  }) as unknown as Json;

/** Writes a run of `steps` steps into a state and gives its name. Each takes 1.25 s, of which 1 s is waited. */
export async function writeRun(
  options: SampleOptions = {},
): Promise<{ readonly state: ObjectStore; readonly run: string }> {
  const { steps = 6, runbook = 'failover', state = memoryObjectStore('state'), atMs = startMs } = options;
  const clock = virtualClock(atMs);
  const run = runId(atMs, runbook, '00aa');
  const ids = Array.from({ length: steps }, (_, i) => `step-${i + 1}`);
  const titles = ids.map((id, i) => ({
    id,
    ...(runbook === 'drill' && i === 0 ? { waitsFor: 'Flink of the drill' } : {}),
    title: options.title ?? `Do what step ${i + 1} does, with words that go on for as long as those of real steps do`,
  }));
  const journal = openJournal(stateOfRun(state, run), { run, epoch: 7 }, clock);
  const begunWith = {
    argus: '0.1.0',
    node: '24.21.0',
    configSha256: 'c'.repeat(64),
    objectives: { rtoMs: 900_000, rpoMs: 60_000 },
    platform: [
      { region: 'mumbai', kafka: null, flink: null, kubernetes: null },
      {
        region: 'singapore',
        kafka: { metadataVersion: 30, supports: 30 },
        flink: [{ version: '2.2.1' }],
        kubernetes: 'v1.36.3',
      },
    ],
  };
  const about = { from: 'mumbai', to: 'singapore', rolesEpoch: options.rolesEpoch ?? 1, begunWith, reason: 'flood' };
  const details = { ...about, steps: titles, ...(options.resumes === undefined ? {} : { resumes: options.resumes }) };
  await journal.append({ kind: 'run-started', runbook, by: 'ann@laptop', details });
  for (const [i, step] of ids.entries()) {
    const past = i >= steps / 2 ? ({ pastReturn: true } as const) : {};
    await journal.append({ kind: 'step-started', step, ...past });
    clock.jump(1_250);
    if (options.cut && i === steps - 1) break;
    const evidence = { offsets: [{ topic: 'events', partition: 0, offset: '407' }], atMs: clock.now() };
    await journal.append({
      kind: 'step-finished',
      step,
      status: 'done',
      ms: 1_250,
      waitedMs: 1_000,
      evidence,
      ...past,
    });
  }
  if (!options.cut)
    await journal.append({ kind: 'run-finished', outcome: 'done', report: options.report ?? failoverReport(run) });
  return { state, run };
}

/** The report of a run in a state. */
export async function modelOf(state: ObjectStore, run: string): Promise<ReportModel> {
  const objectives = { rtoMs: 1_000, rpoMs: 1_000 };
  return reportOf(await gatherFacts(state, run, { objectives, madeAtMs: startMs + 3_600_000, version: '0.1.0' }));
}

/** Lag and checkpoint age around a run: rising before it, unknown in its midst. */
export async function putSamples(state: ObjectStore, run: string, atMs = startMs): Promise<void> {
  const samples = Array.from({ length: 60 }, (_, i): Sample => {
    const at = atMs - 2 * minute + i * 5_000;
    const known = i < 22 || i > 40;
    return {
      atMs: at,
      primarySeen: known,
      ...(known ? { lagRecords: i * 10, lagMs: 300 + ((i * 137) % 900) } : {}),
      checkpointAgeMs: { counts: 4_000 + (i % 12) * 5_000, sessions: 9_000 + (i % 6) * 10_000 },
    };
  });
  await putRunSamples(state, run, samples);
}

/** The report of an isolated drill. */
export const drillReport = (run: string, atMs: number, more: Partial<DrillReport> = {}): Json =>
  ({
    ...{
      run,
      kind: 'isolated',
      outcome: 'passed',
      verdict: 'counts came up from checkpoint 12 and wrote what production wrote',
    },
    ...{ causes: [], trigger: { kind: 'person' }, by: 'ann@laptop', from: 'mumbai', to: 'singapore' },
    ...{ startedAtMs: atMs, endedAtMs: atMs + 40_000, rto: { ms: 31_000, objectiveMs: 900_000 } },
    rpo: {
      objectiveMs: 60_000,
      ms: 420,
      records: 12,
      certainty: 'counted',
      topics: [{ topic: 'events', records: 12, ms: 420 }],
    },
    points: [
      {
        job: 'counts',
        checkpointId: 12,
        completedAtMs: atMs - 5_000,
        uri: 's3://replica/points/12',
        replayRecords: 60,
      },
    ],
    rejected: [],
    comparisons: [
      {
        job: 'counts',
        topic: 'metrics',
        kind: 'compared',
        against: 'mirrored',
        records: 900,
        missing: 0,
        unexpected: 0,
        differing: 0,
      },
    ],
    leaks: [],
    ...more,
  }) as unknown as Json;
