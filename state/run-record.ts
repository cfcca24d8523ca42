import type { Failure, JournalEntry, Json } from './journal.ts';

/** `running`: the journal has no end; whether a process is still at it, the lease tells. */
export type RunStatus = 'running' | 'done' | 'failed' | 'refused' | 'interrupted';

export type StepRecord = {
  readonly id: string;
  readonly startedAtMs: number;
} & (
  | { readonly status: 'started' }
  | { readonly status: 'done' | 'already'; readonly ms: number; readonly evidence: Json }
  | { readonly status: 'failed' | 'refused'; readonly ms: number; readonly error: Failure }
  | { readonly status: 'compensated'; readonly ms: number; readonly evidence: Json }
);

/** What a run's journal amounts to. */
export interface RunRecord {
  readonly run: string;
  readonly runbook: string;
  readonly by: string;
  readonly epoch: number;
  readonly status: RunStatus;
  readonly startedAtMs: number;
  /** Of the newest entry. */
  readonly lastAtMs: number;
  readonly details: Json;
  /** In the order in which they began. */
  readonly steps: readonly StepRecord[];
  /** How to go on after an interruption, as the run said. */
  readonly hint?: string;
  readonly report?: Json;
  /** Steps whose effect was to be taken back and could not be. */
  readonly notTakenBack?: readonly string[];
  /** It passed the point from which on nothing is taken back. */
  readonly pastReturn?: true;
  /** It takes back what it did, or was begun to take back what dead runs did. */
  readonly takingBack?: true;
  /** Who asked from elsewhere that it stops. */
  readonly stoppedBy?: string;
}

/** Folds a run's entries, in order, to its record; undefined for a journal that doesn't begin with `run-started`. Pure. */
export function foldRun(entries: readonly JournalEntry[]): RunRecord | undefined {
  const first = entries[0];
  if (first?.fact.kind !== 'run-started') return undefined;
  const steps = new Map<string, StepRecord>();
  let status: RunStatus = 'running';
  let hint: string | undefined;
  let report: Json | undefined;
  let stoppedBy: string | undefined;
  const notTakenBack: string[] = [];
  for (const { fact, atMs } of entries) {
    switch (fact.kind) {
      case 'run-started':
        break;
      case 'step-started':
        steps.set(fact.step, { id: fact.step, startedAtMs: atMs, status: 'started' });
        break;
      case 'step-compensating':
        // It stays what it was until its effect is gone.
        break;
      case 'step-finished':
      case 'step-failed':
      case 'step-compensated': {
        const startedAtMs = steps.get(fact.step)?.startedAtMs ?? atMs - fact.ms;
        const common = { id: fact.step, startedAtMs, ms: fact.ms };
        if (fact.kind === 'step-failed') {
          steps.set(fact.step, { ...common, status: fact.status, error: fact.error });
        } else if (fact.kind === 'step-compensated' && fact.error !== undefined) {
          notTakenBack.push(fact.step);
        } else if (fact.kind === 'step-compensated') {
          steps.set(fact.step, { ...common, status: 'compensated', evidence: fact.evidence });
        } else steps.set(fact.step, { ...common, status: fact.status, evidence: fact.evidence });
        break;
      }
      case 'run-interrupted':
        hint = fact.hint;
        stoppedBy = fact.by;
        break;
      case 'run-finished':
        status = fact.outcome;
        report = fact.report;
        break;
      default:
        fact satisfies never;
    }
  }
  return {
    run: first.run,
    runbook: first.fact.runbook,
    by: first.fact.by,
    epoch: first.epoch,
    status,
    startedAtMs: first.atMs,
    lastAtMs: entries.at(-1)?.atMs ?? first.atMs,
    details: first.fact.details,
    steps: [...steps.values()],
    ...(hint === undefined ? {} : { hint }),
    ...(report === undefined ? {} : { report }),
    ...(entries.some(({ fact }) => 'pastReturn' in fact) ? { pastReturn: true } : {}),
    ...(entries.some(({ fact }) => takesBack(fact)) ? { takingBack: true } : {}),
    ...(notTakenBack.length === 0 ? {} : { notTakenBack }),
    ...(stoppedBy === undefined ? {} : { stoppedBy }),
  };
}

const takesBack = (fact: JournalEntry['fact']) =>
  fact.kind === 'step-compensating' ||
  (fact.kind === 'run-started' &&
    fact.details !== null &&
    typeof fact.details === 'object' &&
    'takesBack' in fact.details);
