import { type ArgusError, describeError } from '../../domain/errors.ts';
import type { Step, StepIo } from '../../runbooks/engine/step.ts';
import type { Failure, Json } from '../../state/journal.ts';

/** Something that a check found. `blocker`: a failover would be refused, or stop there, or nobody can tell. */
export type TabletopFinding = Failure & { readonly severity: 'blocker' | 'warning'; readonly job?: string };

/** One thing that is looked at: it changes nothing. */
export interface TabletopCheck {
  readonly id: string;
  /** An imperative. */
  readonly title: string;
  /** What a person would type to see the same. */
  readonly manual: readonly string[];
  look(io: Pick<StepIo, 'signal' | 'progress'>): Promise<{
    readonly findings: readonly TabletopFinding[];
    readonly evidence: Json;
  }>;
}

/** What the steps find, in their order. */
export interface TabletopContext {
  readonly findings: TabletopFinding[];
}

type TabletopStep = Step<TabletopContext, object>;

/** Of one check: a drill takes seconds, and a region that hangs must not keep it. */
const checkMs = 30_000;

/** A step for each check, and one that fails where any of them found a blocker, which it names. */
export function tabletopSteps(checks: readonly TabletopCheck[]): readonly TabletopStep[] {
  return [...checks.map(checkStep), judgeStep];
}

/** What can't be looked at is unknown, and so a blocker; the other checks are made all the same. */
function checkStep({ id, title, manual, look }: TabletopCheck): TabletopStep {
  return {
    id,
    title,
    manual,
    timeoutMs: checkMs,
    onFailure: { kind: 'continue', hint: 'see what it names; the other checks are made all the same' },
    observe: async () => ({ kind: 'todo' }),
    act: async () => undefined,
    async verify({ findings }, _, io) {
      try {
        const seen = await Promise.race([look(io), endOf(io.signal)]);
        findings.push(...seen.findings);
        const told = seen.findings.map(({ severity, code, message, job }) => {
          return { severity, code, message, ...(job === undefined ? {} : { job }) };
        });
        return { kind: 'done', evidence: { seen: seen.evidence, findings: told } };
      } catch (error) {
        const cause: unknown = io.signal.aborted ? io.signal.reason : error;
        const { code = 'NotLooked', hint } = cause as Partial<ArgusError>;
        const why = { code, message: describeError(cause), ...(hint === undefined ? {} : { hint }) };
        // That somebody stops the drill is no finding; that the check had its time is one.
        if (!io.signal.aborted || code === 'StepTimedOut')
          findings.push({ ...why, message: `could not ${lowered(title)}: ${why.message}`, severity: 'blocker' });
        io.signal.throwIfAborted();
        return { kind: 'failed', error: why };
      }
    },
  };
}

/** Rejects when the signal is aborted, for what doesn't listen to it. */
const endOf = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

const lowered = (title: string) => `${title.charAt(0).toLowerCase()}${title.slice(1)}`;

const judgeStep: TabletopStep = {
  id: 'judge',
  title: 'Say whether a failover would work now',
  manual: ['argus failover --dry-run'],
  timeoutMs: 5_000,
  onFailure: { kind: 'stop', hint: 'mend what is named, then run `argus drill run --plan-only` again' },
  observe: async () => ({ kind: 'todo' }),
  act: async () => undefined,
  async verify({ findings }) {
    const blockers = blockersIn(findings);
    const warnings = findings.length - blockers.length;
    const [first] = blockers;
    if (first === undefined) return { kind: 'done', evidence: { blockers: 0, warnings } };
    const more = blockers.length === 1 ? '' : `, and ${blockers.length - 1} more`;
    const { code, message, hint } = first;
    return {
      kind: 'failed',
      error: { code, message: `${message}${more}`, ...(hint === undefined ? {} : { hint }) },
    };
  },
};

/** What a failover would be refused by; what several checks found counts once. Pure. */
export function blockersIn(findings: readonly TabletopFinding[]): readonly TabletopFinding[] {
  const seen = new Set<string>();
  return findings.filter(({ severity, code, message, job = '' }) => {
    const key = `${code} ${job} ${message}`;
    if (severity !== 'blocker' || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
