import { describe, expect, test } from 'vitest';
import { agreeToLoss } from '../../../cli/agree-to-loss.ts';
import type { BudgetVerdict } from '../../../runbooks/failover/budget.ts';

const exceeded = (needs: number | 'unknown'): BudgetVerdict => ({
  kind: 'exceeded',
  needs,
  error: { code: 'LossAboveBudget', message: 'about 9 records would be lost', hint: 'add --accept-data-loss 91s' },
});
const answering = (answer: string | undefined) => ({ interactive: true, ask: async () => answer });
const nobody = { interactive: false, ask: () => Promise.reject(new Error('asked')) };

describe('a loss above the objective', () => {
  test.each([
    ['91s', 91_000],
    ['5m', 300_000],
    ['unknown', 'unknown'],
  ])('is accepted by %s', async (answer, accepted) => {
    expect(await agreeToLoss(answering(answer), exceeded(91_000), {})).toBe(accepted);
  });

  test.each(['90s', '', 'yes', '91', undefined])('is not accepted by %s', async (answer) => {
    const agreed = agreeToLoss(answering(answer), exceeded(91_000), {});
    await expect(agreed).rejects.toMatchObject({ code: 'LossAboveBudget', exitCode: 3 });
  });

  test('that nobody can tell is accepted by no time', async () => {
    await expect(agreeToLoss(answering('5m'), exceeded('unknown'), {})).rejects.toMatchObject({ exitCode: 3 });
  });

  test('needs a person where nobody can be asked', async () => {
    for (const [who, options] of [
      [nobody, {}],
      [answering('91s'), { yes: true }],
    ] as const)
      await expect(agreeToLoss(who, exceeded(91_000), options)).rejects.toMatchObject({
        exitCode: 4,
        message: expect.stringContaining('nothing was changed'),
      });
  });

  test('is refused when it is above the limit that was given', async () => {
    const agreed = agreeToLoss(nobody, exceeded(91_000), { acceptDataLoss: 80_000 });
    await expect(agreed).rejects.toMatchObject({ exitCode: 3 });
  });

  test('is not asked about when it is within', async () => {
    expect(await agreeToLoss(nobody, { kind: 'within' }, {})).toBeUndefined();
    expect(await agreeToLoss(nobody, { kind: 'within' }, { acceptDataLoss: 1 })).toBe(1);
  });
});
