import { ArgusError } from '../../domain/errors.ts';
import type { Json } from '../../state/journal.ts';
import type { Step } from '../engine/step.ts';
import type { FailoverContext, FailoverFacts } from './context.ts';

export type FailoverStep = Step<FailoverContext, FailoverFacts>;

/** Steps by id, in their order. */
export const failoverStepIds = [
  'stop-primary-jobs',
  'fence-primary',
  'freeze-mirror',
  'seal-mirror',
  'sync-groups',
  'choose-recovery-point',
  'prepare-restore',
  'release-acls',
  'end-drill',
  'start-jobs',
  'end-transactions',
  'promote',
  'flip-names',
  'await-checkpoint',
  'verify-names',
  'confirm-jobs',
] as const;

export type FailoverStepId = (typeof failoverStepIds)[number];

/** What a step is told by the plan: its words, not its behaviour. */
export interface StepWords {
  readonly title: string;
  readonly manual: readonly string[];
}

/** Evidence as JSON: offsets become decimal strings, what is undefined is left out. */
export function evidence(value: unknown): Json {
  return JSON.parse(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? v.toString() : v))) as Json;
}

/** So many jobs, groups or names a step is busy with at once. */
export const atOnce = 32;

/** A signal that ends earlier, and says so: for questions to a region that may be dead. */
export function within(signal: AbortSignal, ms: number): AbortSignal {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new ArgusError('NoAnswer', `no answer within ${ms / 1_000} s`)), ms);
  // A question that was answered must not keep the process.
  timer.unref();
  return AbortSignal.any([signal, late.signal]);
}
