import { describe, expect, test } from 'vitest';
import { hooksSection } from '../../../../domain/hooks-config.ts';
import { prepareFailover, runFailover } from '../../../../runbooks/failover/run-failover.ts';
import { type Hook, type HookCall, withHooks } from '../../../../runbooks/hooks/hook-steps.ts';
import { hooksOf } from '../../../../runbooks/hooks/hooks-of.ts';
import { confirming, started } from '../failover/fail-over.ts';

function hook(over: Partial<Hook> = {}, calls: HookCall[] = []): Hook {
  return {
    name: 'tell',
    step: 'freeze-mirror',
    when: 'before',
    required: false,
    timeoutMs: 1_000,
    manual: 'tell',
    call: async (about) => {
      calls.push(about);
      return { ok: true, result: 'exit code 0', output: 'told' };
    },
    ...over,
  };
}
const failing = async () => ({ ok: false, result: 'exit code 1', output: 'no' });

/** A failover with hooks. */
async function failOverWith(hooks: readonly Hook[]) {
  const world = await started();
  const context = confirming(world);
  const outage = { atMs: world.clock.now(), source: 'run-start' as const };
  const plan = await prepareFailover(context, outage);
  return { world, report: await runFailover({ context, outage, plan, hooks, holder: 'me' }) };
}

describe('hooks of a run', () => {
  test('are called where they stand, told of the run, and reported like steps', async () => {
    const calls: HookCall[] = [];
    const { report } = await failOverWith([
      hook({}, calls),
      hook({ name: 'cheer', step: 'verify-names', when: 'after' }, calls),
    ]);
    expect(report.outcome).toBe('done');
    const ids = report.steps.map((s) => s.id);
    expect(ids[ids.indexOf('freeze-mirror') - 1]).toBe('hook-tell');
    expect(ids.at(-1)).toBe('hook-cheer');
    expect(calls).toEqual([
      {
        hook: 'tell',
        run: report.run,
        runbook: 'failover',
        step: 'freeze-mirror',
        when: 'before',
        epoch: 1,
        from: 'mumbai',
        to: 'singapore',
      },
      expect.objectContaining({ hook: 'cheer', step: 'verify-names', when: 'after' }),
    ]);
  });

  test('that fail are reported, and the run goes on', async () => {
    const { report } = await failOverWith([hook({ call: failing })]);
    expect(report.outcome).toBe('done');
    expect(report.steps.find((s) => s.id === 'hook-tell')).toMatchObject({
      status: 'failed',
      error: { code: 'HookFailed', message: 'tell ended with exit code 1: no' },
    });
  });

  test('that are required stop the run before the point of no return, and all is taken back', async () => {
    const { report, world } = await failOverWith([hook({ required: true, step: 'start-jobs', call: failing })]);
    expect(report).toMatchObject({ outcome: 'failed', pastReturn: false, error: { code: 'HookFailed' } });
    expect(report.compensated).toContain('freeze-mirror');
    expect(world.effects.some((e) => e.startsWith('start'))).toBe(false);
  });

  test('that are required stop nothing behind it', async () => {
    const { report } = await failOverWith([hook({ required: true, step: 'start-jobs', when: 'after', call: failing })]);
    expect(report.outcome).toBe('done');
    expect(report.steps.find((s) => s.id === 'hook-tell')?.status).toBe('failed');
  });

  test('stand before and behind their steps, several in their order', () => {
    const step = (id: string) => ({ id }) as never;
    const steps = withHooks(
      [step('a'), step('b')],
      [hook({ name: 'x', step: 'b' }), hook({ name: 'y', step: 'b' }), hook({ name: 'z', step: 'a', when: 'after' })],
      { run: 'r', runbook: 'failover', epoch: 1, from: 'm', to: 's' },
    );
    expect(steps.map((s) => s.id)).toEqual(['a', 'hook-z', 'hook-x', 'hook-y', 'b']);
  });
});

describe('the hooks of a configuration', () => {
  const steps = { failover: ['promote', 'flip-names'], switchover: ['promote', 'deny-jobs'], failback: ['rescue'] };
  const named = (step: string, runbook?: 'failover' | 'switchover') => ({
    name: 'n',
    step,
    ...(runbook ? { runbook } : {}),
  });

  test.each([
    [named('promote'), 'failover', true],
    [named('promote'), 'switchover', true],
    [named('promote', 'switchover'), 'failover', false],
    [named('deny-jobs'), 'failover', false],
    [named('rescue'), 'failover', false],
  ] as const)('%j is called in a %s: %s', (given, runbook, called) => {
    expect(hooksOf([given], runbook, steps)).toEqual(called ? [given] : []);
  });

  test.each([named('nothing'), named('flip-names', 'switchover')])('%j would never be called: exit code 2', (given) => {
    let caught: unknown;
    try {
      hooksOf([named('promote'), given], 'failover', steps);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({
      code: 'HookStepUnknown',
      exitCode: 2,
      message: expect.stringContaining('hooks[1].step'),
    });
  });

  test.each([
    [[{ name: 'a', step: 's', when: 'before', run: ['x'] }], true],
    [[{ name: 'a', step: 's', when: 'before', http: { url: 'https://chat.example/hook' } }], true],
    [
      [
        {
          name: 'a',
          step: 's',
          when: 'before',
          http: { url: 'env:CHAT_URL', secretHeaders: { Authorization: 'file:/t' } },
        },
      ],
      true,
    ],
    [[{ name: 'a', step: 's', when: 'before' }], false],
    [[{ name: 'a', step: 's', when: 'before', run: ['x'], http: { url: 'https://chat.example' } }], false],
    [[{ name: 'a', step: 's', when: 'before', run: [] }], false],
    [[{ name: 'a', step: 's', when: 'during', run: ['x'] }], false],
    [[{ name: 'a', step: 's', when: 'before', run: ['x'], env: { TOKEN: 'plain' } }], false],
    [
      [
        { name: 'a', step: 's', when: 'before', run: ['x'] },
        { name: 'a', step: 't', when: 'after', run: ['y'] },
      ],
      false,
    ],
  ])('%j is right: %s', (given, right) => {
    expect(hooksSection.safeParse(given).success).toBe(right);
  });
});
