import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { type PartitionOffset, partitionKey } from '../../domain/offsets.ts';
import type { Region } from '../../regions/region.ts';
import { listReplica } from '../../replication/checkpoints/replica.ts';
import type { OutputComparison } from '../drill-report.ts';
import type { DrillQuestions, RestoredJob } from '../isolated/context.ts';
import { chooseBounds, isStale } from './choose-bounds.ts';
import { compareTopic } from './compare-topic.ts';
import type { OutputBounds } from './produced-output.ts';
import { type OutputRange, type OutputReader, outputReader } from './read-output.ts';
import { covers, offsetsOf, sourceOffsetsAt } from './source-progress.ts';

type Side = Pick<Region, 'name' | 'brokers' | 'objects'>;

interface JoinedRegions {
  readonly primary: Side;
  readonly standby: Side;
  /** Topics of which the standby holds production's output. */
  readonly mirrored: readonly string[];
  readonly clock: Clock;
  /** Default: real connections. */
  readonly open?: (side: Side) => OutputReader;
}

type Answer = Awaited<ReturnType<DrillQuestions['compare']>>;

/** How far the comparison of one job is. */
interface Progress {
  readonly beganMs: number;
  /** Newest replicated checkpoint of production that was seen, and when it was new. */
  newest: { readonly id: number; readonly atMs: number };
  /** The drill's output as it stood when its job had covered `until`. */
  taken?: {
    readonly until: CheckpointManifest | undefined;
    readonly checkpoint: string;
    readonly ends: ReadonlyMap<string, readonly OutputRange[]>;
    /** All of that output comes from records below these. */
    reached?: readonly PartitionOffset[];
  };
  tries: number;
  /** Where the mirror ends, once the job has read up to there and production is past it. */
  atEnd?: { readonly ends: string; readonly sinceMs: number };
}

/** So many points of the replica are looked at. */
const POINTS = 100;
/** So long nothing comes that production had read before, and the mirror is taken to stand still. */
const STANDS_MS = 60_000;
/** So often the drill's output is taken anew when some lacks: its last transactions may not have been committed yet. */
const TRIES = 3;

/**
 * Compares what drills' jobs write with what production's committed. A job is asked about again and again: first until
 * its own checkpoint got as far as a later one of production's, then until production's got as far as the drill's output
 * that was taken then, so that both ends are known exactly. Where production takes no more checkpoints, what there is;
 * and so where the mirror stands still, since the job then never gets as far as a later one.
 */
export function compareJobs(regions: JoinedRegions): DrillQuestions['compare'] {
  const jobs = new Map<string, Progress>();
  const { clock } = regions;
  return async (asked, { last, signal }) => {
    const restored = { ...asked, topics: comparedTopics(asked) };
    const { config, topics } = restored;
    const { name, drill } = config;
    const all = (why: string): Answer => ({
      kind: 'ended',
      comparisons: [...topics.keys()].map((topic) => ({ job: name, topic, kind: 'skipped', why })),
    });
    if (drill?.compare.by === 'none') return all('the configuration says that it is not compared');
    if (restored.point.sinkEnds === undefined) {
      return all(`where production's output of checkpoint ${restored.point.checkpointId} ended is not known`);
    }
    const progress = jobs.get(name) ?? {
      beganMs: clock.monotonic(),
      newest: { id: restored.point.checkpointId, atMs: clock.monotonic() },
      tries: 0,
    };
    jobs.set(name, progress);
    const open = regions.open ?? (({ brokers }) => outputReader(brokers));
    const readers = { standby: open(regions.standby), primary: open(regions.primary) };
    try {
      return await look(restored, progress, { ...regions, readers, last, signal });
    } finally {
      readers.standby.close();
      readers.primary.close();
    }
  };
}

/** Those that the configuration names, or all that the job writes. */
function comparedTopics({ config: { drill }, topics }: RestoredJob): RestoredJob['topics'] {
  const wanted = drill?.compare.topics;
  return wanted === undefined ? topics : new Map([...topics].filter(([topic]) => wanted.includes(topic)));
}

interface Look extends JoinedRegions {
  readonly readers: { readonly standby: OutputReader; readonly primary: OutputReader };
  readonly last: boolean;
  readonly signal: AbortSignal;
}

async function look(restored: RestoredJob, progress: Progress, view: Look): Promise<Answer> {
  const { point, config } = restored;
  const { standby, clock, signal } = view;
  const { points } = await listReplica(standby.objects, config.name, { limit: POINTS, signal });
  const manifests = points.map(({ manifest }) => manifest);
  const newest = Math.max(...manifests.filter((m) => m.flinkJobId === point.flinkJobId).map((m) => m.checkpointId));
  if (newest > progress.newest.id) progress.newest = { id: newest, atMs: clock.monotonic() };
  const stale = isStale(manifests, point, clock.monotonic() - progress.newest.atMs);

  const got = await sourceOffsetsAt(standby.objects, restored.newestCheckpoint, signal);
  if (got === undefined) return { kind: 'waiting', for: `a checkpoint of ${config.name} that is still there` };
  const last = view.last || (!stale && (await mirrorStands(restored, manifests, got, progress, view)));
  const settle = last || stale;
  if (progress.taken === undefined) {
    const { until } = chooseBounds(point, manifests, got);
    if (until === undefined && !settle) {
      return { kind: 'waiting', for: `${config.name} to read as far as a later checkpoint of production's` };
    }
    progress.taken = { until, checkpoint: restored.newestCheckpoint, ends: await drillEnds(restored, view) };
    if (!settle) return { kind: 'waiting', for: `the next checkpoint of ${config.name}` };
  }
  const { taken } = progress;
  // What is seen in the log had been committed: with a checkpoint before this one.
  if (taken.reached === undefined && restored.newestCheckpoint !== taken.checkpoint) taken.reached = got;
  if (taken.reached === undefined && !last) return { kind: 'waiting', for: `the next checkpoint of ${config.name}` };
  const { past, before } = chooseBounds(point, manifests, got, taken.reached);
  if (past === undefined && !settle) {
    return { kind: 'waiting', for: `production's checkpoint of what ${config.name} has read in the drill` };
  }
  const until = taken.until ?? (await untilWithoutLater(restored, manifests, taken.reached ?? got, view));
  return compareAll(restored, progress, { from: point, before, until, past }, settle, { ...view, last });
}

/**
 * Whether it is of no use to wait for a later checkpoint of production's that the drill gets as far as: for a minute its
 * job has read everything that the mirror brought, and production's newest checkpoint is past that. Nothing is expected of
 * the drill then but to have written the same. What can't be asked doesn't stand.
 */
async function mirrorStands(
  { point }: RestoredJob,
  manifests: readonly CheckpointManifest[],
  got: readonly PartitionOffset[],
  progress: Progress,
  { readers, clock, signal }: Look,
): Promise<boolean> {
  const newest = manifests.find((m) => m.flinkJobId === point.flinkJobId && m.checkpointId === progress.newest.id);
  const isPast = (ends: readonly PartitionOffset[]) => newest !== undefined && !covers(ends, offsetsOf(newest));
  const ends = progress.taken === undefined && isPast(got) ? await inputEnds(point, readers, signal) : undefined;
  if (ends === undefined || !isPast(ends) || !covers(got, ends) || chooseBounds(point, manifests, got).until) {
    delete progress.atEnd;
    return false;
  }
  const now = ends.map((end) => `${partitionKey(end)} ${end.offset}`).join();
  if (progress.atEnd?.ends !== now) progress.atEnd = { ends: now, sinceMs: clock.monotonic() };
  return clock.monotonic() - progress.atEnd.sinceMs >= STANDS_MS;
}

/** Where the standby's copies of what a point reads end; undefined: that can't be asked now. */
async function inputEnds(
  point: CheckpointManifest,
  { standby }: Look['readers'],
  signal: AbortSignal,
): Promise<readonly PartitionOffset[] | undefined> {
  const ends = [];
  try {
    for (const topic of new Set(offsetsOf(point).map((each) => each.topic)))
      ends.push(...(await standby.ends(topic, signal)));
    return ends;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/**
 * Without a later checkpoint all that production committed is expected of a drill that has read all there is; of another
 * one nothing is, but what it wrote has to be the same.
 */
async function untilWithoutLater(
  { point }: RestoredJob,
  manifests: readonly CheckpointManifest[],
  got: readonly PartitionOffset[],
  { readers, signal }: Look,
): Promise<CheckpointManifest | undefined> {
  const later = manifests.some((m) => m.flinkJobId === point.flinkJobId && m.checkpointId > point.checkpointId);
  const inputs = new Set(offsetsOf(point).map(({ topic }) => topic));
  const ends = [];
  for (const topic of inputs) ends.push(...(await readers.standby.ends(topic, signal)));
  return !later && covers(got, ends) ? undefined : point;
}

async function drillEnds({ topics }: RestoredJob, { readers, signal }: Look) {
  const ends = new Map<string, readonly OutputRange[]>();
  for (const [topic, drillTopic] of topics) {
    const found = await readers.standby.ends(drillTopic, signal);
    ends.set(
      topic,
      found.map(({ partition, offset: to }) => ({ topic: drillTopic, partition, from: 0n, to })),
    );
  }
  return ends;
}

async function compareAll(
  restored: RestoredJob,
  progress: Progress,
  bounds: OutputBounds,
  settle: boolean,
  { mirrored, readers, last, signal }: Look,
): Promise<Answer> {
  const { config, topics } = restored;
  const { by = 'key', ignore = [] } = config.drill?.compare ?? {};
  const comparisons: OutputComparison[] = [];
  for (const topic of topics.keys()) {
    const against = mirrored.includes(topic) ? ('mirrored' as const) : ('primary' as const);
    const view = {
      job: config.name,
      topic,
      by: by === 'none' ? ('key' as const) : by,
      ignore,
      produced: { reader: against === 'mirrored' ? readers.standby : readers.primary, against },
      drilled: { reader: readers.standby, ends: progress.taken?.ends.get(topic) ?? [] },
    };
    try {
      const compared = await compareTopic({ ...view, bounds }, signal);
      if (compared.kind === 'ended') comparisons.push(compared.comparison);
      else if (!settle) return { kind: 'waiting', for: compared.why };
      else comparisons.push({ job: config.name, topic, kind: 'skipped', why: compared.why });
    } catch (error) {
      signal.throwIfAborted();
      const tellable = error instanceof ArgusError && (against === 'primary' || error.code === 'TooManyRecords');
      if (!tellable) throw error;
      comparisons.push({ job: config.name, topic, kind: 'skipped', why: describeError(error) });
    }
  }
  const lacks = comparisons.some((c) => c.kind === 'compared' && c.missing > 0);
  if (lacks && !last && ++progress.tries < TRIES) {
    delete progress.taken;
    return { kind: 'waiting', for: `the last output of ${config.name} to be committed` };
  }
  return { kind: 'ended', comparisons };
}
