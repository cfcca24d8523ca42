import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { PartitionOffset } from '../../../../domain/offsets.ts';
import type { Region } from '../../../../regions/region.ts';
import type { FailbackContext } from '../../../../runbooks/failback/context.ts';
import { missingOf, watchReturn } from '../../../../runbooks/failback/in-sync.ts';
import { failbackRefusal } from '../../../../runbooks/failback/plan.ts';
import { prepareFailback, runFailback } from '../../../../runbooks/failback/run-failback.ts';
import { exitCodeOf } from '../../../../runbooks/failover/report.ts';
import { putRescued, type Rescued, readRescued } from '../../../../state/rescued.ts';
import { readRoles, writeRoles } from '../../../../state/roles.ts';
import { virtualClock } from '../../state/virtual-clock.ts';
import { config, manifest } from '../failover/world.ts';
import { contextOf, keptRecord, newWorld, oldEnds, roles, type World } from './world.ts';

const { signal } = new AbortController();

async function failBack(world: World, over: Partial<FailbackContext> = {}) {
  const context = contextOf(world, 1, undefined, over);
  return runFailback({ context, plan: await prepareFailback(context, signal), holder: 'me' });
}

/** Nothing on the old primary was touched, and the roles are as they were. */
async function expectUntouched(world: World) {
  expect(world.old.get('events')).toEqual({ id: 1, end: oldEnds.events });
  expect((await readRoles(world.store))?.epoch).toBe(2);
}

test('only after a promotion there is something to fail back', () => {
  expect(failbackRefusal(roles)).toBeUndefined();
  expect(failbackRefusal({ ...roles, replication: 'active' })).toMatchObject({ code: 'NothingToFailBack' });
  const { promotedAt: _, ...unknown } = roles;
  expect(failbackRefusal(unknown)).toMatchObject({ code: 'PromotionUnknown' });
});

test('an old primary that can not be read, or is written to, blocks the plan, with what to do', async () => {
  const world = await newWorld();
  const failing = (error: ArgusError) => ({ findDivergence: () => Promise.reject(error) });
  const dark = failing(new ArgusError('KafkaUnreachable', 'connect timed out', { retryable: true }));
  const plan = await prepareFailback(contextOf(world, 1, undefined, dark), signal);
  expect(plan.blockers).toMatchObject([{ code: 'KafkaUnreachable', hint: expect.stringContaining('bring mumbai') }]);
  await expect(
    runFailback({ context: contextOf(world, 1, undefined, dark), plan, holder: 'me' }),
  ).rejects.toMatchObject({ code: 'KafkaUnreachable', exitCode: 3 });
  await expectUntouched(world);
});

test('jobs of the old primary that can not be seen stopped refuse the run, unless a person accepts that', async () => {
  const world = await newWorld();
  const { standby } = contextOf(world, 1);
  const flink = { ...standby.flink, list: () => Promise.reject(new Error('connect refused')) };
  const dark = { standby: { ...standby, flink } as Region };
  const refused = await failBack(world, dark);
  expect(refused).toMatchObject({ outcome: 'refused', error: { code: 'OldPrimaryUnfenced' } });
  expect(exitCodeOf(refused)).toBe(3);
  await expectUntouched(world);
  expect(await failBack(await newWorld(), { ...dark, acceptUnfenced: true })).toMatchObject({
    outcome: 'done',
    unfenced: true,
  });
});

test('a record that is not kept as it was ends the run before anything is deleted', async () => {
  const world = await newWorld();
  const report = await failBack(world, {
    checkRescue: async () => ({ kind: 'differs', topic: 'events', partition: 0, at: 117n, what: 'it is not kept' }),
  });
  expect(report).toMatchObject({ outcome: 'failed', pastReturn: false, error: { code: 'RescueDiffers' } });
  expect(report.error?.message).toContain('events-0 117');
  await expectUntouched(world);
});

test('roles that somebody else changed meanwhile are not overwritten', async () => {
  const world = await newWorld();
  const { run: _, ...others } = { ...roles, epoch: 3, primary: 'mumbai', standby: 'singapore' };
  const report = await failBack(world, {
    letMirrorWrite: async () => void (await writeRoles(world.store, others)),
  });
  expect(report).toMatchObject({ error: { code: 'RolesChanged' }, rolesEpoch: null });
  expect((await readRoles(world.store))?.primary).toBe('mumbai');
  expect(exitCodeOf(report)).toBe(4);
});

test('one that was planned while another turned the roles does nothing: what it knows is stale', async () => {
  const world = await newWorld();
  const context = contextOf(world, 2);
  const plan = await prepareFailback(context, signal);
  const { promotedAt: _, ...rest } = roles;
  await writeRoles(world.store, { ...rest, epoch: 3, replication: 'active', run: '20261121T103001Z-failback-0001' });
  const report = await runFailback({ context, plan, holder: 'me' });
  expect(report).toMatchObject({ outcome: 'refused', error: { code: 'RolesChanged' } });
  expect(exitCodeOf(report)).toBe(3);
  expect(world.effects).toEqual([]);
});

const none = { aborted: 0n, open: 0n, older: 0n, bytes: 0n };
const orphans = (from: bigint, to: bigint) => ({ from, to, reason: 'orphan' as const });
const noteOf = (partitions: Rescued['topics'][string]['partitions']): Rescued => ({
  promotion: 2,
  region: 'mumbai',
  keptBy: 'singapore',
  to: 'topic',
  run: 'r',
  atMs: 1,
  topics: { events: { partitions, where: 'a topic', verifiedAtMs: 1, reseeded: true } },
});

test('what runs before have kept stays in the note: other partitions, and offsets that are gone since', async () => {
  const world = await newWorld();
  const other = { partition: 1, ranges: [orphans(7n, 9n)], orphans: 2n, ...none };
  await putRescued(world.store, noteOf([other, { partition: 0, ranges: [orphans(95n, 103n)], orphans: 8n, ...none }]));
  world.kept.set(
    'events-0',
    [95n, 96n, 97n, 98n, 99n, 100n, 101n, 102n].map((offset) => keptRecord(offset, 'orphan')),
  );
  const report = await failBack(world);
  expect(report, JSON.stringify(report.error)).toMatchObject({ outcome: 'done', orphans: 37 });
  const [first, second] = (await readRescued(world.store, 2))?.topics.events?.partitions ?? [];
  expect(first).toMatchObject({ partition: 0, orphans: 35n, older: 20n });
  expect(first?.ranges).toEqual([{ from: 0n, to: 20n, reason: 'older' }, orphans(95n, 130n)]);
  expect(second).toEqual(other);
});

test('orphans that are kept as topics are not kept as files by the next run, whose note could not tell', async () => {
  const world = await newWorld();
  await putRescued(world.store, noteOf([{ partition: 1, ranges: [orphans(7n, 9n)], orphans: 2n, ...none }]));
  const report = await failBack(world, { keepIn: 'files' });
  expect(report).toMatchObject({
    outcome: 'refused',
    error: { code: 'KeptElsewhere', hint: 'run `argus failback --to topic`' },
  });
  await expectUntouched(world);
});

test('what is missing is counted by partition, never set off against another', () => {
  const at = (partition: number, offset: bigint): PartitionOffset => ({ topic: 'events', partition, offset });
  expect(missingOf([at(0, 10n), at(1, 10n)], [at(0, 4n), at(1, 99n)])).toBe(6n);
  expect(missingOf([at(0, 10n)], [])).toBe(10n);
});

test('the old primary follows when it has what the active side had, and a checkpoint that can be restored', async () => {
  const clock = virtualClock();
  const ends = { singapore: 100n, mumbai: 90n };
  const side = (name: 'singapore' | 'mumbai') => ({
    name,
    kafka: {
      describeTopics: async () => new Map([['events', { name: 'events', topicId: 'x', partitions: 1 }]]),
      logRanges: async () => [{ topic: 'events', partition: 0, logStartOffset: 0n, logEndOffset: ends[name] }],
    } as unknown as Region['kafka'],
  });
  let usable = false;
  const watch = watchReturn({
    config,
    primary: side('singapore'),
    standby: side('mumbai'),
    clock,
    chooseRecoveryPoints: async () =>
      new Map([
        ['counts', usable ? { kind: 'chosen', point: manifest, rejected: [] } : { kind: 'none', rejected: [] }],
      ]),
  });
  expect(await watch.look(signal)).toMatchObject({ kind: 'waiting', missing: 10 });
  // Long ago: what came since is not known.
  clock.jump(60_000);
  ends.mumbai = 100n;
  expect(await watch.look(signal)).toMatchObject({ kind: 'waiting', missing: 0 });
  expect(await watch.look(signal)).toMatchObject({ kind: 'waiting', why: expect.stringContaining('no checkpoint') });
  usable = true;
  expect(await watch.look(signal)).toEqual({ kind: 'ready', lagMs: 0, points: { counts: 7 } });
});
