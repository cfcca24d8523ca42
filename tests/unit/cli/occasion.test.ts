import { expect, test } from 'vitest';
import { begunWith } from '../../../cli/begun-with.ts';
import { loggedInFrom, occasionOf } from '../../../cli/occasion.ts';
import { occasionIn } from '../../../runbooks/occasion.ts';

const env = { SSH_CONNECTION: '203.0.113.7 50122 10.0.0.2 22' };
const never = () => Promise.reject(new Error('asked'));

test.each([
  [{}, undefined],
  [env, '203.0.113.7'],
  [{ SSH_CONNECTION: 'fe80::1%eth0 50122 fe80::2 22' }, 'fe80::1%eth0'],
  [{ SSH_CONNECTION: 'nonsense' }, undefined],
])('the client of an SSH session: %j', (given, wanted) => {
  expect(loggedInFrom(given)).toBe(wanted);
});

test('a reason is what was given, else what is answered', async () => {
  expect(await occasionOf({ env, interactive: true, ask: never }, { reason: ' the region is dark ' })).toEqual({
    reason: 'the region is dark',
    startedFrom: '203.0.113.7',
  });
  expect(await occasionOf({ env: {}, interactive: true, ask: async () => 'a test' }, {})).toEqual({ reason: 'a test' });
  expect(await occasionOf({ env: {}, interactive: true, ask: async () => undefined }, {})).toEqual({});
});

test('nobody is asked with --yes or without a terminal, and an empty --reason is wrong usage', async () => {
  expect(await occasionOf({ env: {}, interactive: true, ask: never }, { yes: true })).toEqual({});
  expect(await occasionOf({ env: {}, interactive: false, ask: never }, {})).toEqual({});
  await expect(occasionOf({ env: {}, interactive: false, ask: never }, { reason: ' ' })).rejects.toMatchObject({
    exitCode: 2,
  });
});

test.each([
  [
    { reason: 'a', startedFrom: 'b', from: 'mumbai' },
    { reason: 'a', startedFrom: 'b' },
  ],
  [{ reason: 7 }, {}],
  [null, {}],
  [['reason'], {}],
])('is read back from the details of a run: %j', (details, wanted) => {
  expect(occasionIn(details)).toEqual(wanted);
});

test('what a run is begun with stands beside the reason', async () => {
  const platform = [{ region: 'mumbai', kafka: null, flink: [{ version: '2.2.1' }] }];
  const made = begunWith({ config: { objectives: { rto: 900_000, rpo: 60_000 } }, configSha256: 'ab' }, platform);
  expect(made).toMatchObject({ configSha256: 'ab', objectives: { rtoMs: 900_000, rpoMs: 60_000 }, platform });
  const asked = { env: {}, interactive: false, ask: never };
  expect(await occasionOf(asked, { reason: 'drill' }, made)).toEqual({ reason: 'drill', begunWith: made });
});
