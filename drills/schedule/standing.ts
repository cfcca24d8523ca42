import type { ScheduledKind } from '../../state/drill-slots.ts';

/** Why a drill doesn't begin now, or was left out. */
export interface DrillReason {
  readonly code: string;
  readonly message: string;
}

/** How things stand, as far as a drill has to know. `unknown`: it could not be read, or is too old to say anything. */
export interface DrillStanding {
  /** Who holds the right to act on the regions, and what for; undefined: nobody alive. */
  readonly acting?: string | undefined;
  /** The newest run that changes roles, where it is half way: it was cut off, or has to be gone on with. */
  readonly unfinished?: string | undefined;
  /** The drill that is under way. */
  readonly drill?: string | undefined;
  readonly replication: 'active' | 'suspended' | 'unknown';
  /** Since when the primary doesn't answer this daemon; undefined: it does. */
  readonly primarySilentSinceMs?: number | undefined;
  /** The verdicts that stand; `none`: nobody is configured to observe. */
  readonly verdicts:
    | readonly { readonly code: string; readonly severity: string; readonly sentence: string }[]
    | 'none'
    | 'unknown';
  readonly readiness: { readonly status: 'green' | 'yellow' | 'red'; readonly sentence: string } | 'unknown';
}

/** A tabletop is what finds these: they are no incident to it. */
const foundByTabletop: ReadonlySet<string> = new Set([
  'StandbyNotReady',
  'MirrorStalled',
  'CheckpointsStale',
  'HeartbeatLate',
  'DnsDisagrees',
  'ClockSkewed',
  'Expiring',
]);

/**
 * Why a drill of this kind must not begin as things stand; empty: all is calm. An incident puts off each kind: somebody
 * acts, a run is half way, nothing is replicated, the primary doesn't answer, or a verdict stands that is more than for
 * information. What is unknown is not calm, and neither is a standby that is not ready, but for a tabletop: it changes
 * nothing, and tells just that. A switchover needs green. Pure.
 */
export function notCalm(kind: ScheduledKind, standing: DrillStanding): readonly DrillReason[] {
  const { acting, unfinished, drill, replication, primarySilentSinceMs: silent, verdicts, readiness } = standing;
  const looksOnly = kind === 'tabletop';
  const reasons: DrillReason[] = [];
  const say = (code: string, message: string) => void reasons.push({ code, message });
  if (acting !== undefined) say('RunUnderWay', `${acting} is at work`);
  if (unfinished !== undefined) say('RunUnfinished', `${unfinished} is half way`);
  if (drill !== undefined) say('DrillUnderWay', `${drill} is under way`);
  if (replication === 'suspended') say('ReplicationSuspended', 'nothing is replicated: there is no standby');
  if (replication === 'unknown') say('RolesUnknown', 'nobody can tell which region is the primary');
  if (silent !== undefined) say('PrimarySilent', `the primary does not answer since ${new Date(silent).toISOString()}`);
  if (verdicts === 'unknown') {
    if (!looksOnly) say('VerdictsUnknown', 'what the observers see is not known');
  } else if (verdicts !== 'none') {
    const grave = verdicts.filter((v) => v.severity === 'warning' || v.severity === 'critical');
    for (const { code, sentence } of grave.filter((v) => !(looksOnly && foundByTabletop.has(v.code))))
      say(code, sentence);
  }
  if (looksOnly) return reasons;
  if (readiness === 'unknown') say('ReadinessUnknown', 'whether a failover would work now is not known');
  else if (readiness.status === 'red') say('NotReady', readiness.sentence);
  else if (readiness.status === 'yellow' && kind === 'switchover') say('NotReady', readiness.sentence);
  return reasons;
}
