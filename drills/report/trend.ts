import type { RunRecord, RunStatus } from '../../state/run-record.ts';
import type { LaterCounts } from './losses.ts';
import { outcomeOf } from './measured.ts';
import { fieldOf, goesOnWith, stepsOf } from './steps-of.ts';

/** One run or drill in the trend. */
export interface TrendRun {
  readonly run: string;
  /** `failover`, `isolated drill`. */
  readonly kind: string;
  readonly status: RunStatus;
  /** It did what it was to: a drill passed, a move was made. */
  readonly well: boolean;
  /** It was cut off, and this run went on with it: it counts with that one. */
  readonly goneOnWith?: string;
  readonly verdict: string;
  readonly atMs: number;
  readonly rtoMs?: number;
  readonly rpoMs?: number;
  readonly lostRecords?: number;
  readonly slowest?: { readonly id: string; readonly title: string; readonly ms: number };
}

/** All runs and drills against the objectives. JSON; its keys are only ever added to. */
export interface TrendModel {
  readonly format: 'argus-trend/1';
  readonly madeAtMs: number;
  readonly version: string;
  readonly objectives: { readonly rtoMs: number; readonly rpoMs: number };
  /** Oldest first. */
  readonly runs: readonly TrendRun[];
  readonly kinds: readonly { readonly kind: string; readonly well: number; readonly not: number }[];
  /** Steps that took longest over all runs in which they acted, by their median. */
  readonly slowest: readonly {
    readonly id: string;
    readonly title: string;
    readonly medianMs: number;
    readonly mostMs: number;
    readonly runs: number;
  }[];
}

const slowestShown = 12;

/** The trend of these runs; `later`: what was counted after them, by run. Pure. */
export function trendOf(
  records: readonly RunRecord[],
  about: Pick<TrendModel, 'madeAtMs' | 'version' | 'objectives'>,
  later: ReadonlyMap<string, LaterCounts> = new Map(),
): TrendModel {
  const runs = records
    .map((record) => ({
      ...trendRun(record, about.objectives, later.get(record.run)),
      ...successorOf(record, records),
    }))
    .toSorted((a, b) => a.atMs - b.atMs);
  const kinds = [...new Set(runs.map((r) => r.kind))].sort();
  return {
    format: 'argus-trend/1',
    ...about,
    runs,
    kinds: kinds.map((kind) => {
      const own = runs.filter((r) => r.kind === kind && r.goneOnWith === undefined);
      const well = own.filter((r) => r.well).length;
      return { kind, well, not: own.length - well };
    }),
    slowest: slowestOf(records),
  };
}

/** The next run of the same move, for one whose journal has no end. */
function successorOf(record: RunRecord, records: readonly RunRecord[]): Pick<TrendRun, 'goneOnWith'> {
  if (record.status !== 'running') return {};
  const [next] = records.filter((r) => goesOnWith(r, record)).toSorted((a, b) => (a.run < b.run ? -1 : 1));
  return next === undefined ? {} : { goneOnWith: next.run };
}

function trendRun(record: RunRecord, objectives: TrendModel['objectives'], later: LaterCounts = {}): TrendRun {
  const { drill, rto, rpo, verdict } = outcomeOf(record.runbook, record.report, objectives, later);
  const [slowest] = stepsOf(record, [])
    .flatMap((s) => (s.status === 'done' && s.ms !== undefined ? [{ id: s.id, title: s.title, ms: s.ms }] : []))
    .toSorted((a, b) => b.ms - a.ms);
  const passed = fieldOf(record.report, 'outcome');
  return {
    run: record.run,
    kind: drill === undefined ? record.runbook : `${drill} drill`,
    status: record.status,
    well: record.status === 'done' && (record.runbook !== 'drill' || passed === 'passed'),
    verdict: record.status === 'running' ? 'its journal has no end' : verdict,
    atMs: record.startedAtMs,
    ...(typeof rto?.ms === 'number' ? { rtoMs: rto.ms } : {}),
    ...(typeof rpo?.ms === 'number' ? { rpoMs: rpo.ms } : {}),
    ...(typeof rpo?.records === 'number' ? { lostRecords: rpo.records } : {}),
    ...(slowest === undefined ? {} : { slowest }),
  };
}

function slowestOf(records: readonly RunRecord[]): TrendModel['slowest'] {
  const times = new Map<string, { readonly title: string; readonly all: number[] }>();
  for (const step of records.flatMap((record) => stepsOf(record, []))) {
    if (step.status !== 'done' || step.ms === undefined) continue;
    const known = times.get(step.id);
    if (known) known.all.push(step.ms);
    else times.set(step.id, { title: step.title, all: [step.ms] });
  }
  return [...times]
    .map(([id, { title, all }]) => {
      const sorted = all.toSorted((a, b) => a - b);
      return { id, title, medianMs: sorted[sorted.length >> 1] ?? 0, mostMs: sorted.at(-1) ?? 0, runs: all.length };
    })
    .toSorted((a, b) => b.medianMs - a.medianMs)
    .slice(0, slowestShown);
}
