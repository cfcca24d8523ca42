import { ArgusError } from '../domain/errors.ts';
import type { BegunWith, Occasion } from '../runbooks/occasion.ts';
import type { CommandContext } from './context.ts';

const longest = 1_000;

/**
 * Why the operator acts, and from where: `--reason`, else what he answers at a terminal; an empty answer is none. With
 * `--yes`, and where nobody can be asked, nothing is asked. `made`: what the run is begun with.
 */
export async function occasionOf(
  context: Pick<CommandContext, 'env' | 'interactive' | 'ask'>,
  options: { readonly reason?: string; readonly yes?: boolean },
  made?: BegunWith,
): Promise<Occasion> {
  const asked = options.reason === undefined && context.interactive && options.yes !== true;
  const said = asked ? await context.ask('why? (kept in the journal): ') : options.reason;
  const reason = said?.trim().slice(0, longest) ?? '';
  if (options.reason !== undefined && reason === '') {
    throw new ArgusError('Usage', '--reason is empty', { exitCode: 2, hint: 'say why in a few words' });
  }
  const startedFrom = loggedInFrom(context.env);
  return {
    ...(reason === '' ? {} : { reason }),
    ...(startedFrom === undefined ? {} : { startedFrom }),
    ...(made === undefined ? {} : { begunWith: made }),
  };
}

/** The client's address of an SSH session, as sshd tells it; undefined without one. Pure. */
export function loggedInFrom(env: NodeJS.ProcessEnv): string | undefined {
  return /^([0-9A-Fa-f.:%\w]+) \d+ /.exec(env.SSH_CONNECTION ?? '')?.[1];
}
