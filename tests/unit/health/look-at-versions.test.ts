import { expect, test } from 'vitest';
import { lookAtVersions } from '../../../health/look-at-versions.ts';
import type { Region } from '../../../regions/region.ts';
import { virtualClock } from '../state/virtual-clock.ts';

/** Nobody listens at port 1 of this machine. */
const region = (name: string, over: object): Region =>
  ({ name, brokers: { name, bootstrap: ['127.0.0.1:1'] }, flink: {}, ...over }) as unknown as Region;
const never = new AbortController().signal;
const silent = () => new Promise<never>(() => undefined);

test('what has answered so far is there at once, and after two seconds nobody is waited for', async () => {
  const clock = virtualClock(0);
  const look = lookAtVersions(
    [
      region('mumbai', { flink: { versions: silent }, kubernetes: { version: silent } }),
      region('singapore', {
        flink: { versions: async () => [{ version: '2.2.1' }] },
        kubernetes: { version: async () => 'v1.36.3' },
      }),
    ],
    { clock, signal: never },
  );
  const nothing = { region: 'mumbai', kafka: null, flink: null, kubernetes: null };
  expect(look.soFar()[0]).toEqual(nothing);
  const whole = await look.whole;
  expect(whole).toEqual([
    nothing,
    { region: 'singapore', kafka: null, flink: [{ version: '2.2.1' }], kubernetes: 'v1.36.3' },
  ]);
  expect(look.soFar()).toEqual(whole);
});

test('a Flink that has no means to tell, and one that fails, are no error', async () => {
  const fails = async () => {
    throw new Error('refused');
  };
  const look = lookAtVersions([region('a', {}), region('b', { flink: { versions: fails } })], {
    clock: virtualClock(0),
    signal: never,
  });
  expect(await look.whole).toEqual([
    { region: 'a', kafka: null, flink: [] },
    { region: 'b', kafka: null, flink: null },
  ]);
});
