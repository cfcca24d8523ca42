import { ArgusError, describeError } from '../../domain/errors.ts';
import type { Roles } from '../../domain/roles.ts';
import type { Failure } from '../../state/journal.ts';

/** That a step had its time; `said` is what it waited for last. */
export const late = (step: { readonly title: string; readonly timeoutMs: number }, said: string) =>
  new ArgusError(
    'StepTimedOut',
    `not done within ${step.timeoutMs / 1000} s: ${step.title}${said === '' ? '' : ` (last: ${said})`}`,
  );

/** Whether asking again may help. */
export const isRetryable = (error: unknown) => error instanceof ArgusError && error.retryable;

/** Anything thrown, as it is journalled. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof ArgusError)) return { code: 'Unexpected', message: describeError(error) };
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return { code: error.code, message: describeError(error), ...hint };
}

/** A safety check's no, as an error: exit code 3. */
export const refusal = ({ code, message, hint }: Failure): ArgusError =>
  new ArgusError(code, message, { exitCode: 3, ...(hint === undefined ? {} : { hint }) });

/** Throws the first of the plan's blockers, if there is one: exit code 3. */
export function refuseBlocked(plan: { readonly blockers: readonly Failure[] }): void {
  const [blocker] = plan.blockers;
  if (blocker !== undefined) throw refusal(blocker);
}

/** Why nothing is done that was planned under other roles than those in force. */
export const rolesChanged = (inForce: Roles | undefined): Failure => ({
  code: 'RolesChanged',
  message: `the roles changed meanwhile: epoch ${inForce?.epoch ?? 'none'}, primary ${inForce?.primary ?? 'none'}`,
  hint: 'see `argus status` and `argus runs list` for who did what; then run the command again: it looks anew',
});

/** The failure with this hint, unless it has its own. */
export const withHint = (failure: Failure, hint: string): Failure =>
  failure.hint === undefined ? { ...failure, hint } : failure;

const fatal: ReadonlySet<string> = new Set(['LeaseLost', 'JournalConflict', 'JournalImpossible']);

/** After these nothing may be written, since another run may be acting. */
export const isFatal = (error: unknown) => error instanceof ArgusError && fatal.has(error.code);
