import type { MirrorStatus } from '../../replication/topics/mirror-status.ts';
import type { Sight } from '../sight.ts';

/** What the daemon that replicates knows of its own work. */
export interface ReplicationFacts {
  readonly nowMs: number;
  /** From where to where it replicates. */
  readonly source: string;
  readonly target: string;
  readonly rpoMs: number;
  /** The mirror's last word; absent: there was none yet. */
  readonly mirror?: Pick<MirrorStatus, 'atMs' | 'phase' | 'source' | 'target' | 'topics'>;
  /** By job: when the sync last found the replica complete; undefined: never yet. */
  readonly syncs: ReadonlyMap<string, number | undefined>;
  /** When replication was begun, for what has not come about yet. */
  readonly sinceMs: number;
  /** Undefined: none is written, or none was seen. */
  readonly heartbeatLagMs?: number;
}

/** A mirror whose last word is older has fallen silent. */
const silentMs = 10_000;
/** Checkpoints are copied as they complete; so long without a whole copy is too long, whatever the objective. */
const leastSyncMs = 30_000;

/**
 * How replication is: `mirror` (`MirrorSilent`, `MirrorStopped`, `MirrorLagging`, `MirrorWaiting`, `StandbyUnreachable`),
 * `checkpoints` of each job (`CheckpointsLate`), `heartbeat` (`HeartbeatLate`: more than half of the RPO objective). What
 * can't be told is unknown. Pure.
 */
export function replicationSights(facts: ReplicationFacts): readonly Sight[] {
  const { nowMs, target: region, rpoMs, sinceMs, heartbeatLagMs } = facts;
  const of = (probe: Sight['probe'], judged: Judged, subject?: string): Sight => ({
    probe,
    region,
    latencyMs: 0,
    ...judged,
    ...(subject === undefined ? {} : { subject }),
  });
  const syncs = [...facts.syncs].map(([job, atMs]) => {
    const lateMs = nowMs - Math.max(atMs ?? 0, sinceMs);
    if (lateMs <= Math.max(leastSyncMs, rpoMs)) return of('checkpoints', { status: 'ok' }, job);
    // What isn't there to be copied from makes no copy.
    if (facts.mirror?.source.reachable === false) return of('checkpoints', away(facts.source), job);
    const reason = `no complete copy of ${job}'s newest checkpoint for ${seconds(lateMs)}`;
    return of('checkpoints', { status: 'failed', code: 'CheckpointsLate', reason }, job);
  });
  return [
    of('mirror', mirrorOf(facts)),
    ...syncs,
    ...heartbeatOf(heartbeatLagMs, facts).map((j) => of('heartbeat', j)),
  ];
}

/**
 * Whether the region that lost the role of primary refuses its writers: `FencedSideWritable` while it doesn't, else
 * nothing. Pure.
 */
export function fenceSights(fence: { readonly region: string; readonly holds: boolean } | undefined): readonly Sight[] {
  // That it refuses is no sign of life to be counted.
  if (fence === undefined || fence.holds) return [];
  const { region } = fence;
  const about = { probe: 'kafka-write', region, subject: 'fence', latencyMs: 0 } as const;
  const reason = `${region} is not primary, and takes writes that it should refuse`;
  return [{ ...about, status: 'failed', code: 'FencedSideWritable', reason }];
}

type Judged = Pick<Sight, 'status' | 'code' | 'reason'>;

const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
const away = (region: string): Judged => ({
  status: 'unknown',
  code: 'SourceUnreachable',
  reason: `${region} can't be reached`,
});

function mirrorOf({ nowMs, mirror, source, target, rpoMs, sinceMs }: ReplicationFacts): Judged {
  const silent = nowMs - Math.max(mirror?.atMs ?? 0, sinceMs);
  if (silent > silentMs) {
    return { status: 'failed', code: 'MirrorSilent', reason: `the mirror's process is silent for ${seconds(silent)}` };
  }
  const starting: Judged = { status: 'unknown', code: 'MirrorStarting', reason: 'it connects' };
  if (!mirror) return starting;
  const { firstFailureAtMs, reachable } = mirror.source;
  // It connects again as well when what it had is lost.
  if (mirror.phase === 'connecting') return !reachable && firstFailureAtMs !== undefined ? away(source) : starting;
  const partitions = Object.entries(mirror.topics).flatMap(([topic, t]) => t.partitions.map((p) => ({ topic, ...p })));
  const stopped = partitions.filter((p) => p.state === 'stopped');
  const [first] = stopped;
  if (first) {
    const reason = `${stopped.length} partitions stand still: ${first.topic}-${first.partition} (${first.stop?.reason ?? 'stopped'})`;
    return { status: 'failed', code: 'MirrorStopped', reason };
  }
  if (!mirror.target.reachable) {
    return { status: 'failed', code: 'StandbyUnreachable', reason: `the mirror can't write to ${target}` };
  }
  if (!mirror.source.reachable) return away(source);
  const lagMs = Math.max(0, ...partitions.map((p) => p.lagMs ?? 0));
  if (lagMs > rpoMs)
    return { status: 'failed', code: 'MirrorLagging', reason: `the mirror is behind by ${seconds(lagMs)}` };
  // One that is brought to the source's log start goes on by itself.
  const waiting = partitions.filter((p) => p.state === 'waiting' && p.alignsTo === undefined);
  const [held] = waiting;
  if (held) {
    const reason = `${waiting.length} partitions wait: ${held.topic}-${held.partition} (${held.trouble ?? 'no reason told'})`;
    return { status: 'failed', code: 'MirrorWaiting', reason };
  }
  const untold = partitions.filter((p) => p.lagMs === undefined);
  if (untold.length > 0) {
    const reason = `of ${untold.length} partitions nobody can tell how far they are behind`;
    return { status: 'unknown', code: 'LagUnknown', reason };
  }
  return { status: 'ok' };
}

function heartbeatOf(lagMs: number | undefined, { rpoMs, mirror, source }: ReplicationFacts): readonly Judged[] {
  if (lagMs === undefined) return [];
  if (lagMs <= rpoMs / 2) return [{ status: 'ok' }];
  if (mirror?.source.reachable === false) return [away(source)];
  const reason = `the newest heartbeat on the standby is ${seconds(lagMs)} old`;
  return [{ status: 'failed', code: 'HeartbeatLate', reason }];
}
