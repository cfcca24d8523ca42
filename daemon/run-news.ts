import { occasionIn } from '../runbooks/occasion.ts';
import type { JournalEntry, Json } from '../state/journal.ts';
import { numberIn, partOf, textIn } from '../state/json-parts.ts';
import type { DaemonEvent } from './events.ts';

/** What is known of a run from its first entry. */
export interface WatchedRun {
  readonly run: string;
  readonly runbook: string;
  readonly by: string;
  readonly details: Json;
}

/** The run that a journal's first entry begins; undefined for any other entry. Pure. */
export function watchedRun({ run, fact }: JournalEntry): WatchedRun | undefined {
  if (fact.kind !== 'run-started') return undefined;
  return { run, runbook: fact.runbook, by: fact.by, details: fact.details };
}

/** What an entry of a run's journal is to those who listen; undefined: nothing that is told. Pure. */
export function runNews({ run, runbook, by, details }: WatchedRun, entry: JournalEntry): DaemonEvent | undefined {
  const { fact, atMs } = entry;
  switch (fact.kind) {
    case 'run-started': {
      const { reason } = occasionIn(details);
      const [from, to] = [textIn(details, 'from'), textIn(details, 'to')];
      return {
        kind: 'run-started',
        run,
        runbook,
        by,
        ...(reason === undefined ? {} : { reason }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        atMs,
      };
    }
    case 'step-finished':
    case 'step-failed':
      return {
        kind: 'step-ended',
        run,
        step: fact.step,
        title: titleOf(details, fact.step),
        status: fact.status,
        ms: fact.ms,
        atMs,
      };
    case 'step-compensated':
      return {
        kind: 'step-ended',
        run,
        step: fact.step,
        title: titleOf(details, fact.step),
        status: fact.error === undefined ? 'compensated' : 'failed',
        ms: fact.ms,
        atMs,
      };
    case 'run-finished': {
      const rtoMs = numberIn(fact.report, 'rtoMs');
      return {
        kind: 'run-ended',
        run,
        runbook,
        outcome: fact.outcome,
        ...(rtoMs === undefined ? {} : { rtoMs }),
        ...(fact.report === undefined ? {} : { report: fact.report }),
        atMs,
      };
    }
    case 'step-started':
    case 'step-compensating':
    case 'run-interrupted':
      return undefined;
    default:
      return fact satisfies never;
  }
}

/** What a run lost, as its report tells. */
export interface ReportedLoss {
  /** In all topics together. Undefined: nobody knows. */
  readonly records?: number;
  /** Age of the oldest lost record. */
  readonly ms?: number;
  readonly estimated: boolean;
  /** Nothing was lost, and that was shown. */
  readonly proven: boolean;
}

/** What a report says of the loss; undefined where it says nothing. Pure. */
export function reportedLoss(report: Json | undefined): ReportedLoss | undefined {
  const rpo = partOf(report, 'rpo');
  if (rpo === undefined) return undefined;
  if (partOf(rpo, 'provenZero') === true) return { records: 0, ms: 0, estimated: false, proven: true };
  const topics = partOf(rpo, 'topics');
  const losses = topics !== null && typeof topics === 'object' ? Object.values(topics) : [];
  if (losses.length === 0) return undefined;
  const records = losses.map((l) => numberIn(l, 'estimatedRecords'));
  const ms = losses.map((l) => numberIn(l, 'ms'));
  const known = (values: readonly (number | undefined)[]) => values.filter((v) => v !== undefined);
  return {
    ...(known(records).length < losses.length ? {} : { records: known(records).reduce((a, b) => a + b, 0) }),
    ...(known(ms).length < losses.length ? {} : { ms: Math.max(...known(ms)) }),
    estimated: losses.some((l) => partOf(l, 'estimated') === true),
    proven: losses.every((l) => partOf(l, 'proven') === true),
  };
}

function titleOf(details: Json, step: string): string {
  const steps = partOf(details, 'steps');
  const named = Array.isArray(steps) ? steps.find((s) => textIn(s, 'id') === step) : undefined;
  return textIn(named, 'title') ?? step;
}
