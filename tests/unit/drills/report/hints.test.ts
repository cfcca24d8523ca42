import { expect, test } from 'vitest';
import { hintsOf } from '../../../../drills/report/hints.ts';
import type { ReportModel, ReportStep } from '../../../../drills/report/model.ts';
import { modelOf, startMs, writeRun } from './sample-runs.ts';

const { state, run } = await writeRun();
const { hints: _hints, ...plain } = await modelOf(state, run);
const calm = { ...plain, rejected: [], samples: [{ atMs: startMs, checkpointAgeMs: {} }] } as const;
const { samplesNote: _note, ...model } = calm as typeof calm & { samplesNote?: string };

const codes = (more: Partial<ReportModel>) => hintsOf({ ...model, ...more }).map((h) => h.code);
const slow = (id: string): ReportStep => ({ id, title: id, status: 'done', startedAtMs: startMs, ms: 60_000 });

test('a run without trouble gets no hint', () => {
  expect(codes({})).toEqual([]);
});

test.each([
  ['verify-names', 'NamesSlow'],
  ['start-jobs', 'StartSlow'],
  ['await-checkpoint', 'FirstCheckpointSlow'],
  ['freeze-mirror', 'DrainSlow'],
  ['a-hook-of-yours', 'StepSlow'],
])('a slow %s leads to %s', (id, code) => {
  expect(codes({ steps: [slow(id)], endedAtMs: startMs + 90_000 })).toEqual([code]);
});

test.each<[string, Partial<ReportStep>, string]>([
  ['names whom it waited for', { waitedMs: 50_000 }, ', waiting for a hook'],
  ['that waited for nobody names nobody', { waitedMs: 0 }, ''],
  ['that failed names whom it was waiting for', { status: 'failed' }, ', waiting for a hook'],
])('a slow step of another name %s', (_what, more, whom) => {
  const steps = [{ ...slow('hook'), waitsFor: 'a hook', ...more }] as readonly ReportStep[];
  const [hint] = hintsOf({ ...model, steps, endedAtMs: startMs + 90_000 });
  expect(hint?.sentence).toBe(`“hook” took 1 min 0 s of 1 min 30 s${whom}`);
});

test('a fault that was held for its time is no slow step', () => {
  expect(codes({ drill: 'fault', steps: [slow('expect')], endedAtMs: startMs + 90_000 })).toEqual([]);
});

test.each<[string, Partial<ReportModel>, string]>([
  ['a late order', { outageAtMs: startMs - 600_000, rto: { ...model.rto!, ms: 700_000 } }, 'DecidedLate'],
  ['much time of its own', { share: { totalMs: 20_000, ownMs: 9_000 } }, 'OwnShareLarge'],
  ['a missed RPO', { rpo: { ...model.rpo!, ms: 90_000, met: false } }, 'RpoMissed'],
  ['a loss nobody knows', { rpo: { ...model.rpo!, certainty: 'unknown' } }, 'LossUnknown'],
  ['refused points', { rejected: plain.rejected }, 'PointsRefused'],
  ['no samples', { samplesNote: 'nobody' }, 'NobodyNoted'],
  ['leaks', { leaks: [{ kind: 'topic', name: 'x' }] }, 'Leaks'],
  ['a primary not seen stopped', { accepted: ['that mumbai was not seen stopped'] }, 'Unfenced'],
])('%s leads to a hint', (_what, more, code) => {
  expect(codes(more)).toContain(code);
});
