import { describe, expect, test } from 'vitest';
import { ArgusError } from '../../../domain/errors.ts';
import { type MemoryObjectStore, memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { ObjectStore } from '../../../regions/objects/object-store.ts';
import { type RunEvent, type RunResult, runSteps } from '../../../runbooks/engine/run.ts';
import type { Step } from '../../../runbooks/engine/step.ts';
import { openJournal, readRun } from '../../../state/journal.ts';
import { acquireLease } from '../../../state/lease.ts';
import { foldRun } from '../../../state/run-record.ts';
import { virtualClock } from '../state/virtual-clock.ts';

/** What the steps act on: how often each effect was made. */
type World = Map<string, number>;

interface Facts {
  readonly seen: readonly string[];
}

const ids = ['a', 'b', 'c'] as const;

function step(id: string, over: Partial<Step<World, Facts>> = {}): Step<World, Facts> {
  return {
    id,
    title: `make ${id}`,
    timeoutMs: 10_000,
    onFailure: { kind: 'stop', hint: `mend ${id}` },
    manual: [],
    async observe(world, facts) {
      if (!world.has(id)) return { kind: 'todo' };
      return { kind: 'done', evidence: id, facts: { seen: [...(facts.seen ?? []), id] } };
    },
    async act(world) {
      world.set(id, (world.get(id) ?? 0) + 1);
    },
    async verify(world, facts) {
      if (!world.has(id)) return { kind: 'pending', waitingFor: `${id} to be there` };
      return { kind: 'done', evidence: id, facts: { seen: [...(facts.seen ?? []), id] } };
    },
    ...over,
  };
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

interface RunOver {
  readonly steps?: readonly Step<World, Facts>[];
  readonly world?: World;
  readonly store?: ObjectStore;
  readonly run?: string;
  readonly signal?: AbortSignal;
  readonly clock?: ReturnType<typeof virtualClock>;
  readonly onEvent?: (event: RunEvent) => void;
}

const runName = (n: number) => `20261121T10300${n}Z-failover-000${n}`;

async function run(over: RunOver = {}): Promise<RunResult<Facts>> {
  const { store = memoryObjectStore('s'), clock = virtualClock(), run = runName(1) } = over;
  const request = { holder: run, purpose: 'failover', run, ttlMs: 10_000, waitMs: 30_000 };
  const answer = await acquireLease(store, request, clock);
  if (answer.kind !== 'acquired') throw new Error('held');
  const { lease } = answer;
  const stop = lease.keepRenewed();
  const result = await runSteps({
    steps: over.steps ?? ids.map((id) => step(id)),
    context: over.world ?? new Map(),
    runbook: 'failover',
    by: 'me',
    details: null,
    epoch: lease.epoch,
    lease,
    journal: openJournal(store, { run, epoch: lease.epoch }, clock),
    clock,
    resumeHint: 'again',
    ...(over.signal ? { signal: over.signal } : {}),
    ...(over.onEvent ? { onEvent: over.onEvent } : {}),
  });
  await stop();
  await lease.release().catch(() => undefined);
  return result;
}

const kinds = async (store: ObjectStore, name = runName(1)) =>
  (await readRun(store, name)).map(({ fact }) => ('step' in fact ? `${fact.kind} ${fact.step}` : fact.kind));

describe('a run', () => {
  test('journals each step before and after its act, with evidence', async () => {
    const store = memoryObjectStore('s');
    const result = await run({ store });
    expect(result).toMatchObject({ outcome: 'done', facts: { seen: ['a', 'b', 'c'] } });
    expect(await kinds(store)).toEqual([
      'run-started',
      ...ids.flatMap((id) => [`step-started ${id}`, `step-finished ${id}`]),
      'run-finished',
    ]);
    expect(foldRun(await readRun(store, runName(1)))).toMatchObject({ status: 'done', epoch: 1 });
  });

  test('does not act where the effect is there already', async () => {
    const world: World = new Map([['b', 1]]);
    const result = await run({ world });
    expect(result.steps.map((s) => s.status)).toEqual(['done', 'already', 'done']);
    expect(world.get('b')).toBe(1);
  });

  test('does not act when step-started can not be made durable', async () => {
    const store = memoryObjectStore('s');
    const world: World = new Map();
    const broken: ObjectStore = {
      ...store,
      put: async (key, body, options) => {
        if (key.endsWith('/000004')) throw new ArgusError('ObjectStoreDenied', 'no');
        return store.put(key, body, options);
      },
    };
    const result = await run({ store: broken, world });
    expect(result.outcome).toBe('failed');
    expect([...world.keys()]).toEqual(['a']);
    expect(result.steps.map((s) => s.status)).toEqual(['done', 'failed', 'not-run']);
  });

  test('waits for the effect, not for the answer: an act that threw and worked is done', async () => {
    const world: World = new Map();
    const b = step('b', {
      act: async (w) => {
        w.set('b', 1);
        throw new ArgusError('FlinkUnreachable', 'answer lost', { retryable: true });
      },
    });
    expect((await run({ world, steps: [b] })).outcome).toBe('done');
  });

  test('fails a step whose effect does not show until its deadline, and runs none after it', async () => {
    const store = memoryObjectStore('s');
    const b = step('b', { act: async () => undefined });
    const result = await run({ store, steps: [step('a'), b, step('c')] });
    expect(result.steps.map((s) => s.status)).toEqual(['done', 'failed', 'not-run']);
    expect(result.error).toMatchObject({ code: 'StepTimedOut', hint: 'mend b' });
    expect(result.error?.message).toContain('b to be there');
    expect(result.steps[1]!.ms).toBeGreaterThanOrEqual(10_000);
    expect((await kinds(store)).slice(-2)).toEqual(['step-failed b', 'run-finished']);
  });

  test('goes on after a step that may fail', async () => {
    const b = step('b', {
      act: () => Promise.reject(new Error('no')),
      onFailure: { kind: 'continue', hint: 'never mind' },
    });
    const result = await run({ steps: [step('a'), b, step('c')] });
    expect(result).toMatchObject({ outcome: 'done', steps: [{}, { status: 'failed' }, { status: 'done' }] });
    expect(result.error).toBeUndefined();
  });

  test('asks a port that can not be reached again, until the deadline', async () => {
    let asked = 0;
    const a = step('a', {
      observe: async () => {
        if (++asked < 3) throw new ArgusError('KafkaUnreachable', 'dark', { retryable: true });
        return { kind: 'done', evidence: asked };
      },
    });
    expect(await run({ steps: [a] })).toMatchObject({ outcome: 'done', steps: [{ evidence: 3 }] });
  });

  test('ends refused when a safety check says so', async () => {
    const error = { code: 'PrimaryUnfenced', message: 'it may still write' };
    const b = step('b', { observe: async () => ({ kind: 'refused', error }) });
    const result = await run({ steps: [step('a'), b, step('c')] });
    expect(result).toMatchObject({
      outcome: 'refused',
      error,
      steps: [{}, { status: 'refused' }, { status: 'not-run' }],
    });
  });

  test('takes back what it did before the point of no return, the last first', async () => {
    const taken: string[] = [];
    const compensate = (id: string) => async () => {
      taken.push(id);
      return id;
    };
    const fail = { act: () => Promise.reject(new Error('no')) };
    const make = (ret: boolean) => [
      step('a', { compensate: compensate('a') }),
      step('b', { compensate: compensate('b'), ...(ret ? { pointOfNoReturn: true as const } : {}) }),
      step('c', fail),
    ];
    expect(await run({ steps: make(false) })).toMatchObject({ outcome: 'failed', compensated: ['b', 'a'] });
    expect(taken).toEqual(['b', 'a']);
    expect(await run({ steps: make(true) })).toMatchObject({ outcome: 'failed', compensated: [], pastReturn: true });
    expect(taken).toEqual(['b', 'a']);
  });

  test('makes no second effect in an act when the lease has run out meanwhile, and no more entries', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const made: string[] = [];
    const a = step('a', {
      act: async (_world, _facts, io) => {
        for (const effect of ['first', 'second']) {
          io.check();
          made.push(effect);
          // This process sleeps: no timer of its own runs meanwhile.
          clock.jump(11_000);
        }
      },
    });
    const result = await run({ store, clock, steps: [a] });
    expect(made).toEqual(['first']);
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'LeaseLost' } });
    expect(await kinds(store)).toEqual(['run-started', 'step-started a']);
  });

  test('does not hang in taking back: the step has its time for that as well', async () => {
    const a = step('a', { compensate: (_w, _f, io) => untilAborted(io.signal) });
    const b = step('b', { act: () => Promise.reject(new Error('no')) });
    const result = await run({ steps: [a, b] });
    expect(result).toMatchObject({ outcome: 'failed', compensated: [], error: { code: 'CompensationFailed' } });
  });

  test('that is interrupted says so in the journal and how to go on', async () => {
    const store = memoryObjectStore('s');
    const stop = new AbortController();
    const b = step('b', {
      act: async (_world, _facts, io) => {
        stop.abort(new Error('SIGINT'));
        await io.clock.sleep(60_000, io.signal);
      },
    });
    const result = await run({ store, signal: stop.signal, steps: [step('a'), b, step('c')] });
    expect(result).toMatchObject({ outcome: 'interrupted', error: { hint: 'again' } });
    expect(result.steps.map((s) => s.status)).toEqual(['done', 'interrupted', 'not-run']);
    expect((await kinds(store)).slice(-2)).toEqual(['run-interrupted b', 'run-finished']);
    expect(foldRun(await readRun(store, runName(1)))).toMatchObject({ status: 'interrupted', hint: 'again' });
  });

  test('does not act any more once its lease ran out while it slept', async () => {
    const store = memoryObjectStore('s');
    const clock = virtualClock();
    const world: World = new Map();
    const b = step('b', {
      observe: async () => {
        clock.jump(20_000);
        return { kind: 'todo' };
      },
    });
    const result = await run({ store, clock, world, steps: [step('a'), b] });
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'LeaseLost' } });
    expect(world.has('b')).toBe(false);
    expect((await kinds(store)).at(-1), 'nothing is written by a late holder').toBe('step-finished a');
  });

  test('is not stopped by a terminal that throws', async () => {
    const onEvent = () => {
      throw new Error('EPIPE');
    };
    expect((await run({ onEvent })).outcome).toBe('done');
  });
});

/** Thrown by the store of a process that is killed; from then on it answers nothing. */
class Killed extends Error {}

/** The store as a process sees it that dies at its n-th write: before the write arrives, or after. */
function dyingStore(store: MemoryObjectStore, dieAt: number, when: 'before' | 'after'): ObjectStore {
  let writes = 0;
  let dead = false;
  const alive = () => {
    if (dead) throw new Killed();
  };
  return {
    ...store,
    get: (...args) => {
      alive();
      return store.get(...args);
    },
    list: (...args) => {
      alive();
      return store.list(...args);
    },
    put: async (key, body, options) => {
      alive();
      if (!key.startsWith('journal/') || ++writes !== dieAt) return store.put(key, body, options);
      dead = true;
      if (when === 'after') await store.put(key, body, options);
      throw new Killed();
    },
  };
}

describe('a run that is killed at any journal write', () => {
  const deaths = Array.from({ length: 8 }, (_, i) => i + 1).flatMap((n) => [
    [n, 'before'] as const,
    [n, 'after'] as const,
  ]);

  test.each(deaths)('write %i, %s it arrived: a second run ends it, no effect made twice', async (n, when) => {
    const store = memoryObjectStore('s');
    const world: World = new Map();
    const first = await run({ store: dyingStore(store, n, when), world });
    expect(first.outcome).toBe('failed');
    const second = await run({ store, world, run: runName(2) });
    expect(second).toMatchObject({ outcome: 'done', epoch: 2 });
    expect(Object.fromEntries(world)).toEqual({ a: 1, b: 1, c: 1 });
  });

  test.each(ids)('inside the act of %s, after its effect: likewise', async (id) => {
    const store = memoryObjectStore('s');
    const world: World = new Map();
    let dead = false;
    const mortal: ObjectStore = {
      ...store,
      put: (...args) => (dead ? Promise.reject(new Killed()) : store.put(...args)),
    };
    const dying = step(id, {
      act: async (w) => {
        w.set(id, 1);
        dead = true;
        throw new Killed();
      },
      verify: () => Promise.reject(new Killed()),
    });
    await run({ store: mortal, world, steps: ids.map((i) => (i === id ? dying : step(i))) });
    expect(await run({ store, world, run: runName(2) })).toMatchObject({ outcome: 'done' });
    expect(Object.fromEntries(world)).toEqual({ a: 1, b: 1, c: 1 });
  });
});
