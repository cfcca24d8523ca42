import { describe, expect, test } from 'vitest';
import { fenceReturned } from '../../../daemon/fence-returned.ts';
import type { Roles } from '../../../domain/roles.ts';
import type { FlinkJob } from '../../../regions/flink/flink-jobs.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import type { Region } from '../../../regions/region.ts';
import { standbyJobId } from '../../../runbooks/failover/standby-job.ts';
import { beyondPromotion, isToBeQuiet } from '../../../runbooks/fencing/fence-returned.ts';
import { listRuns, readRun } from '../../../state/journal.ts';
import { dropFenceRules, readKafkaFence } from '../../../state/kafka-fence.ts';
import { acquireLease } from '../../../state/lease.ts';
import { writeRoles } from '../../../state/roles.ts';
import { foldRun } from '../../../state/run-record.ts';
import { type FakeFenceOptions, fakeFence } from '../../support/fake-fence.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { quietLog } from './quiet-log.ts';

const roles: Roles = {
  epoch: 2,
  primary: 'singapore',
  standby: 'mumbai',
  replication: 'suspended',
  atMs: 1,
  by: 'me',
  run: 'the-failover',
  promotedAt: [
    { topic: 'events', partition: 0, offset: '100' },
    { topic: 'events', partition: 1, offset: '50' },
  ],
};

test.each<[string, Roles | undefined, number | undefined, boolean]>([
  ['a region that a run took the role from', roles, undefined, true],
  ['nobody while the roles are not known', undefined, undefined, false],
  ['no standby that never was primary', { ...roles, epoch: 1, run: undefined as never }, undefined, false],
  ['not the primary', { ...roles, primary: 'mumbai', standby: 'singapore' }, undefined, false],
  ['not a region that is being opened for the next roles', roles, 3, false],
  ['a region that was opened for roles of before', roles, 2, true],
])('keeps quiet %s', (_, inForce, openedFor, quiet) => {
  expect(isToBeQuiet('mumbai', inForce, openedFor)).toBe(quiet);
});

test('counts what lies beyond the promotion', () => {
  const ends = [100n, 57n, 9n].map((offset, partition) => ({ topic: 'events', partition, offset }));
  expect(beyondPromotion(ends, roles)).toEqual([{ topic: 'events', partition: 1, offset: 57n, promotedAt: 50n }]);
});

interface Returned {
  readonly answers?: () => boolean;
  readonly jobs?: FlinkJob[];
  readonly fence?: FakeFenceOptions;
}

async function watching({ answers = () => true, jobs = [], fence = {} }: Returned) {
  const state = memoryObjectStore('state');
  const clock = virtualClock();
  const log = quietLog();
  const fake = fakeFence({ dark: () => !answers(), ...fence });
  const ends = new Map([
    [0, 100n],
    [1, 57n],
  ]);
  const region = {
    name: 'mumbai',
    fence: fake.fence,
    kafka: {
      ...fake.acls,
      describeTopics: async () => new Map([['events', { name: 'events', topicId: 'x', partitions: 2 }]]),
      logRanges: async (all: readonly { topic: string; partition: number }[]) =>
        all.map((p) => ({ ...p, logStartOffset: 0n, logEndOffset: ends.get(p.partition)! })),
    },
    flink: {
      list: async () => {
        if (!answers()) throw new Error('connect timed out');
        return [...jobs];
      },
      cancel: async (id: string) => {
        const at = jobs.findIndex((j) => j.id === id);
        if (at >= 0) jobs[at] = { ...jobs[at]!, state: 'CANCELED' };
      },
    },
  } as unknown as Region;
  await writeRoles(state, {
    epoch: 1,
    primary: 'mumbai',
    standby: 'singapore',
    replication: 'active',
    atMs: 1,
    by: '',
  });
  await writeRoles(state, roles);
  const request = { key: 'lease-daemon', holder: 'me', purpose: 'daemon', ttlMs: 15_000, waitMs: 0 };
  const answer = await acquireLease(state, request, clock);
  if (answer.kind !== 'acquired') throw new Error('nobody else was there');
  const renewing = answer.lease.keepRenewed();
  const config = { topics: ['events'], jobs: [{ name: 'counts' }] } as never;
  const stop = new AbortController();
  const regions = new Map([['mumbai', region]]);
  const looks: (boolean | undefined)[] = [];
  const onLook = (look: { readonly holds: boolean } | undefined) => {
    if (looks.length === 0 || looks.at(-1) !== look?.holds) looks.push(look?.holds);
  };
  const running = fenceReturned(
    { config, regions, state, clock, log, holder: 'me', roles: () => roles, lease: answer.lease, onLook },
    stop.signal,
  );
  return {
    /** Whether the fence held, at each look that differed from the one before. */
    looks,
    state,
    rules: fake.rules,
    log,
    runs: () => listRuns(state),
    async end() {
      stop.abort();
      await running;
      await renewing();
    },
  };
}

const job = (over: Partial<FlinkJob> = {}): FlinkJob => ({
  id: '1'.repeat(32),
  name: 'counts',
  state: 'RUNNING',
  startedAtMs: 1,
  ...over,
});

describe('an old primary', () => {
  test('is fenced and its jobs are stopped as soon as it answers; what it took beyond the promotion is counted', async () => {
    let up = false;
    const jobs = [job(), job({ id: '2'.repeat(32), name: 'of somebody else' })];
    const watch = await watching({ answers: () => up, jobs });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await watch.runs()).toEqual([]);
    up = true;
    await expect.poll(() => watch.log.lines.map((l) => l.message)).toContain('mumbai is fenced');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await watch.end();
    expect(watch.rules.map((r) => `${r.permission} ${r.principal} ${r.resourceType}`)).toEqual([
      'DENY User:ingest topic',
      'DENY User:ingest transactionalId',
      'DENY User:counts topic',
      'DENY User:counts transactionalId',
    ]);
    expect(jobs.map((j) => j.state)).toEqual(['CANCELED', 'RUNNING']);
    expect(watch.looks).toEqual([undefined, false, undefined, true]);
    const runs = await watch.runs();
    expect(runs, 'once').toHaveLength(1);
    const record = foldRun(await readRun(watch.state, runs[0]!))!;
    expect(record).toMatchObject({ runbook: 'fence', status: 'done' });
    expect(record.steps[0]).toMatchObject({
      evidence: {
        kind: 'proven',
        beyondPromotion: [{ topic: 'events', partition: 1, offset: '57', promotedAt: '50' }],
      },
    });
  });

  test('is left alone while a run opens it, and keeps the jobs that a promotion started there', async () => {
    const own = job({ id: standbyJobId(3, 'counts', 0) });
    const jobs = [own];
    const watch = await watching({ jobs });
    await expect.poll(() => watch.log.lines.map((l) => l.message)).toContain('mumbai is fenced');
    expect(jobs).toEqual([own]);
    const lifted = [...watch.rules];
    await dropFenceRules(watch.state, 'mumbai', lifted, { by: 'a switchover', atMs: 2, openedFor: 3 });
    watch.rules.splice(0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await watch.end();
    expect(watch.rules).toEqual([]);
    expect(await readKafkaFence(watch.state, 'mumbai')).toMatchObject({ rules: [], openedFor: 3 });
  });

  test('that can not be fenced is told, and tried again', async () => {
    const watch = await watching({ fence: { leaks: 'User:ingest' } });
    await expect.poll(async () => (await watch.runs()).length, { timeout: 5_000 }).toBeGreaterThan(1);
    await watch.end();
    const told = watch.log.lines.filter((l) => l.level === 'warn').map((l) => l.message);
    expect(told).toContain('mumbai could not be fenced: it is tried again');
    expect(new Set(watch.looks)).toEqual(new Set([false]));
    const [first] = await watch.runs();
    const record = foldRun(await readRun(watch.state, first!))!;
    expect(record.steps[0]).toMatchObject({ status: 'failed' });
  });
});
