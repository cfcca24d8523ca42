import type { Config } from '../../domain/config.ts';
import type { Failure } from '../../state/journal.ts';
import type { Step } from '../engine/step.ts';
import type { Hook } from '../hooks/hook-steps.ts';
import type { UsualTime } from '../plan/durations.ts';
import { type Decision, type Refusal, runbookWords } from './words.ts';

export type RunbookName = 'failover' | 'switchover' | 'failback';

/** A step as a person reads it. */
export interface DocumentStep {
  readonly id: string;
  readonly title: string;
  /** What is looked at to call it done. */
  readonly observes: string;
  readonly manual: readonly string[];
  readonly state: 'todo' | 'done';
  readonly timeoutMs: number;
  readonly usual: UsualTime | null;
  /** What becomes of the run when it fails, and what to do then. */
  readonly onFailure: { readonly kind: 'stop' | 'continue'; readonly hint: string };
  readonly calls: readonly { readonly name: string; readonly when: 'before' | 'after'; readonly manual: string }[];
}

/** A runbook for people, with the values of this moment. */
export interface RunbookDocument {
  readonly runbook: RunbookName;
  readonly madeAtMs: number;
  readonly purpose: string;
  readonly use: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly contacts: Config['contacts'];
  readonly objectives: { readonly rtoMs: number; readonly rpoMs: number };
  /** How it stands now, a line each. */
  readonly now: readonly string[];
  /** What could not be asked: its values are missing below. */
  readonly unknown: readonly string[];
  readonly steps: readonly DocumentStep[];
  readonly pointOfNoReturn: string;
  readonly decisions: readonly Decision[];
  /** With `now`: it would be refused at this moment, for that reason. */
  readonly refusals: readonly (Refusal & { readonly now?: string })[];
  readonly afterwards: readonly string[];
  readonly commands: readonly string[];
}

/** The part of any runbook's plan that its document is made from. */
export interface DocumentPlan {
  readonly steps: readonly {
    readonly id: string;
    readonly state?: 'todo' | 'done';
    readonly usual?: UsualTime | null;
  }[];
  readonly pointOfNoReturn: string;
  readonly blockers: readonly Failure[];
  readonly warnings?: readonly string[];
}

export interface DocumentView {
  readonly runbook: RunbookName;
  readonly config: Pick<Config, 'contacts' | 'objectives'>;
  readonly madeAtMs: number;
  readonly from: string;
  readonly to: string;
  readonly plan: DocumentPlan;
  /** The steps that would run. */
  readonly steps: readonly Pick<Step<never, never>, 'id' | 'title' | 'manual' | 'timeoutMs' | 'onFailure'>[];
  readonly hooks: readonly Hook[];
  readonly usualTimes: ReadonlyMap<string, UsualTime>;
  readonly now: readonly string[];
  readonly unknown: readonly string[];
}

/** The document of a runbook, from the same plan and steps as the command's. Pure. */
export function runbookDocument(view: DocumentView): RunbookDocument {
  const { runbook, config, plan, hooks } = view;
  const words = runbookWords[runbook];
  const known = new Set(words.refusals.map((r) => r.code));
  const other = plan.blockers.filter((b) => !known.has(b.code));
  return {
    runbook,
    madeAtMs: view.madeAtMs,
    purpose: words.purpose,
    use: words.use,
    from: view.from,
    to: view.to,
    contacts: config.contacts,
    objectives: { rtoMs: config.objectives.rto, rpoMs: config.objectives.rpo },
    now: [...view.now, ...(plan.warnings ?? [])],
    unknown: view.unknown,
    steps: view.steps.map(({ id, title, manual, timeoutMs, onFailure }) => {
      const planned = plan.steps.find((s) => s.id === id);
      return {
        id,
        title,
        observes: words.observes[id] ?? '',
        manual,
        state: planned?.state ?? 'todo',
        timeoutMs,
        usual: planned?.usual ?? view.usualTimes.get(id) ?? null,
        onFailure,
        calls: hooks.filter((h) => h.step === id).map(({ name, when, manual: how }) => ({ name, when, manual: how })),
      };
    }),
    pointOfNoReturn: plan.pointOfNoReturn,
    decisions: words.decisions,
    refusals: [
      ...words.refusals.map((refusal) => {
        const blocker = plan.blockers.find((b) => b.code === refusal.code);
        return blocker === undefined ? refusal : { ...refusal, now: blocker.message };
      }),
      ...other.map(({ code, message, hint }) => ({
        code,
        when: 'now',
        next: hint ?? 'see `argus status`',
        now: message,
      })),
    ],
    afterwards: words.afterwards,
    commands: [
      `argus ${runbook} --dry-run`,
      ...(runbook === 'failback' ? [] : [`argus ${runbook} --plan-out FILE`, `argus ${runbook} --plan FILE`]),
      `argus ${runbook} --reason "…"`,
      'argus runs list',
      'argus runs show <id>',
      'argus runs abort <id>',
    ],
  };
}
