import { expect, test } from 'vitest';
import { ArgusError } from '../../../../domain/errors.ts';
import type { FlinkJob, FlinkJobs, StartJob } from '../../../../regions/flink/flink-jobs.ts';
import { joinedFlinkJobs } from '../../../../regions/flink/joined-flink-jobs.ts';

const start: StartJob = { jarPath: '', entryClass: '', args: [], parallelism: 2 };

/** A way to jobs that are called `<name>`, with the name for their id; asked for others it doesn't know them. */
function way(names: readonly string[], startedAtMs: number, over: Partial<FlinkJobs> = {}): FlinkJobs {
  const known = (id: string) => {
    if (!names.includes(id)) throw new ArgusError('JobMissing', `no ${id} in ${names.join()}`);
  };
  const jobs: readonly FlinkJob[] = names.map((name) => ({ id: name, name, state: 'RUNNING', startedAtMs }));
  return {
    list: async () => jobs,
    checkpoints: async (id) => {
      known(id);
      return { completedCount: startedAtMs, failedCount: 0 };
    },
    snapshots: async (id) => {
      known(id);
      return [];
    },
    settings: async (id) => {
      known(id);
      return { cluster: new Map(), operators: names };
    },
    slots: async () => ({ free: 1, total: startedAtMs }),
    start: async ({ name = '' }) => ({ jobId: `${name} by ${names.join()}` }),
    cancel: async (id) => known(id),
    failureOf: async (id) => {
      known(id);
      return `${id} fell`;
    },
    ...over,
  };
}

const parts = [
  { flink: way(['a', 'b'], 1), jobs: ['a', 'b'] },
  {
    flink: way(['c'], 2, { forceStop: async () => ({ done: ['ended c'], unproven: [] }), clusters: async () => [] }),
    jobs: ['c'],
  },
];
const joined = joinedFlinkJobs(parts);

test('all jobs, the newest first, and the slots of all', async () => {
  expect((await joined.list()).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  expect(await joined.slots()).toEqual({ free: 2, total: 3 });
});

test('the releases of all that tell theirs, each once', async () => {
  const telling = (version: string) => way([version], 1, { versions: async () => [{ version }] });
  const of = (...ways: FlinkJobs[]) => joinedFlinkJobs(ways.map((flink) => ({ flink, jobs: [] }))).versions?.();
  expect(await of(telling('2.2.1'), way(['a'], 1), telling('1.20.5'), telling('2.2.1'))).toEqual([
    { version: '1.20.5' },
    { version: '2.2.1' },
  ]);
});

test('each question goes where the job is', async () => {
  expect((await joined.checkpoints('a')).completedCount).toBe(1);
  expect((await joined.checkpoints('c')).completedCount).toBe(2);
  expect((await joined.settings('c')).operators).toEqual(['c']);
  expect(await joined.failureOf('b')).toBe('b fell');
  await joined.cancel('c');
  await expect(joined.checkpoints('d')).rejects.toMatchObject({ code: 'JobMissing' });
});

test('one that was seen is asked for where it is, and elsewhere once it is gone there', async () => {
  const asked: string[] = [];
  const noted = (flink: FlinkJobs, name: string): FlinkJobs => ({
    ...flink,
    checkpoints: (id, call) => {
      asked.push(name);
      return flink.checkpoints(id, call);
    },
  });
  const jobs: readonly FlinkJob[] = [{ id: 'c', flinkId: 'f', name: 'c', state: 'RUNNING', startedAtMs: 1 }];
  const both = joinedFlinkJobs([
    { flink: noted(way(['a'], 1), 'deployments'), jobs: ['a'] },
    {
      flink: noted(way(['f', 'd'], 2, { list: async () => jobs, start: async () => ({ jobId: 'd' }) }), 'sessions'),
      jobs: ['c'],
    },
  ]);
  await both.list();
  await both.checkpoints('f');
  await both.start({ ...start, name: 'c' });
  await both.checkpoints('d');
  expect(asked).toEqual(['sessions', 'sessions']);
  await expect(both.checkpoints('c')).rejects.toMatchObject({ code: 'JobMissing' });
  expect(asked.slice(2)).toEqual(['sessions', 'deployments']);
});

test('a job is started where it is configured, and nowhere else', async () => {
  expect(await joined.start({ ...start, name: 'b' })).toEqual({ jobId: 'b by a,b' });
  expect(await joined.start({ ...start, name: 'c' })).toEqual({ jobId: 'c by c' });
  await expect(joined.start({ ...start, name: 'd' })).rejects.toMatchObject({ code: 'JobMissing' });
});

test('one that can not be asked leaves the whole unknown', async () => {
  const silent = async () => {
    throw new ArgusError('FlinkUnreachable', 'silent', { retryable: true });
  };
  const half = joinedFlinkJobs([...parts, { flink: way([], 3, { list: silent }), jobs: [] }]);
  await expect(half.list()).rejects.toMatchObject({ code: 'FlinkUnreachable' });
});

test('one way alone is itself', () => {
  expect(joinedFlinkJobs(parts.slice(0, 1))).toBe(parts[0]?.flink);
});
