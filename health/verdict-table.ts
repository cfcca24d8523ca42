/** What can be said of two regions and of those who watch them. */
export type VerdictCode =
  | 'AllWell'
  | 'PrimaryDead'
  | 'PrimaryUnreachable'
  | 'PrimaryUnconfirmed'
  | 'PrimaryPartlyReachable'
  | 'PrimaryDegraded'
  | 'PrimaryFlapping'
  | 'StandbyDead'
  | 'StandbyNotReady'
  | 'BothDead'
  | 'SplitBrainRisk'
  | 'MirrorStalled'
  | 'CheckpointsStale'
  | 'HeartbeatLate'
  | 'DnsDisagrees'
  | 'ClockSkewed'
  | 'Expiring'
  | 'StateUnreachable'
  | 'ObserverCutOff';

export type VerdictSeverity = 'ok' | 'info' | 'warning' | 'critical';

/** What a verdict says, and what it allows. */
export interface VerdictRule {
  readonly severity: VerdictSeverity;
  /** Whether automatic mode may begin a failover on it, when everything else allows it. */
  readonly act: 'failover' | 'none';
  /** What a person does. */
  readonly advise: string;
  /** Whether on-call is told. */
  readonly notify: boolean;
  /** When it holds. */
  readonly meaning: string;
}

/** What each verdict means and allows: complete, and the only place that says so. docs/verdicts.md has the same table. */
export const verdictTable: Readonly<Record<VerdictCode, VerdictRule>> = {
  AllWell: {
    severity: 'ok',
    act: 'none',
    advise: 'nothing',
    notify: false,
    meaning: 'no other verdict stands',
  },
  PrimaryDead: {
    severity: 'critical',
    act: 'failover',
    advise: '`argus failover`',
    notify: true,
    meaning:
      'a majority of the configured observers, one outside both regions among them, gets no good answer from anything in the primary, and a refused connection or a bad answer from its Kafka and something besides; no observer gets a good one',
  },
  PrimaryUnreachable: {
    severity: 'critical',
    act: 'failover',
    advise: 'find out whether the primary lives behind a cut; then `argus failover`',
    notify: true,
    meaning:
      'as PrimaryDead, but without a majority that was refused: there were time-outs only, as from a region that is cut off, frozen or without power. Acted on only with automatic.acceptUnreachable',
  },
  PrimaryUnconfirmed: {
    severity: 'warning',
    act: 'none',
    advise: 'bring the observers back; look at the primary',
    notify: true,
    meaning:
      'somebody gets no good answer from the primary and nobody does, but they are no majority or none is outside',
  },
  PrimaryPartlyReachable: {
    severity: 'warning',
    act: 'none',
    advise: 'mend the path; `argus failover` only if clients are on the wrong side',
    notify: true,
    meaning: 'some observers get good answers from the primary and others none at all',
  },
  PrimaryDegraded: {
    severity: 'warning',
    act: 'none',
    advise: 'look at the part that is named; `argus switchover` if it gets no better',
    notify: true,
    meaning: 'the primary answers, but a part of it fails, is not heard, or answers slowly, as most see it',
  },
  PrimaryFlapping: {
    severity: 'warning',
    act: 'none',
    advise: 'look at the network before anything else',
    notify: true,
    meaning: 'the primary’s Kafka went away and came back several times within the last minutes',
  },
  StandbyDead: {
    severity: 'critical',
    act: 'none',
    advise: 'bring the standby back: there is no failover without it',
    notify: true,
    meaning: 'a majority gets no good answer from anything in the standby, and nobody gets one',
  },
  StandbyNotReady: {
    severity: 'warning',
    act: 'none',
    advise: '`argus readiness`, `argus standby check`',
    notify: true,
    meaning: 'a part of the standby fails, as most see it, or a failover would be refused now',
  },
  BothDead: {
    severity: 'critical',
    act: 'none',
    advise: 'look at what both have in common, and at the observers’ own network',
    notify: true,
    meaning: 'a majority gets no good answer from either region',
  },
  SplitBrainRisk: {
    severity: 'critical',
    act: 'none',
    advise: 'stop the side that is not primary; `argus status`',
    notify: true,
    meaning: 'the same job runs in both regions, or the region that is not primary takes writes that it should refuse',
  },
  MirrorStalled: {
    severity: 'warning',
    act: 'none',
    advise: '`argus mirror status`',
    notify: true,
    meaning:
      'the mirror does not go on, is far behind, or for 10 s did not reach a primary whose Kafka answers most observers',
  },
  CheckpointsStale: {
    severity: 'warning',
    act: 'none',
    advise: '`argus recovery-points --explain`',
    notify: true,
    meaning: 'a job’s newest checkpoint on the replica is too old',
  },
  HeartbeatLate: {
    severity: 'warning',
    act: 'none',
    advise: '`argus status`: which leg is late',
    notify: true,
    meaning: 'the end-to-end heartbeat comes late, or not at all',
  },
  DnsDisagrees: {
    severity: 'warning',
    act: 'none',
    advise: '`argus dns check`',
    notify: true,
    meaning: 'a name answers with something else than the primary, or differs between resolvers',
  },
  ClockSkewed: {
    severity: 'warning',
    act: 'none',
    advise: 'look at NTP there',
    notify: true,
    meaning: 'a machine’s clock is off by more than is allowed',
  },
  Expiring: {
    severity: 'warning',
    act: 'none',
    advise: 'renew it',
    notify: true,
    meaning: 'a certificate or token runs out soon, or has',
  },
  StateUnreachable: {
    severity: 'critical',
    act: 'none',
    advise: 'bring the state’s store back: nothing can act without it',
    notify: true,
    meaning: 'most observers that are heard can’t use the place of the state',
  },
  ObserverCutOff: {
    severity: 'info',
    act: 'none',
    advise: 'start it again (`argus observe`), or mend its network',
    notify: true,
    meaning: 'a configured observer is not heard, or sees no region while others see one',
  },
};
