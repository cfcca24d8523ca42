import { expect, test } from 'vitest';
import type { OpenTransaction } from '../../../../replication/topics/decide-transactions.ts';
import { runPromotion } from '../../../../runbooks/promotion/run-promotion.ts';
import { freezeInForce } from '../../../../state/freeze.ts';
import { readRun } from '../../../../state/journal.ts';
import { keepMirrorProducer } from '../../../../state/mirror-producer.ts';
import { readRoles, writeRoles } from '../../../../state/roles.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { newWorld, roles, runName } from '../failover/world.ts';

const open: OpenTransaction = {
  topic: 'events',
  partition: 0,
  owner: 'mirror',
  transactionalId: '__argus-mirror-events-0-t0',
  producerId: 1_000n,
  producerEpoch: 0,
  firstOffset: 10n,
  sinceMs: 1,
  sourceProducerId: 7n,
  sourceProducerEpoch: undefined,
};

async function promoting(over: Parameters<typeof newWorld>[0] = {}) {
  const world = newWorld(over);
  await writeRoles(world.store, roles);
  await keepMirrorProducer(world.store, 1, { transactionalId: 't', producerId: 1n, producerEpoch: 0 });
  return world;
}

test('a promotion ends what is open, writes the roles, and touches neither jobs nor names', async () => {
  const world = await promoting({ open: [open] });
  const context = { ...world.context, jobs: [], commitTransactions: ['7', '8'] };
  const report = await runPromotion({ context, holder: 'me' });
  expect(report).toMatchObject({
    outcome: 'done',
    from: 'mumbai',
    to: 'singapore',
    unmatchedCommits: ['8'],
    endedTransactions: [{ outcome: 'commit', because: 'asked', sourceProducerId: '7' }],
  });
  expect(report.promotedAt.map((p) => p.offset)).toEqual(['100', '50']);
  expect(world.effects).toEqual(['fence', 'commit __argus-mirror-events-0-t0']);
  expect(await readRoles(world.store)).toMatchObject({ epoch: 2, primary: 'singapore', replication: 'suspended' });
  const record = foldRun(await readRun(world.store, runName(1)));
  expect(record).toMatchObject({ runbook: 'promote', status: 'done', report: JSON.parse(JSON.stringify(report)) });
});

test('a promotion that was interrupted behind the ends is gone on with, and nothing is ended twice', async () => {
  const world = await promoting({ open: [open] });
  let puts = 0;
  const dying = {
    ...world.store,
    put: (...args: Parameters<typeof world.store.put>) =>
      args[0].startsWith('roles/') && puts++ === 0 ? Promise.reject(new Error('gone')) : world.store.put(...args),
  };
  const first = await runPromotion({ context: { ...world.context, state: dying, jobs: [] }, holder: 'me' });
  expect(first).toMatchObject({ outcome: 'failed', pastReturn: true, compensated: [] });
  expect(await freezeInForce(world.store, 1)).toBeDefined();
  const second = await runPromotion({ context: { ...world.run(2), jobs: [] }, resumes: runName(1), holder: 'me' });
  expect(second).toMatchObject({ outcome: 'done', endedTransactions: [] });
  expect(second.promotedAt).toEqual(first.promotedAt);
  expect(world.effects.filter((e) => e.startsWith('abort'))).toHaveLength(1);
});
