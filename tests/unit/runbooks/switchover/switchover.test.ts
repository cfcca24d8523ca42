import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { SwitchoverContext } from '../../../../runbooks/switchover/context.ts';
import { prepareSwitchover } from '../../../../runbooks/switchover/run-switchover.ts';
import { freezeInForce } from '../../../../state/freeze.ts';
import { readRunBegin } from '../../../../state/journal.ts';
import { acquireLease } from '../../../../state/lease.ts';
import { readRoles, writeRoles } from '../../../../state/roles.ts';
import { manifest, roles } from '../failover/world.ts';
import { newSwitchoverWorld, type SwitchoverWorld, startedSwitchover, switchOver } from './world.ts';

const statusOf = (
  report: { readonly steps: readonly { readonly id: string; readonly status: string }[] },
  id: string,
) => report.steps.find((s) => s.id === id)?.status;

/** Nothing of a switchover is left: the primary serves as before. */
async function expectAsBefore(world: SwitchoverWorld): Promise<void> {
  expect([...world.kept]).toEqual([]);
  expect(world.primaryJobs.filter((j) => j.state === 'RUNNING')).toHaveLength(1);
  expect(await readRoles(world.store)).toEqual(roles);
  expect(await freezeInForce(world.store, 1)).toBeUndefined();
  expect(world.effects.filter((e) => e.startsWith('dns ') || e.startsWith('start s3'))).toEqual([]);
}

describe('a switchover', () => {
  test('moves everything, and proves by offsets that nothing is lost', async () => {
    const world = await startedSwitchover();
    const report = await switchOver(world);
    expect(report.error).toBeUndefined();
    expect(report).toMatchObject({
      outcome: 'done',
      rpo: {
        provenZero: true,
        producers: 'proven',
        partitions: [
          { topic: 'events', partition: 0, primaryEnd: '100', standbyEnd: '100' },
          { topic: 'events', partition: 1, primaryEnd: '50', standbyEnd: '50' },
        ],
      },
      replayedRecords: 0,
      savepoints: [{ job: 'counts', checkpointId: 8 }],
    });
    expect(report.producersBlockedMs).toBeLessThanOrEqual(30_000);
    expect(world.effects).toEqual([
      'deny producers',
      'stop 1111',
      'deny jobs',
      'copy 8',
      'sync group',
      'start s3://checkpoints-singapore/8',
      'dns 127.0.2.1',
    ]);
  });

  test('notes when it begins for whom each of its steps is to wait', async () => {
    const world = await startedSwitchover();
    const { run } = await switchOver(world);
    const begin = await readRunBegin(world.store, run);
    expect(begin?.fact).toMatchObject({
      details: {
        steps: expect.arrayContaining([
          expect.objectContaining({ id: 'stop-with-savepoint', waitsFor: 'Flink of the primary' }),
        ]),
      },
    });
  });

  test('leaves the other side as standby that is mirrored to at once', async () => {
    const world = await startedSwitchover();
    await switchOver(world);
    expect(await readRoles(world.store)).toMatchObject({
      epoch: 2,
      primary: 'singapore',
      standby: 'mumbai',
      replication: 'active',
      promotedAt: [{ offset: '100' }, { offset: '50' }],
    });
    // Its clients stay shut out until it is primary again.
    expect([...world.kept].sort()).toEqual(['jobs', 'producers']);
  });

  test('lets the mirror write to the old primary, which an earlier change of roles had kept from it', async () => {
    const world = await startedSwitchover();
    world.mirrorOpen = false;
    expect(await switchOver(world)).toMatchObject({ outcome: 'done' });
    expect([...world.kept].sort()).toEqual(['jobs', 'producers']);
    expect(world.mirrorOpen).toBe(true);
    const order = ['start s3://checkpoints-singapore/8', 'allow mirror'];
    expect(world.effects.filter((e) => order.includes(e))).toEqual(order);
  });

  test('is made by hand from the savepoints, too, and not from an older checkpoint', async () => {
    const choice = { kind: 'chosen' as const, point: manifest, rejected: [] };
    const context = {
      ...newSwitchoverWorld().context2(1),
      chooseRecoveryPoints: async () => new Map([['counts', choice]]),
    };
    const { steps } = await prepareSwitchover(context);
    const byHand = steps.find((s) => s.id === 'start-jobs')?.manual.join('\n');
    expect(byHand).toContain('<the copy of counts’s savepoint>');
    expect(JSON.stringify(steps)).not.toContain(manifest.replicaUri);
  });

  test('does not wait for ever for a job that is behind: what it has not read is read on the standby', async () => {
    const world = await startedSwitchover({ committed: [90n, 50n] });
    expect(await switchOver(world)).toMatchObject({ outcome: 'done', behind: [{ job: 'counts', offsets: '10' }] });
  });

  test('waits for the coordinator to end what a producer has left open, before the mirror stops', async () => {
    const world = await startedSwitchover();
    let looks = 0;
    const heldAtPrimary = async () => (++looks < 20 ? [{ topic: 'events', partition: 0, offset: 90n }] : []);
    const report = await switchOver(world, 1, { heldAtPrimary });
    expect(report).toMatchObject({ outcome: 'done', rpo: { provenZero: true } });
    expect(report.steps.find((s) => s.id === 'await-catch-up')?.ms).toBeGreaterThanOrEqual(5_000);
  });

  test('takes a person`s word for the producers where there are no means, and sees the logs stand still', async () => {
    const world = await startedSwitchover({ noFence: true, producersStopped: true });
    const report = await switchOver(world);
    expect(report).toMatchObject({ outcome: 'done', rpo: { producers: 'by-person' } });
    expect(report.steps.find((s) => s.id === 'await-catch-up')?.ms).toBeGreaterThanOrEqual(3_000);
  });
});

describe('a switchover that gives up goes back to the primary', () => {
  const breaking: readonly (readonly [string, (world: SwitchoverWorld) => Partial<SwitchoverContext>])[] = [
    ['await-catch-up', () => ({ lookForRecords: () => fails('KafkaFailed') })],
    ['deny-jobs', (world) => ({ denyWriters: refusing(world, 'jobs') })],
    ['await-catch-up', () => ({ heldAtPrimary: () => fails('KafkaFailed') })],
    ['copy-savepoints', () => ({ copySavepoint: () => fails('SavepointNotCopied') })],
  ];

  test.each(breaking)('when %s fails', async (id, over) => {
    const world = await startedSwitchover({ committed: [90n, 50n] });
    const report = await switchOver(world, 1, over(world));
    expect(report).toMatchObject({ outcome: 'failed', pastReturn: false });
    expect(statusOf(report, id)).toBe('failed');
    await expectAsBefore(world);
  });

  test('when the job can`t take a savepoint: it was never stopped', async () => {
    const world = await startedSwitchover({ savepointFails: 'disk full' });
    const report = await switchOver(world);
    expect(report).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('disk full') } });
    expect(world.primaryJobs).toHaveLength(1);
    await expectAsBefore(world);
  });

  test('when the mirror has not all: nothing is promoted to less than the primary holds', async () => {
    const world = await startedSwitchover();
    world.behind = 3n;
    const report = await switchOver(world);
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'EndsDiffer' }, rpo: { provenZero: false } });
    await expectAsBefore(world);
    expect(world.effects).toContainEqual(expect.stringMatching(/^start again .*\/savepoint-8$/));
  });

  test('when the mirror is silent: nobody is shut out at the brokers', async () => {
    const world = await startedSwitchover({ silentMirror: true });
    const report = await switchOver(world);
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'MirrorSilent' } });
    expect(world.effects).not.toContain('fence');
    await expectAsBefore(world);
  });

  test('and can be made again, from the job that was started again', async () => {
    const world = await startedSwitchover();
    world.behind = 3n;
    await switchOver(world);
    world.behind = 0n;
    expect(await switchOver(world, 2)).toMatchObject({ outcome: 'done', savepoints: [{ checkpointId: 9 }] });
  });
});

describe('a switchover is refused', () => {
  const blockers = async (world: SwitchoverWorld, over: Partial<SwitchoverContext> = {}) =>
    (await prepareSwitchover({ ...world.context2(1), ...over })).blockers.map((b) => b.code);

  test.each<[string, () => SwitchoverWorld, Partial<SwitchoverContext>, string]>([
    ['after a failover', newSwitchoverWorld, { roles: { ...roles, replication: 'suspended' } }, 'ReplicationSuspended'],
    ['without a daemon', () => newSwitchoverWorld({ daemonAgeMs: 60_000 }), {}, 'NoDaemon'],
    ['without means to stop the producers', () => newSwitchoverWorld({ noFence: true }), {}, 'ProducersNotFenced'],
  ])('%s', async (_, make, over, code) => {
    expect(await blockers(make(), over)).toContain(code);
  });

  test('while the mirror is far behind', async () => {
    const world = newSwitchoverWorld();
    world.behind = 1_000_000n;
    expect(await blockers(world)).toEqual(['MirrorLagging']);
  });

  test('while the job does not run', async () => {
    const world = newSwitchoverWorld();
    world.primaryJobs[0]!.state = 'RESTARTING';
    expect(await blockers(world)).toEqual(['JobNotRunning']);
  });

  test.each(['mumbai', 'singapore'])('while a job with changelog state is a session job of %s', async (region) => {
    const world = newSwitchoverWorld();
    const context = world.context2(1);
    const kubernetes = { [region]: { namespace: 'data', deployment: 'session', sessionJob: 'counts' } };
    const jobs = context.jobs.map((job) => ({ ...job, config: { ...job.config, kubernetes } }));
    expect(await blockers(world, { jobs })).toEqual([]);
    const checkpointing = { mode: 'exactly_once', timeoutMs: 1, whenEnded: 'kept', unaligned: false } as const;
    const settings = async () => ({
      cluster: new Map(),
      operators: [],
      checkpointing: { ...checkpointing, changelog: true },
    });
    const primary = { ...context.primary, flink: { ...context.primary.flink, settings } };
    expect(await blockers(world, { jobs, primary })).toEqual(['ClaimImpossible']);
    expect(world.effects).toEqual([]);
  });

  test('while somebody else is at work', async () => {
    const world = await startedSwitchover();
    const { clock, store } = world;
    const request = { holder: 'other@there', purpose: 'failover', run: 'r', ttlMs: 10_000, waitMs: 1 };
    const answer = await acquireLease(store, request, clock, {});
    if (answer.kind === 'held') throw new Error('held');
    const stop = answer.lease.keepRenewed();
    await expect(switchOver(world)).rejects.toMatchObject({ code: 'LeaseHeld', exitCode: 3 });
    await stop();
    await expectAsBefore(world);
  });

  test('when it was planned under roles that are history: another went there and back meanwhile', async () => {
    const world = await startedSwitchover();
    const again = { ...roles, epoch: 3, by: 'somebody' };
    await writeRoles(world.store, { ...again, epoch: 2, primary: 'singapore', standby: 'mumbai' });
    await writeRoles(world.store, again);
    const report = await switchOver(world);
    expect(report).toMatchObject({ outcome: 'refused', pastReturn: false, error: { code: 'RolesChanged' } });
    expect(world.effects).toEqual([]);
  });

  test('when roles were written meanwhile', async () => {
    const world = await startedSwitchover();
    const report = await switchOver(world, 1, {
      copySavepoint: async (...args) => {
        await writeRoles(world.store, { ...roles, epoch: 2, by: 'somebody' });
        return world.context2(1).copySavepoint(...args);
      },
    });
    // The jobs run on the standby by then: it is told, and has to be mended.
    expect(report).toMatchObject({ outcome: 'refused', pastReturn: true, error: { code: 'RolesChanged' } });
  });
});

const fails = (code: string) => Promise.reject(new ArgusError(code, 'as the test wants'));

function refusing(world: SwitchoverWorld, who: string): SwitchoverContext['denyWriters'] {
  const { denyWriters } = world.context2(1);
  return (writers, io) => (writers === who ? fails('KafkaDenied') : denyWriters(writers, io));
}
