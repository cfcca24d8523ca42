import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chooseJointly,
  type JointCandidate,
  type JointJob,
} from '../../../../replication/recovery-point/choose-jointly.ts';

type Offsets = Readonly<Record<string, number>>;

/** Offsets by partition 0 of a topic, or by `topic/partition`. */
const offsets = (of: Offsets) =>
  Object.entries(of).map(([name, offset]) => {
    const [topic = '', partition = '0'] = name.split('/');
    return { topic, partition: Number(partition), offset: BigInt(offset) };
  });

const point = (checkpointId: number, reads: Offsets, wrote: Offsets = {}, refused = false): JointCandidate => ({
  flinkJobId: 'a'.repeat(32),
  checkpointId,
  completedAtMs: checkpointId * 1_000,
  refused,
  sourceOffsets: offsets(reads),
  outputEnds: offsets(wrote),
});
const job = (name: string, writes: readonly string[], ...candidates: readonly JointCandidate[]): JointJob => ({
  job: name,
  writes,
  candidates,
});

function chosen(...jobs: readonly JointJob[]) {
  const choice = chooseJointly(jobs);
  if (choice.kind === 'none') return { without: choice.without, codes: choice.rejected.map((r) => r.code) };
  return {
    ids: [...choice.points.values()].map((p) => p.checkpointId),
    codes: choice.rejected.map((r) => r.code),
  };
}

describe('jobs joined by a topic', () => {
  test.each<[string, readonly JointJob[], ReturnType<typeof chosen>]>([
    [
      'jobs without a common topic have their newest each',
      [job('a', ['x'], point(2, { in: 5 }), point(1, {})), job('b', [], point(9, { in: 7 }))],
      { ids: [2, 9], codes: [] },
    ],
    [
      'a reader exactly at the end of its writer stays',
      [job('w', ['t'], point(2, {}, { t: 30 })), job('r', [], point(5, { t: 30 }))],
      { ids: [2, 5], codes: [] },
    ],
    [
      'a reader ahead of its writer goes back',
      [job('w', ['t'], point(2, {}, { t: 30 })), job('r', [], point(5, { t: 31 }), point(4, { t: 30 }))],
      { ids: [2, 4], codes: ['ReaderPastWriter'] },
    ],
    [
      'a reader goes back because its writer’s newest is damaged',
      [
        job('w', ['t'], point(3, {}, { t: 50 }, true), point(2, {}, { t: 30 })),
        job('r', [], point(5, { t: 40 }), point(4, { t: 20 })),
      ],
      { ids: [2, 4], codes: ['ReaderPastWriter'] },
    ],
    [
      'one that goes back takes its own readers back, whatever the order of the jobs',
      [
        job('last', [], point(3, { u: 9 }), point(2, { u: 5 })),
        job('mid', ['u'], point(3, { t: 31 }, { u: 9 }), point(2, { t: 30 }, { u: 5 })),
        job('first', ['t'], point(1, {}, { t: 30 })),
      ],
      { ids: [2, 2, 1], codes: ['ReaderPastWriter', 'ReaderPastWriter'] },
    ],
    [
      'a circle of jobs goes back until it fits',
      [
        job('a', ['x'], point(3, { y: 10 }, { x: 9 }), point(2, { y: 8 }, { x: 7 }), point(1, { y: 0 }, { x: 0 })),
        job('b', ['y'], point(3, { x: 10 }, { y: 10 }), point(2, { x: 7 }, { y: 9 }), point(1, { x: 0 }, { y: 0 })),
      ],
      { ids: [2, 2], codes: ['ReaderPastWriter', 'ReaderPastWriter'] },
    ],
    [
      'a job that reads what it writes fits itself',
      [job('a', ['x'], point(2, { x: 8 }, { x: 7 }), point(1, { x: 5 }, { x: 5 }))],
      { ids: [1], codes: ['ReaderPastWriter'] },
    ],
    [
      'of two writers of a topic the one that is behind counts',
      [
        job('w1', ['t'], point(1, {}, { t: 50 })),
        job('w2', ['t'], point(1, {}, { t: 20 })),
        job('r', [], point(2, { t: 21 }), point(1, { t: 20 })),
      ],
      { ids: [1, 1, 1], codes: ['ReaderPastWriter'] },
    ],
    [
      'an unknown end allows only what was not read yet',
      [job('w', ['t'], point(1, {})), job('r', [], point(2, { t: 1 }), point(1, { t: 0 }))],
      { ids: [1, 1], codes: ['WriterOutputUnknown'] },
    ],
    [
      'what was committed with an older checkpoint is committed with a newer one',
      [job('w', ['t'], point(2, {}), point(1, {}, { t: 30 })), job('r', [], point(2, { t: 31 }), point(1, { t: 30 }))],
      { ids: [2, 1], codes: ['ReaderPastWriter'] },
    ],
    [
      'an older output that ended later is of a topic that is gone',
      [
        job('w', ['t'], point(2, {}, { t: 10 }, true), point(1, {}, { t: 30 })),
        job('w2', ['u'], point(2, {}, { u: 10 }), point(1, {}, { u: 30 })),
        job('r', [], point(2, { u: 20 }), point(1, { u: 10 })),
      ],
      { ids: [1, 2, 1], codes: ['OutputWentBack', 'ReaderPastWriter'] },
    ],
    [
      'a marker in a joined topic is refused, in another it is not asked for',
      [
        job('w', ['t'], point(1, {}, { t: 30 })),
        job('r', [], point(2, { t: -3, other: -3 }), point(1, { t: 3, other: -3 })),
      ],
      { ids: [1, 1], codes: ['SourceOffsetUnknown'] },
    ],
    [
      'each partition counts by itself',
      [
        job('w', ['t'], point(1, {}, { 't/0': 30, 't/1': 5 })),
        job('r', [], point(2, { 't/0': 20, 't/1': 6 }), point(1, { 't/0': 20, 't/1': 5 })),
      ],
      { ids: [1, 1], codes: ['ReaderPastWriter'] },
    ],
    [
      'none, when a reader is ahead with all it has',
      [job('w', ['t'], point(1, {}, { t: 3 })), job('r', [], point(2, { t: 9 }), point(1, { t: 4 }))],
      { without: ['r'], codes: ['ReaderPastWriter', 'ReaderPastWriter'] },
    ],
    [
      'a writer without any is named alone',
      [job('w', ['t']), job('r', [], point(1, { t: 4 }))],
      { without: ['w'], codes: [] },
    ],
  ])('%s', (_, jobs, expected) => expect(chosen(...jobs)).toEqual(expected));
});

test('every refusal is a sentence with both jobs and offsets', () => {
  const { rejected } = chooseJointly([job('w', ['t'], point(7, {}, { t: 3 })), job('r', [], point(2, { t: 9 }))]);
  expect(rejected).toEqual([
    {
      job: 'r',
      flinkJobId: 'a'.repeat(32),
      checkpointId: 2,
      writer: 'w',
      code: 'ReaderPastWriter',
      message: 't-0: the job would go on at 9, w at its checkpoint 7 had committed up to 3',
    },
  ]);
});

const topics = ['t', 'u'];
const partitions = topics.flatMap((topic) => [`${topic}/0`, `${topic}/1`]);
/** Ends that mostly grow, are now and then unknown, and now and then fall back. */
const anyJob = (name: string) =>
  fc
    .record({
      writes: fc.subarray(topics),
      grows: fc.array(
        fc.record({
          reads: fc.dictionary(fc.constantFrom(...partitions), fc.integer({ min: -1, max: 9 }), { maxKeys: 3 }),
          more: fc.record(Object.fromEntries(partitions.map((p) => [p, fc.constantFrom(0, 1, 2, 3, 4, -2)]))),
          known: fc.record(Object.fromEntries(partitions.map((p) => [p, fc.constantFrom(true, true, true, false)]))),
          refused: fc.constantFrom(false, false, false, true),
        }),
        { maxLength: 4 },
      ),
    })
    .map(({ writes, grows }): JointJob => {
      const end: Record<string, number> = Object.fromEntries(partitions.map((p) => [p, 0]));
      const oldestFirst = grows.map(({ reads, more, known, refused }, i) => {
        for (const p of partitions) end[p] = Math.max(0, (end[p] ?? 0) + (more[p] ?? 0));
        const wrote = Object.fromEntries(partitions.filter((p) => known[p]).map((p) => [p, end[p] ?? 0]));
        return point(i + 1, reads, wrote, refused);
      });
      return { job: name, writes, candidates: oldestFirst.reverse() };
    });
const anyJobs = fc.tuple(anyJob('a'), anyJob('b'), anyJob('c'));

const keyOf = (o: { readonly topic: string; readonly partition: number }) => `${o.topic}/${o.partition}`;
const endOf = (c: JointCandidate, key: string) => c.outputEnds.find((e) => keyOf(e) === key)?.offset;

/** A point that is not refused, and none of whose ends lies above one of a newer such point: said again, otherwise. */
function usable({ writes, candidates }: JointJob): readonly JointCandidate[] {
  const fine: JointCandidate[] = [];
  for (const c of candidates) {
    if (c.refused) continue;
    const fell = c.outputEnds.some(
      (e) => writes.includes(e.topic) && fine.some((newer) => (endOf(newer, keyOf(e)) ?? e.offset) < e.offset),
    );
    if (!fell) fine.push(c);
  }
  return fine;
}

/** No reader is ahead of a writer: by the rule, pair by pair. */
function consistent(jobs: readonly JointJob[], points: readonly JointCandidate[]): boolean {
  return jobs.every((writer, w) => {
    const olderOnes = usable(writer).filter((c) => c.checkpointId <= (points[w] as JointCandidate).checkpointId);
    return points.every((reader) =>
      reader.sourceOffsets
        .filter((source) => writer.writes.includes(source.topic))
        .every((source) => {
          const ends = olderOnes.flatMap((c) => endOf(c, keyOf(source)) ?? []);
          return source.offset === 0n || (source.offset > 0n && ends.some((end) => source.offset <= end));
        }),
    );
  });
}

test('the choice is the newest of all consistent combinations, and there is none only when none is', () => {
  let none = 0;
  let some = 0;
  fc.assert(
    fc.property(anyJobs, (jobs) => {
      const [a = [], b = [], c = []] = jobs.map(usable);
      const all = a
        .flatMap((x) => b.flatMap((y) => c.map((z) => [x, y, z])))
        .filter((points) => consistent(jobs, points));
      const choice = chooseJointly(jobs);
      for (const { job: name, checkpointId, message } of choice.rejected) {
        expect(message).toMatch(/\w+ \w+/);
        const at = jobs.findIndex((j) => j.job === name);
        // What was refused is in no consistent combination.
        expect(all.some((points) => points[at]?.checkpointId === checkpointId)).toBe(false);
      }
      if (choice.kind === 'none') {
        none++;
        expect(all).toEqual([]);
        expect(choice.without.length).toBeGreaterThan(0);
        return;
      }
      some++;
      const points = jobs.map((j) => choice.points.get(j.job) as JointCandidate);
      expect(all).toContainEqual(points);
      jobs.forEach((_, i) => {
        const newest = Math.max(...all.map((other) => other[i]?.checkpointId ?? 0));
        expect(points[i]?.checkpointId).toBe(newest);
      });
    }),
    { numRuns: 2_000 },
  );
  // The inputs are worth something only if both occur.
  expect(Math.min(none, some)).toBeGreaterThan(100);
});

test('the order in which the jobs are given changes nothing', () => {
  fc.assert(
    fc.property(anyJobs, (jobs) => {
      const there = chooseJointly(jobs);
      const back = chooseJointly([...jobs].reverse());
      expect(back.kind).toBe(there.kind);
      if (there.kind === 'chosen' && back.kind === 'chosen')
        for (const [name, p] of there.points) expect(back.points.get(name)).toBe(p);
    }),
    { numRuns: 500 },
  );
});
