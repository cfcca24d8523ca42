import { evidence } from '../../../runbooks/failover/failover-step.ts';
import { clearBubble, restoreQuota } from '../clear-bubble.ts';
import type { IsolatedStep } from '../context.ts';
import { drillThings } from '../inventory.ts';
import { closeDrill, quotaOf } from './take-inventory.ts';

/** Ends the jobs and removes all that the drill made. What a failed drill has begun is taken back step by step instead. */
export function tearDown(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  let removed: number | undefined;
  return {
    id: 'tear-down',
    ...words,
    waitsFor: 'the standby',
    timeoutMs: 240_000,
    onFailure: { kind: 'stop', hint: '`argus drill clean` removes what is left, and says what it can not' },
    async observe() {
      return { kind: 'todo' };
    },
    async act(context, _facts, io) {
      const things = await clearBubble(context.standby, context.run, io);
      await restoreQuota(context.standby, await quotaOf(context, io), io);
      removed = things;
    },
    async verify({ standby, run }, _facts, { signal }) {
      const left = (await drillThings(standby, signal)).filter((thing) => thing.run === run);
      const [first] = left;
      if (first !== undefined) return { kind: 'pending', waitingFor: `${first.kind} ${first.name} to be gone` };
      if (removed === undefined) return { kind: 'pending', waitingFor: 'the limits to be as before' };
      return { kind: 'done', evidence: evidence({ removed }) };
    },
  };
}

/** Counts again what is there: a drill leaves nothing. */
export function checkLeaks(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  let seen: Awaited<ReturnType<typeof closeDrill>> | undefined;
  return {
    id: 'check-leaks',
    ...words,
    timeoutMs: 60_000,
    onFailure: { kind: 'stop', hint: '`argus drill clean` removes what has a name of a drill' },
    async observe() {
      return { kind: 'todo' };
    },
    async act(context, facts, io) {
      seen = await closeDrill(context, facts, io);
    },
    async verify() {
      return seen === undefined
        ? { kind: 'pending', waitingFor: 'the look at what is left' }
        : { kind: 'done', evidence: evidence(seen) };
    },
  };
}
