import { type PartitionOffset, partitionKey } from '../../domain/offsets.ts';

/** A checkpoint of a job among others, judged by itself already. */
export interface JointCandidate {
  readonly flinkJobId: string;
  readonly checkpointId: number;
  readonly completedAtMs: number;
  /** By `judgePoints`; one that is refused by itself has no part in a combination. */
  readonly refused: boolean;
  readonly sourceOffsets: readonly PartitionOffset[];
  /**
   * Where the output that the job had committed with this checkpoint ends, in the topics that it writes. A partition
   * that is missing is unknown, which is no end of 0.
   */
  readonly outputEnds: readonly PartitionOffset[];
}

export interface JointJob<C extends JointCandidate = JointCandidate> {
  readonly job: string;
  /** Topics whose other readers among the jobs must not be ahead of this one. */
  readonly writes: readonly string[];
  /** Newest first. */
  readonly candidates: readonly C[];
}

export type JointRefusalCode =
  /** The reader would go on behind what its writer had committed: it would miss, or see changed, what is written anew. */
  | 'ReaderPastWriter'
  /** Nobody knows how far the writer's output went at its checkpoint, nor at an older one that still can be used. */
  | 'WriterOutputUnknown'
  /** A newer checkpoint's output ended before this one's: the topic was cut or made anew in between. */
  | 'OutputWentBack'
  /** A marker in place of an offset in a topic that another job writes. */
  | 'SourceOffsetUnknown';

export interface JointRefusal {
  readonly job: string;
  readonly flinkJobId: string;
  readonly checkpointId: number;
  /** The job whose output was asked for. */
  readonly writer?: string;
  readonly code: JointRefusalCode;
  readonly message: string;
}

export type JointChoice<C extends JointCandidate = JointCandidate> =
  /** One checkpoint for every job, each the newest that any consistent combination has. */
  | { readonly kind: 'chosen'; readonly points: ReadonlyMap<string, C>; readonly rejected: readonly JointRefusal[] }
  /** These jobs have no checkpoint that goes with the others'; the rest are chosen as if these wrote nothing. */
  | {
      readonly kind: 'none';
      readonly without: readonly string[];
      readonly points: ReadonlyMap<string, C>;
      readonly rejected: readonly JointRefusal[];
    };

/** A checkpoint that may still be chosen. */
interface Point<C> {
  readonly candidate: C;
  /** By partition: up to where the job's output is known to be in it. */
  readonly ends: ReadonlyMap<string, bigint>;
}

interface Solving<C> {
  readonly job: JointJob<C & JointCandidate>;
  readonly points: readonly Point<C>[];
  /** Index of the newest that is still possible; at the length of `points` there is none. */
  at: number;
}

/**
 * The newest checkpoints of several jobs that fit together: nowhere does a reader go on behind what the topic's writer
 * had committed at its own checkpoint (each writer, where there are several; a job may read what it writes). Pure.
 *
 * The end of a writer's output never falls as its checkpoints get newer: older ones that ended later are refused first,
 * and an unknown end is at least the next older known one. So a writer's newest possible checkpoint allows its readers
 * most, a reader that is ahead of it can only go back, and going back until nobody is ahead ends at the one combination
 * in which every job has the newest point that it has in any.
 */
export function chooseJointly<C extends JointCandidate>(jobs: readonly JointJob<C>[]): JointChoice<C> {
  const rejected: JointRefusal[] = [];
  const solving = jobs.map((job): Solving<C> => ({ job, points: usablePoints(job, rejected), at: 0 }));
  const writers = new Map<string, Solving<C>[]>();
  for (const each of solving) for (const topic of new Set(each.job.writes)) listOf(writers, topic).push(each);
  const readers = new Map<string, Set<Solving<C>>>();
  for (const each of solving)
    for (const { candidate } of each.points)
      for (const { topic } of candidate.sourceOffsets)
        if (writers.has(topic)) readers.set(topic, (readers.get(topic) ?? new Set()).add(each));

  const waiting = new Set(solving);
  for (const each of waiting) {
    waiting.delete(each);
    const before = each.at;
    for (let point = each.points[each.at]; point !== undefined; point = each.points[++each.at]) {
      const reason = aheadOf(point.candidate, writers);
      if (reason === undefined) break;
      rejected.push({ ...named(each.job.job, point.candidate), ...reason });
    }
    if (each.at === before) continue;
    // It allows its readers less than before; a set goes on to what is added while it is walked through.
    for (const topic of each.job.writes) for (const reader of readers.get(topic) ?? []) waiting.add(reader);
  }

  const without = solving.filter((each) => each.at >= each.points.length).map((each) => each.job.job);
  const points = new Map<string, C>();
  for (const { job, points: left, at } of solving) {
    const point = left[at];
    if (point !== undefined) points.set(job.job, point.candidate);
  }
  return without.length > 0 ? { kind: 'none', without, points, rejected } : { kind: 'chosen', points, rejected };
}

const named = (job: string, { flinkJobId, checkpointId }: JointCandidate) => ({ job, flinkJobId, checkpointId });

/** Why this checkpoint is ahead of a writer at the newest point that is left to it. A writer without one allows all. */
function aheadOf<C>(
  candidate: JointCandidate,
  writers: ReadonlyMap<string, readonly Solving<C>[]>,
): Pick<JointRefusal, 'code' | 'message' | 'writer'> | undefined {
  for (const source of candidate.sourceOffsets) {
    const key = partitionKey(source);
    for (const writer of writers.get(source.topic) ?? []) {
      if (source.offset < 0n) {
        const message = `${key}: the checkpoint holds the marker ${source.offset} in place of an offset`;
        return { code: 'SourceOffsetUnknown', message, writer: writer.job.job };
      }
      const point = writer.points[writer.at];
      // Nothing was read yet: nothing can be missed.
      if (point === undefined || source.offset === 0n) continue;
      const name = `${writer.job.job} at its checkpoint ${(point.candidate as JointCandidate).checkpointId}`;
      const end = point.ends.get(key);
      if (end === undefined) {
        const message = `${key}: the job would go on at ${source.offset}; how far the output of ${name} went is not known`;
        return { code: 'WriterOutputUnknown', message, writer: writer.job.job };
      }
      if (source.offset > end) {
        const message = `${key}: the job would go on at ${source.offset}, ${name} had committed up to ${end}`;
        return { code: 'ReaderPastWriter', message, writer: writer.job.job };
      }
    }
  }
  return undefined;
}

/** The candidates that can be part of a combination, newest first, with ends that never rise towards the older ones. */
function usablePoints<C extends JointCandidate>(job: JointJob<C>, rejected: JointRefusal[]): readonly Point<C>[] {
  const writes = new Set(job.writes);
  const least = new Map<string, bigint>();
  const kept: { candidate: C; known: Map<string, bigint> }[] = [];
  for (const candidate of job.candidates) {
    if (candidate.refused) continue;
    const known = new Map<string, bigint>();
    for (const end of candidate.outputEnds) if (writes.has(end.topic)) known.set(partitionKey(end), end.offset);
    const back = [...known].find(([key, offset]) => offset > (least.get(key) ?? offset));
    if (back !== undefined) {
      const [key, offset] = back;
      const message = `${key}: the job's output ended at ${offset}, and at ${least.get(key)} with a newer checkpoint: the topic was cut or made anew`;
      rejected.push({ ...named(job.job, candidate), code: 'OutputWentBack', message });
      continue;
    }
    for (const [key, offset] of known) least.set(key, offset);
    kept.push({ candidate, known });
  }
  // From the oldest on: what was committed once stays committed.
  let ends: ReadonlyMap<string, bigint> = new Map();
  return kept
    .reverse()
    .map(({ candidate, known }) => {
      ends = new Map([...ends, ...known]);
      return { candidate, ends };
    })
    .reverse();
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const there = lists.get(key);
  if (there !== undefined) return there;
  const made: T[] = [];
  lists.set(key, made);
  return made;
}
