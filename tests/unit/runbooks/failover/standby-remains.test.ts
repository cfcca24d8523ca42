import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { OpenTransaction } from '../../../../replication/topics/decide-transactions.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { readRun } from '../../../../state/journal.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { confirming, failOver, started } from './fail-over.ts';
import { config, manifest, runName } from './world.ts';

const leftOpen = (partition: number, sourceProducerId: bigint): OpenTransaction => ({
  topic: 'events',
  partition,
  owner: 'mirror',
  transactionalId: `__argus-mirror-events-${partition}-t0`,
  producerId: 1_000n + BigInt(partition),
  producerEpoch: 0,
  firstOffset: 10n,
  sinceMs: 1,
  sourceProducerId,
  sourceProducerEpoch: undefined,
});
const foreign: OpenTransaction = { ...leftOpen(1, 0n), owner: 'foreign', transactionalId: undefined, producerId: 5n };

/** A point for the plan, none when the run comes to choose. */
function chooseOnce(context: Omit<FailoverContext, 'epoch'>): FailoverContext['chooseRecoveryPoints'] {
  let asked = 0;
  return async (...args) => (asked++ === 0 ? context.chooseRecoveryPoints(...args) : new Map());
}

test('ends what the mirror left open behind the start of the jobs: pre-committed ones are committed', async () => {
  const [pending] = manifest.droppedTransactions;
  const world = await started({ open: [leftOpen(0, BigInt(pending!.producerId)), leftOpen(1, 77n), foreign] });
  const report = await failOver(world, confirming(world));
  expect(report.outcome).toBe('done');
  expect(world.effects).toEqual([
    'sync group',
    `start ${manifest.replicaUri}`,
    'commit __argus-mirror-events-0-t0',
    'abort __argus-mirror-events-1-t0',
    'dns 127.0.2.1',
  ]);
  // The markers stand above: they are nobody's records.
  expect(report.promotedAt.map((p) => p.offset)).toEqual(['100', '50']);
  expect(report.endedTransactions).toMatchObject([
    { partition: 0, outcome: 'commit', because: 'pre-committed', markerOffset: '100', records: 3 },
    { partition: 1, outcome: 'abort', because: 'default', markerOffset: '50', records: 3 },
  ]);
  expect(report.foreignTransactions).toMatchObject([{ partition: 1, producerId: '5' }]);
});

test('takes the mirror`s right to write away where the configuration names it, and gives it back when it gives up', async () => {
  const mirror = { ...config.mirror, principal: 'User:mirror', denyWrite: true };
  const world = await started();
  const report = await failOver(world, { ...confirming(world), config: { ...config, mirror } });
  expect(report).toMatchObject({ outcome: 'done', writeDenied: true });
  expect(world.effects.slice(0, 2)).toEqual(['deny User:mirror', 'sync group']);

  const other = await started();
  const context = { ...confirming(other), config: { ...config, mirror } };
  const refusing = { ...context, chooseRecoveryPoints: chooseOnce(context) };
  const given = await failOver(other, refusing);
  expect(given).toMatchObject({ outcome: 'refused', compensated: ['seal-mirror', 'freeze-mirror', 'fence-primary'] });
  expect(other.effects).toEqual(['deny User:mirror', 'sync group', 'allow User:mirror']);
});

test('goes on, and says so, where nothing can deny the mirror its writes', async () => {
  const mirror = { ...config.mirror, principal: 'User:mirror', denyWrite: true };
  const world = await started({ authorizer: false });
  const report = await failOver(world, { ...confirming(world), config: { ...config, mirror } });
  expect(report).toMatchObject({ outcome: 'done', writeDenied: false });
  const record = foldRun(await readRun(world.store, runName(1)))!;
  expect(JSON.stringify(record.steps.find((s) => s.id === 'seal-mirror'))).toContain('have no authorizer');
});

test('names a seal that failed, and goes on', async () => {
  const world = await started();
  const remains = {
    ...world.context.remains,
    closeIdleIds: () => Promise.reject(new ArgusError('X', 'no coordinator')),
  };
  const report = await failOver(world, { ...confirming(world), remains });
  expect(report).toMatchObject({ outcome: 'done', writeDenied: false });
  expect(report.steps.find((s) => s.id === 'seal-mirror')).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('no coordinator') },
  });
});
