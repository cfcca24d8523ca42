import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import { type Acl, aclKey } from '../../../../regions/kafka/kafka-acls.ts';
import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { directionOf } from '../../../../runbooks/failover/direction.ts';
import { exitCodeOf } from '../../../../runbooks/failover/report.ts';
import { prepareFailover, runFailover } from '../../../../runbooks/failover/run-failover.ts';
import { putFollowedAcls } from '../../../../state/followed-acls.ts';
import { freezeInForce } from '../../../../state/freeze.ts';
import { readRun } from '../../../../state/journal.ts';
import { acquireLease } from '../../../../state/lease.ts';
import { keepMirrorProducer, readMirrorProducer } from '../../../../state/mirror-producer.ts';
import { readRoles, writeRoles } from '../../../../state/roles.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { manifest, roles, runName, type World } from './world.ts';

describe('ACLs that were withheld from the copy', () => {
  const write: Acl = {
    resourceType: 'topic',
    resourceName: 'events',
    patternType: 'literal',
    principal: 'User:shop',
    host: '*',
    operation: 'WRITE',
    permission: 'ALLOW',
  };
  const read: Acl = { ...write, operation: 'READ' };

  async function withRules(kept: Acl[] | undefined): Promise<World> {
    const world = await started();
    await putFollowedAcls(world.store, 1, { made: [read], withheld: [write] });
    const { kafka } = world.context.standby;
    kafka.listAcls = async () => kept && [...kept];
    kafka.createAcls = async (acls) => void kept?.push(...acls);
    kafka.deleteAcls = async (acls) => {
      for (const acl of acls)
        kept?.splice(
          kept.findIndex((k) => aclKey(k) === aclKey(acl)),
          1,
        );
    };
    return world;
  }

  test('are made before the jobs start', async () => {
    const rules = [read];
    const world = await withRules(rules);
    const report = await failOver(world, confirming(world));
    expect(report.outcome).toBe('done');
    expect(report.steps.find((s) => s.id === 'release-acls')).toMatchObject({ status: 'done' });
    expect(rules).toEqual([read, write]);
    const ids = report.steps.map((s) => s.id);
    expect(ids.indexOf('release-acls')).toBeLessThan(ids.indexOf('start-jobs'));
  });

  test('are taken away again when the failover gives up', async () => {
    const rules = [read];
    const world = await withRules(rules);
    // A job that nobody knows about appears after the rules were made.
    const foreign = { id: '9'.repeat(32), name: 'counts', state: 'RUNNING', startedAtMs: 1 };
    world.context.standby.flink.list = async () => (rules.length > 1 ? [foreign] : []);
    const report = await failOver(world, confirming(world));
    expect(report).toMatchObject({ outcome: 'refused', compensated: expect.arrayContaining(['release-acls']) });
    expect(rules).toEqual([read]);
  });

  test('don`t hold a failover up where there is no authorizer', async () => {
    const world = await withRules(undefined);
    expect(await failOver(world, confirming(world))).toMatchObject({ outcome: 'done' });
  });
});

describe('a failover', () => {
  test('promotes the standby in order, and reports what it reached', async () => {
    const world = await started();
    const report = await failOver(world, confirming(world));
    expect(report.error).toBeUndefined();
    expect(report).toMatchObject({
      outcome: 'done',
      from: 'mumbai',
      to: 'singapore',
      unfenced: true,
      replayedRecords: 20,
      recoveryPoint: { checkpointId: 7, uri: manifest.replicaUri },
      droppedTransactions: manifest.droppedTransactions,
      promotedAt: [
        { topic: 'events', partition: 0, offset: '100' },
        { topic: 'events', partition: 1, offset: '50' },
      ],
    });
    expect(report.rtoMs).toBeGreaterThanOrEqual(5_000);
    expect(exitCodeOf(report)).toBe(0);
    expect(world.effects).toEqual(['sync group', `start ${manifest.replicaUri}`, 'dns 127.0.2.1']);
    expect(await readRoles(world.store)).toMatchObject({
      epoch: 2,
      primary: 'singapore',
      standby: 'mumbai',
      replication: 'suspended',
      run: runName(1),
      promotedAt: report.promotedAt,
    });
    const record = foldRun(await readRun(world.store, runName(1)));
    expect(record).toMatchObject({ status: 'done', report: JSON.parse(JSON.stringify(report)) });
  });

  test('stops the jobs of a primary that answers, and proves that nothing is lost', async () => {
    const world = await started({ primary: 'up', acceptUnfenced: false });
    const report = await failOver(world, { ...confirming(world), acceptUnfenced: false });
    expect(report).toMatchObject({ outcome: 'done', unfenced: false });
    expect(report.rpo.topics.events).toEqual({ estimatedRecords: 0, ms: 0, estimated: false, proven: true });
    expect(world.effects[0]).toBe('cancel primary job');
  });

  test('fences a mirror that does not answer, and leaves the marker out of the promoted end', async () => {
    const world = await started();
    await keepMirrorProducer(world.store, 1, { transactionalId: 't', producerId: 1n, producerEpoch: 0 });
    const report = await failOver(world);
    expect(report.outcome).toBe('done');
    expect(world.effects.filter((e) => e === 'fence')).toHaveLength(1);
    expect(world.ends.get('events-0')).toBe(101n);
    expect(report.promotedAt.map((p) => p.offset)).toEqual(['100', '50']);
    expect(report.steps.find((s) => s.id === 'freeze-mirror')!.ms).toBeGreaterThanOrEqual(5_000);
  });

  test('is refused without --accept-unfenced while the primary is dark, before anything is changed', async () => {
    const world = await started({ acceptUnfenced: false });
    await expect(failOver(world)).rejects.toMatchObject({ code: 'PrimaryUnfenced', exitCode: 3 });
    expect((await world.store.list('')).objects.map((o) => o.key)).toEqual(['roles/0000000001']);
    expect(world.effects).toEqual([]);
  });

  test('is refused without a recovery point, before anything is changed', async () => {
    const world = await started({ noPoint: true });
    await expect(failOver(world)).rejects.toMatchObject({ code: 'NoRecoveryPoint', exitCode: 3 });
    expect((await world.store.list('')).objects).toHaveLength(1);
  });

  test('is refused while another acts', async () => {
    const world = await started();
    const request = { holder: 'other', purpose: 'failover', run: 'r0', ttlMs: 10_000, waitMs: 0 };
    const other = await acquireLease(world.store, request, world.clock);
    if (other.kind !== 'acquired') throw new Error('held');
    const stop = other.lease.keepRenewed();
    await expect(failOver(world)).rejects.toMatchObject({ code: 'LeaseHeld', exitCode: 3 });
    await stop();
  });

  test('thaws the mirror when it gives up before a job was started', async () => {
    const world = await started();
    const context = confirming(world);
    let looks = 0;
    const report = await failOver(world, {
      ...context,
      chooseRecoveryPoints: async (...args) => (looks++ === 0 ? context.chooseRecoveryPoints(...args) : new Map()),
    });
    expect(report).toMatchObject({
      outcome: 'refused',
      compensated: ['seal-mirror', 'freeze-mirror', 'fence-primary'],
      pastReturn: false,
    });
    expect(exitCodeOf(report)).toBe(3);
    expect(await freezeInForce(world.store, 1)).toBeUndefined();
    const after = await directionOf(world.store, roles);
    expect(after, 'a run that was taken back is over').toEqual({ roles, open: [] });
  });

  test('does not thaw a mirror that it fenced, and says that a person is needed', async () => {
    const world = await started();
    await keepMirrorProducer(world.store, 1, { transactionalId: 't', producerId: 1n, producerEpoch: 0 });
    let looks = 0;
    const report = await failOver(world, {
      ...world.context,
      chooseRecoveryPoints: async (...args) =>
        looks++ === 0 ? world.context.chooseRecoveryPoints(...args) : new Map(),
    });
    expect(report.error?.code).toBe('CompensationFailed');
    expect(exitCodeOf(report)).toBe(4);
    expect(await freezeInForce(world.store, 1)).toBeDefined();
  });
});

describe('a primary that answers, and whose job does not end', () => {
  const stubborn = (world: World, cancel: () => Promise<void>): Omit<FailoverContext, 'epoch'> => {
    const { primary } = world.context;
    const context = confirming(world);
    return { ...context, primary: { ...primary, flink: { ...primary.flink, cancel } } };
  };
  const refusing = () => Promise.reject(new ArgusError('FlinkUnreachable', 'no answer'));

  test.each([
    ['is cancelled without effect', async () => undefined],
    ['can not be cancelled', refusing],
  ])('is gone on without when it %s and a person accepts that; recorded', async (_rule, cancel) => {
    const world = await started({ primary: 'up' });
    const report = await failOver(world, stubborn(world, cancel));
    expect(report).toMatchObject({
      outcome: 'done',
      unfenced: true,
      unfencedBecause: expect.stringContaining('counts is RUNNING on it 15 s after'),
    });
    const { steps } = foldRun(await readRun(world.store, runName(1)))!;
    expect(steps[0]).toMatchObject({ id: 'stop-primary-jobs', evidence: { accepted: true, by: 'me@here' } });
  });

  test('ends the failover before anything else when nobody accepts that', async () => {
    const world = await started({ primary: 'up', acceptUnfenced: false });
    const report = await failOver(
      world,
      stubborn(world, async () => undefined),
    );
    expect(report).toMatchObject({ outcome: 'failed', pastReturn: false, error: { code: 'StepTimedOut' } });
    expect(world.effects).toEqual([]);
  });
});

describe('a failover that gives up', () => {
  test('names the jobs of the primary that it has stopped', async () => {
    const world = await started({ primary: 'up' });
    let looks = 0;
    const report = await failOver(world, {
      ...confirming(world),
      chooseRecoveryPoints: async (...args) =>
        looks++ === 0 ? world.context.chooseRecoveryPoints(...args) : new Map(),
    });
    expect(report).toMatchObject({ outcome: 'refused', pastReturn: false, leftStopped: ['counts'] });
  });

  test('never thaws the mirror below a job that the run before it started', async () => {
    const world = await started();
    const first = { ...confirming(world), state: dyingStore(confirming(world).state, 17, 'before') };
    await failOver(world, first).catch(() => undefined);
    expect(world.effects).toContain(`start ${manifest.replicaUri}`);
    const { resumes } = await directionOf(world.store, roles);
    const again = world.run(2, { syncGroup: () => Promise.reject(new Error('not asked')) });
    const outage = { atMs: 1, source: 'operator' as const };
    const plan = await prepareFailover(again, outage, { resumes: resumes!.run });
    const breaking = { ...again.standby.flink, checkpoints: () => Promise.reject(new ArgusError('X', 'broken')) };
    const context = { ...again, standby: { ...again.standby, flink: breaking } };
    const report = await runFailover({ context, outage, plan, holder: 'me' });
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'CompensationFailed' } });
    expect(exitCodeOf(report)).toBe(4);
    expect(await freezeInForce(world.store, 1)).toBeDefined();
  });
});

test('an identity that no mirror has taken yet is fenced too, so that one which hangs in its start can not write', async () => {
  const world = await started();
  const report = await failOver(world);
  expect(report).toMatchObject({ outcome: 'done' });
  expect(world.effects).toContain('fence');
  expect(await readMirrorProducer(world.store, 1)).toMatchObject({ producerId: 9n });
  expect(report.promotedAt.map((p) => p.offset)).toEqual(['100', '50']);
});

test('going on with a job that runs needs no recovery point any more, and names the one that it was restored from', async () => {
  const world = await started();
  const first = { ...confirming(world), state: dyingStore(confirming(world).state, 17, 'before') };
  await failOver(world, first).catch(() => undefined);
  const report = await failOver(world, world.run(2, { chooseRecoveryPoints: async () => new Map() }));
  expect(report).toMatchObject({
    outcome: 'done',
    recoveryPoint: { checkpointId: 7, uri: manifest.replicaUri, sourceOffsets: [] },
    replayedRecords: null,
  });
});

/** The state as a process sees it that dies at its n-th write of any kind, with or without the write. */
function dyingStore(store: ObjectStore, dieAt: number, when: 'before' | 'after'): ObjectStore {
  let writes = 0;
  let dead = false;
  const killed = () => Promise.reject(new Error('killed'));
  return {
    ...store,
    get: (...args) => (dead ? killed() : store.get(...args)),
    list: (...args) => (dead ? killed() : store.list(...args)),
    put: async (key, body, options) => {
      if (dead) return killed();
      if (++writes !== dieAt) return store.put(key, body, options);
      dead = true;
      if (when === 'after') await store.put(key, body, options);
      return killed();
    },
  };
}

describe('a failover that is killed at any write to the state', () => {
  const deaths = Array.from({ length: 32 }, (_, i) => i + 1).flatMap((n) => [
    [n, 'before'] as const,
    [n, 'after'] as const,
  ]);

  test.each(deaths)('write %i, %s it arrived: the next run ends it, no effect made twice', async (n, when) => {
    const world = await started();
    await keepMirrorProducer(world.store, 1, { transactionalId: 't', producerId: 1n, producerEpoch: 0 });
    const first = { ...world.context, state: dyingStore(world.store, n, when) };
    await failOver(world, first).catch(() => undefined);

    const inForce = (await readRoles(world.store))!;
    const direction = await directionOf(world.store, inForce);
    const ended = inForce.epoch === 2 && direction.roles.epoch === 2;
    if (!ended) {
      expect(direction.roles, 'never turns back to the dead region').toEqual(roles);
      const second = await failOver(world, world.run(2));
      expect(second.error).toBeUndefined();
      expect(second).toMatchObject({ outcome: 'done', epoch: expect.toSatisfy((e: number) => e <= 2) });
      expect(
        second.promotedAt.map((p) => p.offset),
        'where data ended, whatever markers follow',
      ).toEqual(['100', '50']);
    }
    const once = (what: string) => world.effects.filter((e) => e.startsWith(what)).length;
    expect(once('start')).toBe(1);
    expect(once('dns')).toBe(1);
    expect(await readRoles(world.store)).toMatchObject({ epoch: 2, primary: 'singapore' });
  });
});

test('a failover that was planned while a switchover turned the roles does nothing', async () => {
  const world = await started();
  const outage = { atMs: 1, source: 'operator' as const };
  const plan = await prepareFailover(world.context, outage);
  const [primary, standby] = [roles.standby, roles.primary];
  await writeRoles(world.store, { ...roles, epoch: 2, primary, standby, run: '20261121T103000Z-switchover-0001' });
  const report = await runFailover({ context: confirming(world), outage, plan, holder: 'me' });
  expect(report).toMatchObject({ outcome: 'refused', error: { code: 'RolesChanged' } });
  expect(exitCodeOf(report)).toBe(3);
  expect(world.effects).toEqual([]);
});
