import { ArgusError, describeError } from '../domain/errors.ts';
import type { CommandContext } from './context.ts';

/**
 * The command, with a note in the state of each attempt that is refused (exit codes 3 and 4) before its run began: who,
 * from where, what, when and why not. Later refusals stand in the run's own journal. That it can't be noted is told,
 * and changes nothing.
 */
export async function audited<O extends object>(
  what: string,
  module: Promise<{ readonly run: (context: CommandContext, options: O) => Promise<number> }>,
): Promise<{ readonly run: (context: CommandContext, options: O) => Promise<number> }> {
  const { run } = await module;
  return {
    async run(context, options) {
      try {
        return await run(context, options);
      } catch (error) {
        if (error instanceof ArgusError && error.exitCode >= 3 && !('dryRun' in options && options.dryRun)) {
          const reason = 'reason' in options && typeof options.reason === 'string' ? options.reason : undefined;
          await note(context, what, reason, error).catch((why: unknown) =>
            context.tell(`warning: that this was refused could not be noted in the state: ${describeError(why)}`),
          );
        }
        throw error;
      }
    },
  };
}

async function note(context: CommandContext, what: string, reason: string | undefined, error: ArgusError) {
  const [{ randomBytes }, { withState }, { recordAttempt }, { loggedInFrom }] = await Promise.all([
    import('node:crypto'),
    import('./session.ts'),
    import('../state/attempts.ts'),
    import('./occasion.ts'),
  ]);
  const startedFrom = loggedInFrom(context.env);
  const attempt = {
    atMs: context.clock.now(),
    what,
    by: context.who,
    ...(startedFrom === undefined ? {} : { startedFrom }),
    ...(reason === undefined ? {} : { reason }),
    code: error.code,
    message: error.message,
  };
  const signal = AbortSignal.timeout(5_000);
  await withState(context, (state) => recordAttempt(state, attempt, randomBytes(2).toString('hex'), { signal }));
}
