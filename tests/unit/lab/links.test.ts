import { expect, test } from 'vitest';
import { renderLinks } from '../../../lab/lab-status.ts';
import { describeToxics, linkBetween, toxicsOf } from '../../../lab/links.ts';
import { samplePlan } from './sample-plan.ts';

test('an effect works in both directions', () => {
  expect(toxicsOf('timeout', { timeout: 0 })).toEqual([
    { name: 'timeout-upstream', type: 'timeout', stream: 'upstream', toxicity: 1, attributes: { timeout: 0 } },
    { name: 'timeout-downstream', type: 'timeout', stream: 'downstream', toxicity: 1, attributes: { timeout: 0 } },
  ]);
});

test('a link without effects is open; effects are told with their amounts', () => {
  expect(describeToxics([])).toEqual({ state: 'open', delayMs: 0, rateKBps: 0 });
  const all = [...toxicsOf('timeout', { timeout: 0 }), ...toxicsOf('latency', { latency: 60 })];
  expect(describeToxics([...all, ...toxicsOf('bandwidth', { rate: 512 })])).toEqual({
    state: 'cut',
    delayMs: 60,
    rateKBps: 512,
  });
});

test('a state is shown with what slows it', () => {
  const text = renderLinks([{ from: 'singapore', to: 'mumbai', state: 'open', delayMs: 60, rateKBps: 512 }]);
  expect(text).toContain('singapore → mumbai     open, delay 60 ms, 512 KB/s');
});

test.each([
  ['mars', 'mumbai'],
  ['mumbai', 'mumbai'],
  ['outside', 'outside'],
])('refuses a link from %s to %s as a wrong call', (from, to) => {
  expect(() => linkBetween(samplePlan(), from, to)).toThrow(
    expect.objectContaining({ code: 'NoSuchLink', exitCode: 2 }),
  );
});
