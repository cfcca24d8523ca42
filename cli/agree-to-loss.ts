import { ArgusError } from '../domain/errors.ts';
import { type BudgetVerdict, formatBudget, type LossBudget } from '../runbooks/failover/budget.ts';
import type { CommandContext } from './context.ts';
import { lossBudget } from './option-values.ts';

/**
 * Lets a person accept a loss above the objective; gives what was accepted. Nobody to ask is exit code 4. A limit that
 * was given and isn't enough, and another answer or none, are 3: either way nothing was changed.
 */
export async function agreeToLoss(
  context: Pick<CommandContext, 'interactive' | 'ask'>,
  verdict: BudgetVerdict,
  options: { readonly acceptDataLoss?: LossBudget; readonly yes?: boolean },
): Promise<LossBudget | undefined> {
  const { acceptDataLoss, yes } = options;
  if (verdict.kind === 'within') return acceptDataLoss;
  const { code, message, hint } = verdict.error;
  const refused = (exitCode: 3 | 4) =>
    new ArgusError(code, `${message}; nothing was changed`, { exitCode, ...(hint === undefined ? {} : { hint }) });
  if (acceptDataLoss !== undefined) throw refused(3);
  if (!context.interactive || yes) throw refused(4);
  const needed = formatBudget(verdict.needs);
  const answer = await context.ask(`${message}\ntype the loss that you accept to go on (${needed}): `);
  const accepted = parsed(answer?.trim() ?? '');
  if (accepted === 'unknown' || (accepted !== undefined && verdict.needs !== 'unknown' && accepted >= verdict.needs))
    return accepted;
  throw refused(3);
}

function parsed(answer: string): LossBudget | undefined {
  try {
    return lossBudget(answer);
  } catch {
    // No loss was named: that accepts none.
    return undefined;
  }
}
