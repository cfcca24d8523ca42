import { expect, test } from 'vitest';
import { eventHub } from '../../../daemon/events.ts';
import { teller } from '../../../daemon/tell-decisions.ts';
import type { Roles } from '../../../domain/roles.ts';
import type { AutomaticDecision } from '../../../health/decide-automatic.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { listDecisions, readStanding } from '../../../state/decisions.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const call = { signal: new AbortController().signal };
const roles: Roles = { epoch: 1, primary: 'blue', standby: 'green', replication: 'active', atMs: 0, by: 'asha' };
const decision: AutomaticDecision = {
  kind: 'wait',
  verdict: 'PrimaryDead',
  sentence: 'nothing in blue answers',
  reasons: [{ code: 'HoldDown', message: 'not for long enough' }],
};

test.each([
  ['fails', () => Promise.reject(new Error('no list'))],
  ['hangs', () => new Promise<never>(() => undefined)],
])('a decision is kept once, and how things stand is told, while clearing up old ones %s', async (_, list) => {
  const clock = virtualClock();
  const store = memoryObjectStore('state');
  const parts = { mode: 'automatic', state: { ...store, list }, clock, log: quietLog(), who: 'test' } as const;
  const tell = teller(parts, { events: eventHub(), leads: () => true });
  await tell.judged([], decision, roles, call);
  clock.jump(1_000);
  await tell.judged([], decision, roles, call);
  expect(await listDecisions(store, 9)).toMatchObject([{ kind: 'wait', verdict: 'PrimaryDead' }]);
  expect(await readStanding(store)).toMatchObject({ decision: { kind: 'wait' } });
});
