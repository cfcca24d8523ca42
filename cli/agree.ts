import { ArgusError } from '../domain/errors.ts';
import type { CommandContext } from './context.ts';

/**
 * Lets a person confirm by typing the standby's name, or another thing's: `what` it is. Nobody to ask is exit code 4;
 * another answer, or none, 3: either way nothing was changed. `consequences`: what is agreed to, told right before.
 */
export async function agree(
  context: Pick<CommandContext, 'interactive' | 'ask'>,
  standby: string,
  what = "the standby's name",
  consequences: readonly string[] = [],
): Promise<void> {
  if (!context.interactive) {
    throw new ArgusError('NotConfirmed', 'nobody can be asked: this is no terminal; nothing was changed', {
      exitCode: 4,
      hint: 'look at the plan, then give --yes',
    });
  }
  const told = consequences.map((sentence) => `  • ${sentence}\n`).join('');
  const about = told === '' ? '' : `what you agree to:\n${told}`;
  const answer = await context.ask(`${about}type ${what} to go on (${standby}): `);
  if (answer?.trim() === standby) return;
  throw new ArgusError('NotConfirmed', 'not confirmed; nothing was changed', { exitCode: 3 });
}
