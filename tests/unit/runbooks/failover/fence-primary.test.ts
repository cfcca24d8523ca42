import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import type { StepIo } from '../../../../runbooks/engine/step.ts';
import { releaseAcls } from '../../../../runbooks/failover/steps/release-acls.ts';
import { denyKafkaWrites, everybody } from '../../../../runbooks/fencing/kafka-fencing.ts';
import { claimedEpoch, type GuardWord, namePlace, putGuardWord } from '../../../../state/guard.ts';
import { readRun } from '../../../../state/journal.ts';
import { readKafkaFence } from '../../../../state/kafka-fence.ts';
import { foldRun } from '../../../../state/run-record.ts';
import type { FakeFenceOptions } from '../../../support/fake-fence.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { runName, type WorldOptions } from './world.ts';

const up = (fence: FakeFenceOptions | undefined, over: WorldOptions = {}) =>
  started({ primary: 'up', acceptUnfenced: false, ...(fence && { fence }), ...over });

describe('the writers of a primary that answers', () => {
  test('are denied after the jobs were stopped and before the mirror is frozen, which is proven', async () => {
    const world = await up({});
    const before = world.clock.monotonic();
    const report = await failOver(world, confirming(world));
    expect(report).toMatchObject({
      outcome: 'done',
      kafkaFencing: { kind: 'proven', why: [], principals: ['User:ingest', 'User:counts'], brokers: [1] },
    });
    const stop = world.effects.indexOf('cancel primary job');
    const deny = world.effects.indexOf('deny User:ingest topic');
    expect([stop, deny, world.effects.indexOf('sync group')].every((n, i, all) => i === 0 || n > all[i - 1]!)).toBe(
      true,
    );
    expect(world.clock.monotonic() - before, 'the logs stood still').toBeGreaterThanOrEqual(2_000);
    expect((await readKafkaFence(world.store, 'mumbai'))?.rules).toHaveLength(4);
  });

  test.each<[string, FakeFenceOptions]>([
    ['there is a super user', { settings: { superUsers: ['User:root'] } }],
    [
      'a login is not known',
      { settings: { principals: [{ principal: 'User:ingest', kind: 'producer', triable: false }] } },
    ],
  ])('are denied with a proof that is partial when %s', async (_, fence) => {
    const world = await up(fence);
    expect(await failOver(world, confirming(world))).toMatchObject({
      outcome: 'done',
      kafkaFencing: { kind: 'partial', why: [expect.any(String)] },
    });
  });

  test('stop the failover when one of them still gets in, and the rules are lifted again', async () => {
    const world = await up({ leaks: 'User:ingest' });
    const report = await failOver(world, confirming(world));
    expect(report).toMatchObject({
      outcome: 'failed',
      compensated: ['fence-primary'],
      error: { code: 'StepTimedOut' },
    });
    expect(report.error?.message).toContain('User:ingest is let in to events-0');
    expect(await world.context.primary.kafka.listAcls()).toEqual([]);
    expect((await readKafkaFence(world.store, 'mumbai'))?.rules).toEqual([]);
  });

  test('who still get in are recorded when a person accepts that', async () => {
    const world = await up({ leaks: 'User:ingest' }, { acceptUnfenced: true });
    expect(await failOver(world, confirming(world))).toMatchObject({
      outcome: 'done',
      kafkaFencing: { kind: 'unproven', why: [expect.stringContaining('User:ingest is let in')] },
    });
  });

  test('are let in again when the failover gives up', async () => {
    const world = await up({});
    const context = confirming(world);
    let looks = 0;
    const report = await failOver(world, {
      ...context,
      chooseRecoveryPoints: async (...args) => (looks++ === 0 ? context.chooseRecoveryPoints(...args) : new Map()),
    });
    expect(report).toMatchObject({ outcome: 'refused', pastReturn: false });
    expect(await world.context.primary.kafka.listAcls()).toEqual([]);
  });
});

describe('a primary whose Kafka can not be fenced', () => {
  test.each<[string, FakeFenceOptions | undefined, string]>([
    ['without a fence', undefined, 'regions.mumbai.kafka.fence is not set'],
    ['with a fence by: none', { settings: { by: 'none' } }, 'regions.mumbai.kafka.fence is by: none'],
    ['without an authorizer', { open: true }, "mumbai's brokers have no authorizer"],
  ])('%s is recorded as such', async (_, fence, why) => {
    const world = await up(fence);
    expect(await failOver(world, confirming(world))).toMatchObject({
      outcome: 'done',
      kafkaFencing: { kind: 'none', why: [why] },
    });
    const step = foldRun(await readRun(world.store, runName(1)))!.steps.find((s) => s.id === 'fence-primary');
    expect(step).toMatchObject({ evidence: { fenced: false, why: [why] } });
  });

  test('is refused where a fence is required', async () => {
    const world = await up({ open: true, settings: { required: true } });
    expect(await failOver(world, confirming(world))).toMatchObject({
      outcome: 'refused',
      error: { code: 'KafkaUnfenced', hint: expect.stringContaining('--accept-unfenced') },
    });
  });

  test('since nobody answers, is refused, and recorded when a person accepts that', async () => {
    const dark = { fence: { dark: () => true } };
    const refused = await up(dark.fence);
    expect(await failOver(refused, confirming(refused))).toMatchObject({
      outcome: 'refused',
      error: { code: 'KafkaUnfenced' },
    });
    const accepted = await up(dark.fence, { acceptUnfenced: true });
    expect(await failOver(accepted, confirming(accepted))).toMatchObject({
      outcome: 'done',
      kafkaFencing: { kind: 'unproven', why: ['connect timed out'] },
    });
  });
});

describe('a standby that is fenced from a time when it lost the role', () => {
  const shut = async () => {
    const world = await up({}, { standbyFence: {} });
    const { standby, state } = world.context;
    const target = { region: standby, state, topics: ['events'] };
    const io = { signal: new AbortController().signal, check: () => undefined };
    await denyKafkaWrites(target, everybody, { by: 'earlier', atMs: 1 }, io);
    return { world, rules: () => standby.kafka.listAcls({ permission: 'DENY' }) };
  };

  test('is opened before its jobs start, and nobody shuts it for the roles that are still in force', async () => {
    const { world, rules } = await shut();
    expect(await failOver(world, confirming(world))).toMatchObject({ outcome: 'done' });
    expect(await rules()).toEqual([]);
    expect(await readKafkaFence(world.store, 'singapore')).toMatchObject({ rules: [], openedFor: 2 });
  });

  test('is shut again when the failover gives up', async () => {
    const { world, rules } = await shut();
    const before = await rules();
    const context = confirming(world);
    const foreign = { id: 'f'.repeat(32), name: 'counts', state: 'RUNNING', startedAtMs: 1 };
    const list = async () => ((await rules())?.length === 0 ? [foreign] : []);
    const standby = { ...context.standby, flink: { ...context.standby.flink, list } };
    const report = await failOver(world, { ...context, standby });
    expect(report).toMatchObject({ outcome: 'refused', pastReturn: false });
    expect(report.compensated).toContain('release-acls');
    expect(await rules()).toEqual(before);
    expect((await readKafkaFence(world.store, 'singapore'))?.openedFor).toBeUndefined();
  });

  test('stays open when a run that goes on gives up: the jobs that an earlier one started write', async () => {
    const { world, rules } = await shut();
    const context = { ...confirming(world), epoch: 2, resumes: runName(1) };
    await failOver(world, context);
    const io = { signal: new AbortController().signal, check: () => undefined } as StepIo;
    const taken = releaseAcls({ title: '', manual: [] }).compensate?.(context, {}, io);
    await expect(taken).rejects.toMatchObject({ code: 'PastReturn' });
    expect(await rules()).toEqual([]);
  });
});

describe('a primary in the dark that has a guard', () => {
  const dark = async (over: WorldOptions = {}) => {
    const world = await started({ acceptUnfenced: false, fence: {}, ...over });
    const witness = memoryObjectStore('witness');
    // As guards do that have used them.
    for (const place of [witness, world.store]) await namePlace(place, place.uri);
    const context = { ...confirming(world), guard: { witness, leaseMs: 45_000 } };
    return { world, witness, context };
  };

  test('is claimed in both places, and counts as shut by its guard\u2019s word', async () => {
    const { world, witness, context } = await dark();
    const word: GuardWord = { proof: 'proven', why: [], rolesEpoch: 1, run: context.run, atMs: 1 };
    await putGuardWord(witness, 'mumbai', word);
    const from = world.clock.monotonic();
    expect(await failOver(world, context)).toMatchObject({
      outcome: 'done',
      unfenced: true,
      kafkaFencing: { kind: 'partial', why: ['its own guard says so, nobody else saw it'] },
    });
    expect(world.clock.monotonic() - from).toBeLessThan(45_000);
    expect(await claimedEpoch(world.store, 'mumbai')).toBe(1);
    expect(await claimedEpoch(witness, 'mumbai')).toBe(1);
    expect((await readKafkaFence(world.store, 'singapore'))?.openedFor, 'its own guard opens the standby').toBe(2);
  });

  test('is waited for in spite of a word that its guard gave to another run', async () => {
    const { world, witness, context } = await dark();
    const word: GuardWord = { proof: 'proven', why: [], rolesEpoch: 1, run: 'the one before', atMs: 1 };
    for (const place of [witness, world.store]) await putGuardWord(place, 'mumbai', word);
    expect(await failOver(world, context)).toMatchObject({ outcome: 'done', kafkaFencing: { kind: 'unproven' } });
  });

  test('is waited for until the lease has run out; that is no proof, and told', async () => {
    const { world, context } = await dark();
    const from = world.clock.monotonic();
    expect(await failOver(world, context)).toMatchObject({
      outcome: 'done',
      kafkaFencing: { kind: 'unproven', why: [expect.stringContaining('lease of 45 s has run out')] },
    });
    expect(world.clock.monotonic() - from).toBeGreaterThanOrEqual(45_000);
  });

  test.each<[string, FakeFenceOptions]>([
    ['without an authorizer', { open: true, dark: () => false }],
    ['with a fence by: none', { settings: { by: 'none' }, dark: () => false }],
  ])(
    'is refused where only its Flink is silent and its Kafka is %s, unless a person accepts that',
    async (_, fence) => {
      const { world, context } = await dark({ fence });
      expect(await failOver(world, context)).toMatchObject({
        outcome: 'refused',
        error: { code: 'KafkaUnfenced', hint: expect.stringContaining('--accept-unfenced') },
      });
      expect(world.effects).toEqual([]);
      const accepted = await dark({ fence, acceptUnfenced: true });
      expect(await failOver(accepted.world, accepted.context)).toMatchObject({
        outcome: 'done',
        kafkaFencing: { kind: 'none' },
      });
    },
  );

  test('is not counted on while the witness is a place that no guard has used', async () => {
    const { world, context } = await dark();
    const guard = { ...context.guard, witness: memoryObjectStore('not mounted') };
    expect(await failOver(world, { ...context, guard })).toMatchObject({
      outcome: 'failed',
      error: { code: 'GuardPlaceUnknown' },
    });
    expect(world.effects).toEqual([]);
  });

  test('is not counted on while the witness can not be written', async () => {
    const { world, witness, context } = await dark();
    const put = () => Promise.reject(new ArgusError('ObjectStoreUnreachable', 'no way there'));
    const report = await failOver(world, { ...context, guard: { ...context.guard, witness: { ...witness, put } } });
    expect(report).toMatchObject({ outcome: 'failed', pastReturn: false });
    expect(world.effects).toEqual([]);
    expect(await claimedEpoch(world.store, 'mumbai'), 'taken back').toBeUndefined();
  });
});
