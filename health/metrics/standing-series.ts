import { flag, type Gauges, seconds } from './gauges.ts';

/** What a scrape tells of roles, verdicts, probes and readiness. What is absent leaves its series out. */
export interface StandingFacts {
  readonly roles?: { readonly epoch: number; readonly primary: string };
  readonly primaryReachable?: boolean;
  readonly replicating?: boolean;
  /** This daemon, of several, is the one that replicates and acts. */
  readonly leads?: boolean;
  readonly objectives?: { readonly rtoMs: number; readonly rpoMs: number };
  /** By code, and whether it stands now. */
  readonly verdicts?: Readonly<Record<string, boolean>>;
  readonly readiness?: {
    readonly ready: boolean;
    readonly blockers: number;
    readonly rtoMs?: number;
    readonly rpoMs?: number;
    readonly atMs?: number;
  };
  /** The newest answer of each probe. */
  readonly probes?: readonly {
    readonly probe: string;
    readonly region?: string;
    /** Which of several: the job, the name, the certificate. */
    readonly subject?: string;
    readonly observer: string;
    readonly outcome: 'ok' | 'failed' | 'unknown';
    readonly latencyMs?: number;
  }[];
  /** Certificates and tokens, and until when each is good. */
  readonly expiries?: readonly { readonly what: string; readonly atMs: number }[];
  /** Whether a region that is to be quiet was found so at the newest look; absent: none has to be, or none answers. */
  readonly fence?: { readonly region: string; readonly holds: boolean };
}

/** Adds the gauges of what stands; the function given sets them. */
export function standingSeries({ gauge }: Gauges): (facts: StandingFacts) => void {
  const epoch = gauge('argus_roles_epoch', 'Epoch of the roles in force; the label says who is primary.', ['primary']);
  const reachable = gauge('argus_primary_reachable', '1 while the primary Kafka answers, 0 while it does not.');
  const replicating = gauge(
    'argus_replicating',
    '1 while the mirror and the checkpoint sync are to run, 0 while they stand still.',
  );
  const leads = gauge('argus_daemon_leads', '1 in the daemon that replicates and acts, 0 in the others.');
  const objectiveRto = gauge('argus_objective_rto_seconds', 'The configured RTO.');
  const objectiveRpo = gauge('argus_objective_rpo_seconds', 'The configured RPO.');
  const verdict = gauge('argus_verdict', '1 while the verdict stands, 0 while it does not.', ['code']);
  const ready = gauge('argus_standby_ready', '1 while nothing would block a failover, 0 while something does.');
  const blockers = gauge('argus_readiness_blockers', 'What would block a failover now, counted.');
  const readyAt = gauge('argus_readiness_timestamp', 'When readiness was last worked out, in Unix seconds.');
  const estimatedRto = gauge('argus_estimated_rto_seconds', 'What a failover begun now would take.');
  const estimatedRpo = gauge('argus_estimated_rpo_seconds', 'What a failover begun now would lose, in time.');
  const probeLabels = ['probe', 'region', 'subject', 'observer'];
  const probeUp = gauge('argus_probe_up', '1 when the newest probe was answered, 0 when it failed.', probeLabels);
  const probeUnknown = gauge('argus_probe_unknown', '1 when the newest probe could tell nothing.', probeLabels);
  const latency = gauge('argus_probe_latency_seconds', 'What the newest probe took.', probeLabels);
  const expiry = gauge('argus_credential_expiry_timestamp', 'Until when it is good, in Unix seconds.', ['what']);
  const fence = gauge(
    'argus_fence_holds',
    '1 while the region that lost the role of primary was last found quiet, 0 while it was not.',
    ['region'],
  );

  return (facts) => {
    if (facts.roles) epoch.set({ primary: facts.roles.primary }, facts.roles.epoch);
    if (facts.primaryReachable !== undefined) reachable.set(flag(facts.primaryReachable));
    if (facts.replicating !== undefined) replicating.set(flag(facts.replicating));
    if (facts.leads !== undefined) leads.set(flag(facts.leads));
    if (facts.objectives) {
      objectiveRto.set(seconds(facts.objectives.rtoMs));
      objectiveRpo.set(seconds(facts.objectives.rpoMs));
    }
    for (const [code, stands] of Object.entries(facts.verdicts ?? {})) verdict.set({ code }, flag(stands));
    if (facts.readiness) {
      const { rtoMs, rpoMs, atMs } = facts.readiness;
      ready.set(flag(facts.readiness.ready));
      blockers.set(facts.readiness.blockers);
      if (atMs !== undefined) readyAt.set(seconds(atMs));
      if (rtoMs !== undefined) estimatedRto.set(seconds(rtoMs));
      if (rpoMs !== undefined) estimatedRpo.set(seconds(rpoMs));
    }
    for (const { probe, region = '', subject = '', observer, outcome, latencyMs } of facts.probes ?? []) {
      const labels = { probe, region, subject, observer };
      probeUnknown.set(labels, flag(outcome === 'unknown'));
      if (outcome !== 'unknown') probeUp.set(labels, flag(outcome === 'ok'));
      if (latencyMs !== undefined) latency.set(labels, seconds(latencyMs));
    }
    for (const { what, atMs } of facts.expiries ?? []) expiry.set({ what }, seconds(atMs));
    if (facts.fence) fence.set({ region: facts.fence.region }, flag(facts.fence.holds));
  };
}
