import type { Readiness } from '../state/readiness.ts';
import { formatMs } from './render-status.ts';
import type { Finding, StatusView } from './status-view.ts';

/** What readiness is judged by, beside the status. */
export interface ReadinessFacts {
  readonly objectives: { readonly rto: number; readonly rpo: number };
  /** What the steps of earlier failovers took together; absent: none was measured. */
  readonly rto?: { readonly ms: number; readonly runs: number };
  /** How long the newest copy of each job's checkpoint took, from its completion to its place on the replica. */
  readonly copies: Readonly<Record<string, number>>;
  /** The age of the newest heartbeat on the standby; absent: none is written, or seen. */
  readonly heartbeatLagMs?: number;
}

/** Warnings of the status by which a failover would work and yet miss its objectives. */
const shortcomings: ReadonlySet<string> = new Set([
  'RecoveryPointOld',
  'MirrorLagOverRpo',
  'LagUnknown',
  'ReplicaDamaged',
  'CopySlowerThanCheckpoints',
]);

/**
 * What a failover that began now would come to. Red with any blocker; yellow where an objective would be missed, a copy
 * takes more than half of the RPO objective (the early warning), or the loss can't be told; else green. An RTO that was
 * never measured is said so, and is no shortcoming. Pure.
 */
export function judgeReadiness(view: StatusView, facts: ReadinessFacts): Readiness {
  const { objectives, rto } = facts;
  const { primary, standby } = view.roles;
  const losses = view.wouldLose.map((l) => l.ms);
  const told = losses.filter((ms) => ms !== undefined);
  const rpoMs = losses.length > 0 && told.length === losses.length ? Math.max(0, ...told) : undefined;
  const early = earlyWarnings(view, facts);
  const missed: Finding[] = [];
  if (rto !== undefined && rto.ms > objectives.rto)
    missed.push({
      code: 'RtoOverObjective',
      sentence: `a failover takes about ${formatMs(rto.ms)}, the objective is ${formatMs(objectives.rto)}`,
    });
  if (rpoMs === undefined && view.blockers.length === 0)
    missed.push({ code: 'RpoUnknown', sentence: 'what would be lost can not be told' });
  const warnings = [...view.warnings.filter((w) => shortcomings.has(w.code)), ...early, ...missed];
  const status = view.blockers.length > 0 ? 'red' : warnings.length > 0 ? 'yellow' : 'green';
  const first = view.blockers[0]?.sentence;
  const parts = [
    rto === undefined ? 'RTO not measured yet' : `RTO about ${formatMs(rto.ms)} (from ${runs(rto.runs)})`,
    rpoMs === undefined ? 'RPO unknown' : `RPO ${formatMs(rpoMs)}`,
    first === undefined ? 'no blockers' : `blockers: ${first}${andMore(view.blockers.length - 1)}`,
  ];
  return {
    atMs: view.atMs,
    primary,
    standby,
    status,
    sentence: `if ${primary} failed now: ${parts.join(', ')}`,
    ...(rto === undefined ? {} : { rto }),
    ...(rpoMs === undefined ? {} : { rpoMs }),
    blockers: [...view.blockers],
    warnings,
  };
}

/** Copies that take more than half of what may be lost: by then it is time to look, and nothing is missed yet. */
function earlyWarnings(view: StatusView, { objectives, copies, heartbeatLagMs }: ReadinessFacts): readonly Finding[] {
  const half = objectives.rpo / 2;
  const warn = (code: string, what: string, ms: number): readonly Finding[] =>
    ms > half
      ? [
          {
            code,
            sentence: `${what} ${formatMs(ms)}: more than half of the RPO objective of ${formatMs(objectives.rpo)}`,
          },
        ]
      : [];
  return [
    ...view.mirror.flatMap((t) => warn('MirrorLagOverHalf', `topic ${t.topic} is behind by`, t.lagMs ?? 0)),
    ...Object.entries(copies).flatMap(([job, ms]) =>
      warn('CopyOverHalf', `the newest checkpoint of ${job} was copied in`, ms),
    ),
    ...warn('HeartbeatOverHalf', 'the newest heartbeat on the standby has an age of', heartbeatLagMs ?? 0),
  ];
}

const runs = (count: number) => (count === 1 ? 'one run' : `${count} runs`);
const andMore = (count: number) => (count === 0 ? '' : ` and ${count} more`);
