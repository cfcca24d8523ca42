import { expect, test } from 'vitest';
import type { Roles } from '../../../../domain/roles.ts';
import { memoryObjectStore } from '../../../../regions/objects/memory-object-store.ts';
import { directionOf } from '../../../../runbooks/failover/direction.ts';
import { type Fact, openJournal, runId } from '../../../../state/journal.ts';
import { writeRoles } from '../../../../state/roles.ts';
import { virtualClock } from '../../state/virtual-clock.ts';

test('a switchover that died behind its promotion is gone on with, however many other runs came after it', async () => {
  const store = memoryObjectStore('s');
  const clock = virtualClock();
  const begun = clock.now();
  const journal = async (run: string, facts: readonly Fact[]) => {
    const to = openJournal(store, { run, epoch: 1 }, clock);
    for (const fact of facts) await to.append(fact);
  };
  const started = (runbook: string): Fact => ({
    kind: 'run-started',
    runbook,
    by: 'me',
    details: { rolesEpoch: runbook === 'switchover' ? 1 : 2 },
  });
  const died = runId(begun, 'switchover', '0000');
  await journal(died, [started('switchover'), { kind: 'step-started', step: 'promote', pastReturn: true }]);
  const old: Roles = {
    epoch: 1,
    primary: 'mumbai',
    standby: 'singapore',
    replication: 'active',
    atMs: begun,
    by: 'me',
  };
  const inForce: Roles = { ...old, epoch: 2, primary: 'singapore', standby: 'mumbai', run: died };
  await writeRoles(store, old);
  await writeRoles(store, inForce);
  for (let n = 1; n <= 25; n++) {
    await journal(runId(begun + n * 60_000, 'fence', '0000'), [started('fence')]);
  }
  const { roles, resumes, open } = await directionOf(store, inForce, { runbook: 'switchover' });
  expect(roles).toEqual(old);
  expect(resumes?.run).toBe(died);
  expect(open).toHaveLength(1);
});
