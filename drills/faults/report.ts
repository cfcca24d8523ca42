import type { RunResult } from '../../runbooks/engine/run-result.ts';
import type { DrillReport, DrillTrigger } from '../drill-report.ts';
import type { Fault } from './catalogue.ts';
import type { Breach } from './judge.ts';
import type { FaultRecord } from './steps.ts';

/** What a fault drill was begun with, as its report says it. */
export interface FaultDrillAbout {
  readonly trigger: DrillTrigger;
  readonly by: string;
  readonly reason?: string;
  readonly from: string;
  readonly to: string;
}

/** What a fault drill came to. Pure. */
export function faultReport(
  fault: Fault,
  record: FaultRecord,
  result: Pick<RunResult<object>, 'run' | 'startedAtMs' | 'outcome' | 'error'>,
  about: FaultDrillAbout,
  nowMs: number,
): DrillReport {
  const { during, after, compared } = record;
  const healed = record.injected === undefined || record.healedAtMs !== undefined;
  const met = [...(during?.outcome ?? []), ...(after?.outcome ?? [])];
  const breaches = uniqueBreaches([...(during?.phase.breaches ?? []), ...(after?.phase.breaches ?? [])]);
  const difference = compared?.kind === 'compared' ? compared.difference : undefined;
  const unmet = met.filter((m) => m.afterMs === undefined || m.afterMs > m.expectation.withinMs);
  const causes = [
    ...(healed ? [] : [{ code: 'NotHealed', message: `${fault.name} is not known to be healed` }]),
    ...breaches.map(({ code, sentence }) => ({ code, message: sentence })),
    ...(difference === undefined ? [] : [{ code: 'MirrorDiffers', message: difference }]),
    ...unmet.map(({ expectation, seen, afterMs }) => ({
      code: 'NotAsExpected',
      message: `${expectation.says}: ${afterMs === undefined ? 'not' : `only after ${secondsOf(afterMs)}`} within ${secondsOf(expectation.withinMs)} (${seen})`,
    })),
    ...(result.error ? [result.error] : []),
  ];
  const whole = result.outcome === 'done' && during !== undefined && after !== undefined && compared !== undefined;
  const outcome = result.outcome === 'interrupted' ? 'stopped' : whole && causes.length === 0 ? 'passed' : 'failed';
  return {
    run: result.run,
    kind: 'fault',
    outcome,
    verdict: verdictOf(fault, outcome, causes[0]?.message, healed),
    causes,
    ...about,
    startedAtMs: result.startedAtMs ?? nowMs,
    endedAtMs: nowMs,
    points: [],
    rejected: [],
    comparisons: [],
    faults: [
      ...met.map((m) => ({
        fault: fault.name,
        expected: `${m.expectation.says}, within ${secondsOf(m.expectation.withinMs)}`,
        seen: m.afterMs === undefined ? m.seen : `${m.seen}, after ${secondsOf(m.afterMs)}`,
        met: !unmet.includes(m),
        healed,
      })),
      ...(during ? [{ fault: fault.name, ...neverEntry(fault, breaches), healed }] : []),
      ...(compared ? [{ fault: fault.name, ...comparedEntry(compared), healed }] : []),
    ],
  };
}

function verdictOf({ name }: Fault, outcome: DrillReport['outcome'], why: string | undefined, healed: boolean): string {
  const end = healed ? 'healed' : 'NOT known to be healed';
  if (outcome === 'passed') return `${name}: all came as expected, and it is ${end}`;
  return `${name}: ${why ?? (outcome === 'stopped' ? 'it was stopped' : 'it did not get to its end')}; it is ${end}`;
}

function neverEntry({ looksDead }: Fault, breaches: readonly Breach[]) {
  const expected = looksDead ? 'nothing is promoted' : 'no failover is begun, and no verdict allows one';
  return { expected, seen: breaches.map((b) => b.sentence).join('; ') || 'neither', met: breaches.length === 0 };
}

function comparedEntry(compared: NonNullable<FaultRecord['compared']>) {
  const expected = 'both sides hold the same records';
  if (compared.kind === 'skipped') return { expected, seen: `not compared: ${compared.why}`, met: true };
  const { difference, records } = compared;
  return { expected, seen: difference ?? `${records} records, 0 differences`, met: difference === undefined };
}

const uniqueBreaches = (all: readonly Breach[]): readonly Breach[] =>
  all.filter((b, i) => all.findIndex((other) => other.code === b.code) === i);

const secondsOf = (ms: number) => `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
