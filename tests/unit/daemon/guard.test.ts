import { describe, expect, test } from 'vitest';
import { runGuard } from '../../../daemon/guard.ts';
import type { Roles } from '../../../domain/roles.ts';
import type { FlinkJob } from '../../../regions/flink/flink-jobs.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import type { Region } from '../../../regions/region.ts';
import { putClaim, readGuardWord, withdrawClaim } from '../../../state/guard.ts';
import { dropFenceRules, readKafkaFence } from '../../../state/kafka-fence.ts';
import { writeRoles } from '../../../state/roles.ts';
import { fakeFence } from '../../support/fake-fence.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const roles = { epoch: 1, primary: 'mumbai', standby: 'singapore', replication: 'active', atMs: 1, by: '' } as const;
const claim = { run: 'a-failover', by: 'me', atMs: 1 };

/** A store that can be cut off. */
function cuttable(name: string) {
  const store = memoryObjectStore(name);
  let cut = false;
  let held = false;
  let refusedWrites = 0;
  const through = (key: keyof ObjectStore) => {
    const call = store[key] as (...args: unknown[]) => Promise<unknown>;
    return async (...args: unknown[]) => {
      if (cut) throw new Error('cut off');
      if (held && key === 'put' && ++refusedWrites > 0) throw new Error('takes no writes');
      return call.apply(store, args);
    };
  };
  const calls = Object.fromEntries((['get', 'put', 'list', 'delete'] as const).map((k) => [k, through(k)]));
  return {
    store,
    seen: { ...store, ...calls } as ObjectStore,
    cut: (now: boolean) => {
      cut = now;
    },
    /** It answers, and takes no writes; gives how many it has refused. */
    holdWrites: (now: boolean) => {
      held = now;
      return () => refusedWrites;
    },
  };
}

async function guarding({ clock = virtualClock(), role = roles as Roles } = {}) {
  const [state, witness, own] = [cuttable('state'), cuttable('witness'), memoryObjectStore('own')];
  const deniedAt: number[] = [];
  const onChange = (change: string) => void (change === 'deny' && deniedAt.push(clock.monotonic()));
  const { acls, fence, rules } = fakeFence({ settings: { stillMs: 500 }, onChange });
  const jobs: FlinkJob[] = [{ id: '1'.repeat(32), name: 'counts', state: 'RUNNING', startedAtMs: 1 }];
  const region = {
    name: 'mumbai',
    fence,
    kafka: {
      ...acls,
      describeTopics: async () => new Map([['events', { name: 'events', topicId: 'x', partitions: 1 }]]),
      logRanges: async () => [{ topic: 'events', partition: 0, logStartOffset: 0n, logEndOffset: 7n }],
    },
    flink: {
      list: async () => [...jobs],
      cancel: async () => {
        jobs[0] = { ...jobs[0]!, state: 'CANCELED' };
      },
    },
  } as unknown as Region;
  await writeRoles(state.store, role);
  const log = quietLog();
  const config = { topics: ['events'], jobs: [{ name: 'counts' }] } as never;
  const start = () => {
    const stop = new AbortController();
    const running = runGuard(
      { config, region, state: state.seen, witness: witness.seen, own, fenceTtlMs: 20_000, clock, log },
      stop.signal,
    );
    return async () => {
      stop.abort();
      await running;
    };
  };
  let end = start();
  return {
    clock,
    state,
    witness,
    own,
    rules,
    deniedAt,
    jobs,
    log,
    isShut: () => rules.length === 4,
    end: () => end(),
    async restart(awayMs = 0) {
      await end();
      clock.jump(awayMs);
      end = start();
    },
  };
}

/** Never opened meanwhile: a rule that is lifted and made again counts as a denial. */
async function expectShutFor(guard: Awaited<ReturnType<typeof guarding>>, ms: number): Promise<void> {
  const [from, denials] = [guard.clock.monotonic(), guard.deniedAt.length];
  await expect.poll(() => guard.clock.monotonic() - from, soon).toBeGreaterThan(ms);
  expect(guard.isShut()).toBe(true);
  expect(guard.deniedAt.length).toBe(denials);
}

const soon = { timeout: 5_000, interval: 5 };

describe('a guard', () => {
  test('notes in the state what it made and lifted as soon as that answers again', async () => {
    const guard = await guarding();
    const noted = async () => (await readKafkaFence(guard.state.store, 'mumbai'))?.rules.length ?? 0;
    const unwritten = guard.state.holdWrites(true);
    await putClaim(guard.witness.store, 'mumbai', 1, claim);
    await expect.poll(() => readGuardWord(guard.witness.store, 'mumbai', 1), soon).toMatchObject({ run: claim.run });
    expect(unwritten()).toBeGreaterThan(0);
    expect(await noted()).toBe(0);
    guard.state.holdWrites(false);
    await expect.poll(noted, soon).toBe(4);

    guard.state.holdWrites(true);
    await withdrawClaim(guard.witness.store, 'mumbai', 1);
    await expect.poll(() => guard.rules, soon).toEqual([]);
    expect(await noted()).toBe(4);
    guard.state.holdWrites(false);
    await expect.poll(noted, soon).toBe(0);
    await guard.end();
  });

  test('leaves its region alone while one of the two answers, and shuts it when neither does', async () => {
    const guard = await guarding();
    await expect.poll(() => guard.clock.monotonic(), soon).toBeGreaterThan(3_000);
    guard.state.cut(true);
    const from = guard.clock.monotonic();
    await expect.poll(() => guard.clock.monotonic() - from, soon).toBeGreaterThan(60_000);
    expect(guard.rules).toEqual([]);
    guard.witness.cut(true);
    const cutAt = guard.clock.monotonic();
    await expect.poll(guard.isShut, soon).toBe(true);
    expect(guard.clock.monotonic() - cutAt).toBeGreaterThan(18_000);
    expect(guard.jobs[0]?.state, 'silence stops no job').toBe('RUNNING');
    guard.witness.cut(false);
    await expectShutFor(guard, 30_000);
    guard.state.cut(false);
    await expect.poll(() => guard.rules.length, soon).toBe(0);
    await guard.end();
    expect((await readKafkaFence(guard.own, 'mumbai'))?.rules).toEqual([]);
  });

  test.each(['state', 'witness'] as const)('shuts for a claim that only the %s tells, and says so', async (place) => {
    const guard = await guarding();
    // Without ever having heard the roles it would not open it again.
    await expect.poll(() => guard.clock.monotonic(), soon).toBeGreaterThan(3_000);
    for (const where of ['state', 'witness'] as const) guard[where].cut(where !== place);
    await putClaim(guard[place].store, 'mumbai', 1, claim);
    await expect.poll(() => readGuardWord(guard[place].store, 'mumbai', 1), soon).toMatchObject({ proof: 'proven' });
    expect(guard.isShut()).toBe(true);
    expect(guard.jobs[0]?.state).toBe('CANCELED');
    await withdrawClaim(guard[place].store, 'mumbai', 1);
    await expect.poll(() => guard.rules.length, soon).toBe(0);
    await guard.end();
  });

  test('sees anew that its region is shut before it gives its word to the next run that claims it', async () => {
    const guard = await guarding();
    const claimAs = async (run: string) => {
      for (const where of ['state', 'witness'] as const)
        await putClaim(guard[where].store, 'mumbai', 1, { ...claim, run });
    };
    await claimAs('the first');
    await expect.poll(() => readGuardWord(guard.state.store, 'mumbai', 1), soon).toMatchObject({ run: 'the first' });
    // Aborted, which opens the region, and begun again between two looks of the guard.
    guard.rules.splice(0);
    await claimAs('the second');
    await expect.poll(() => readGuardWord(guard.state.store, 'mumbai', 1), soon).toMatchObject({ run: 'the second' });
    expect(guard.isShut()).toBe(true);
    await expect.poll(() => readGuardWord(guard.witness.store, 'mumbai', 1), soon).toMatchObject({ run: 'the second' });
    await guard.end();
  });

  test('that slept past its time shuts its region within a second', async () => {
    const guard = await guarding();
    await expect.poll(() => guard.clock.monotonic(), soon).toBeGreaterThan(3_000);
    for (const where of ['state', 'witness'] as const) guard[where].cut(true);
    guard.clock.jump(120_000);
    const wokeAt = guard.clock.monotonic();
    await expect.poll(guard.isShut, soon).toBe(true);
    expect(guard.deniedAt.at(-1)! - wokeAt).toBeLessThanOrEqual(1_000);
    await guard.end();
  });

  test('that starts anew while it is cut off leaves what was shut for a claim shut, and so when only the witness is back', async () => {
    const guard = await guarding();
    for (const where of ['state', 'witness'] as const) await putClaim(guard[where].store, 'mumbai', 1, claim);
    await expect.poll(() => readGuardWord(guard.state.store, 'mumbai', 1), soon).toBeDefined();
    for (const where of ['state', 'witness'] as const) guard[where].cut(true);
    await guard.restart();
    await expectShutFor(guard, 30_000);
    await withdrawClaim(guard.witness.store, 'mumbai', 1);
    guard.witness.cut(false);
    await guard.restart();
    await expectShutFor(guard, 30_000);
    await withdrawClaim(guard.state.store, 'mumbai', 1);
    guard.state.cut(false);
    await expect.poll(() => guard.rules.length, soon).toBe(0);
    await guard.end();
  });

  test('that starts anew goes on counting the silence of the one before it', async () => {
    const guard = await guarding();
    await expect.poll(() => guard.clock.monotonic(), soon).toBeGreaterThan(3_000);
    for (const where of ['state', 'witness'] as const) guard[where].cut(true);
    const cutAt = guard.clock.monotonic();
    for (const at of [6_000, 12_000, 17_000]) {
      await expect.poll(() => guard.clock.monotonic() - cutAt, soon).toBeGreaterThan(at);
      await guard.restart();
    }
    await expect.poll(guard.isShut, soon).toBe(true);
    expect(guard.deniedAt.at(-1)! - cutAt).toBeGreaterThan(15_000);
    expect(guard.deniedAt.at(-1)! - cutAt).toBeLessThan(22_000);
    await guard.end();
  });

  test.each([15_000, 30_000, 60_000])('that was away for %s ms denies a healthy primary nothing', async (awayMs) => {
    const guard = await guarding();
    await expect.poll(() => guard.clock.monotonic(), soon).toBeGreaterThan(3_000);
    await guard.restart(awayMs);
    const from = guard.clock.monotonic();
    await expect.poll(() => guard.clock.monotonic() - from, soon).toBeGreaterThan(10_000);
    expect(guard.deniedAt).toEqual([]);
    await guard.end();
  });

  test('that was away and starts cut off shuts its region within the time of a first answer', async () => {
    const guard = await guarding();
    await expect.poll(() => guard.clock.monotonic(), soon).toBeGreaterThan(3_000);
    for (const where of ['state', 'witness'] as const) guard[where].cut(true);
    await guard.restart(30_000);
    const from = guard.clock.monotonic();
    await expect.poll(guard.isShut, soon).toBe(true);
    expect(guard.deniedAt.at(-1)! - from).toBeLessThan(2_500);
    await guard.end();
  });

  test('that starts anew in a region that is not primary does not open it for a moment', async () => {
    const guard = await guarding({ role: { ...roles, primary: 'singapore', standby: 'mumbai' } });
    await expect.poll(guard.isShut, soon).toBe(true);
    await expect.poll(async () => (await readKafkaFence(guard.own, 'mumbai'))?.rules.length, soon).toBe(4);
    await guard.restart();
    await expectShutFor(guard, 10_000);
    await guard.end();
  });

  test('counts its silence by a wall clock that was set forward and back, too', async () => {
    const clock = virtualClock();
    let wallOff = 0;
    const guard = await guarding({ clock: { ...clock, now: () => clock.now() + wallOff } });
    const wait = async (ms: number) => {
      const from = clock.monotonic();
      await expect.poll(() => clock.monotonic() - from, soon).toBeGreaterThan(ms);
    };
    await wait(3_000);
    wallOff = 600_000;
    await wait(3_000);
    wallOff = 0;
    await wait(3_000);
    await expect.poll(() => guard.rules.length, soon).toBe(0);
    for (const where of ['state', 'witness'] as const) guard[where].cut(true);
    const [cutAt, denials] = [clock.monotonic(), guard.deniedAt.length];
    await expect.poll(() => guard.deniedAt.length, soon).toBeGreaterThan(denials);
    expect(guard.deniedAt.at(-1)! - cutAt).toBeGreaterThan(18_000);
    expect(guard.deniedAt.at(-1)! - cutAt).toBeLessThan(22_000);
    await guard.end();
  });

  test('keeps a region shut that was promoted away, and opens it for the run that makes it primary again', async () => {
    const guard = await guarding();
    await putClaim(guard.state.store, 'mumbai', 1, claim);
    await putClaim(guard.witness.store, 'mumbai', 1, claim);
    await writeRoles(guard.state.store, {
      ...roles,
      epoch: 2,
      primary: 'singapore',
      standby: 'mumbai',
      run: 'a-failover',
    });
    await expect.poll(async () => (await readKafkaFence(guard.state.store, 'mumbai'))?.rules.length, soon).toBe(4);
    const from = guard.clock.monotonic();
    await expect.poll(() => guard.clock.monotonic() - from, soon).toBeGreaterThan(30_000);
    expect(guard.isShut()).toBe(true);
    // As a switchover does: it notes first that it opens the region, then lifts.
    const { rules } = (await readKafkaFence(guard.state.store, 'mumbai'))!;
    await dropFenceRules(guard.state.store, 'mumbai', rules, { by: 'a-switchover', atMs: 2, openedFor: 3 });
    await expect.poll(() => guard.rules.length, soon).toBe(0);
    await writeRoles(guard.state.store, { ...roles, epoch: 3, run: 'a-switchover' });
    const later = guard.clock.monotonic();
    await expect.poll(() => guard.clock.monotonic() - later, soon).toBeGreaterThan(10_000);
    expect(guard.rules).toEqual([]);
    await guard.end();
  });
});
