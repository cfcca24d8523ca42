import { expect, test } from 'vitest';
import { names } from '../../../../lab/lab-info.ts';
import { runsSince, servingRegion } from '../../../../lab/training/ask-state.ts';

const signal = new AbortController().signal;

/** Answers by the command's words; nothing for any other. */
const answering = (answers: Readonly<Record<string, Record<string, unknown>>>) => async (args: readonly string[]) =>
  answers[args.join(' ')] ?? {};

const failover = { run: 'b', runbook: 'failover', status: 'done', startedAtMs: 200 };
const failback = { run: 'c', runbook: 'failback', status: 'running', startedAtMs: 300 };

test('the region that serves is the one that the state names', async () => {
  const json = answering({ 'role show': { roles: { primary: names.standby } } });
  expect(await servingRegion(json, signal)).toBe(names.standby);
});

test('a state that does not answer is no word for the primary of the configuration', async () => {
  await expect(servingRegion(answering({}), signal, 1)).rejects.toMatchObject({ code: 'RolesUnknown' });
});

test('the moves since the page, the oldest first, with what was accepted and how long it took', async () => {
  const before = { ...failover, run: 'a', startedAtMs: 100 };
  const fence = { ...failover, run: 'd', runbook: 'fence' };
  const json = answering({
    'runs list': { runs: [failback, fence, failover, before] },
    'runs show b': { run: 'b', details: { acceptUnfenced: true }, report: { rtoMs: 30_000 } },
    'runs show c': { run: 'c', details: {} },
  });
  expect(await runsSince(json, 100)).toEqual([
    { runbook: 'failover', status: 'done', startedAtMs: 200, acceptedUnfenced: true, rtoMs: 30_000 },
    { runbook: 'failback', status: 'running', startedAtMs: 300, acceptedUnfenced: false },
  ]);
});

test('a state that was not read in time is not a trainee who did nothing', async () => {
  expect(await runsSince(answering({}), 0)).toBeUndefined();
  expect(await runsSince(answering({ 'runs list': { runs: [failover] } }), 0)).toBeUndefined();
  expect(await runsSince(answering({ 'runs list': { runs: [] } }), 0)).toEqual([]);
});
