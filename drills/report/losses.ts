import type { TopicLoss } from '../../replication/topics/estimate-loss.ts';
import type { FailoverReport } from '../../runbooks/failover/report.ts';
import type { SwitchoverReport } from '../../runbooks/switchover/report.ts';
import type { KeptRecount } from '../../state/recounts.ts';
import type { Rescued } from '../../state/rescued.ts';
import type { DrillReport } from '../drill-report.ts';
import type { Certainty, ReportModel, TopicLossLine } from './model.ts';

type Rpo = NonNullable<ReportModel['rpo']>;

/** What a later look at the old primary's log says. */
export interface LaterCounts {
  readonly recount?: KeptRecount | undefined;
  readonly rescued?: Rescued | undefined;
}

/** The loss of a failover: what was counted later in place of what was estimated then. Pure. */
export function failoverLoss(topics: FailoverReport['rpo']['topics'], later: LaterCounts): readonly TopicLossLine[] {
  return Object.entries(topics).map(([topic, loss]) => counted(topic, loss, later) ?? estimated(topic, loss));
}

function estimated(topic: string, loss: TopicLoss): TopicLossLine {
  const { estimatedRecords: records, ms, boundRecords, proven, estimatedBytes } = loss;
  const certainty: Certainty = proven
    ? 'proven'
    : records === null
      ? 'unknown'
      : loss.estimated
        ? 'estimated'
        : 'counted';
  return {
    ...{ topic, records, ms, certainty },
    bytes: records === 0 ? 0 : (estimatedBytes ?? null),
    ...(boundRecords === undefined ? {} : { atMostRecords: boundRecords }),
  };
}

function counted(topic: string, loss: TopicLoss, { recount, rescued }: LaterCounts): TopicLossLine | undefined {
  const before = loss.estimatedRecords === null ? {} : { estimatedRecords: loss.estimatedRecords };
  const kept = rescued?.topics[topic];
  if (kept !== undefined && rescued !== undefined) {
    const sum = (of: (p: Rescued['topics'][string]['partitions'][number]) => bigint) =>
      Number(kept.partitions.reduce((total, p) => total + of(p), 0n));
    const gone = sum((p) => (p.gone === undefined ? 0n : p.gone.to - p.gone.from));
    return {
      topic,
      records: sum((p) => p.orphans) + gone,
      // Of what was kept; records that had been deleted elsewhere are among it.
      bytes: sum((p) => p.older) === 0 ? sum((p) => p.bytes) : null,
      ms: recount?.topics[topic]?.ms ?? loss.ms,
      certainty: 'counted',
      ...before,
      countedBy: `failback ${rescued.run}`,
    };
  }
  const later = recount?.topics[topic];
  if (later === undefined || recount === undefined) return undefined;
  return {
    ...{ topic, records: later.counted, bytes: later.bytes, ms: later.ms },
    certainty: later.exact && !later.stillGrowing ? 'counted' : 'estimated',
    ...before,
    countedBy: `recount of ${new Date(recount.atMs).toISOString()}`,
  };
}

/** A switchover's: nothing, where that was proven; by topic. Pure. */
export function switchoverLoss(rpo: SwitchoverReport['rpo']): readonly TopicLossLine[] {
  const topics = [...new Set(rpo.partitions.map((p) => p.topic))];
  return topics.map((topic) => {
    const missing = rpo.partitions
      .filter((p) => p.topic === topic)
      .reduce((sum, p) => sum + BigInt(p.primaryEnd) - BigInt(p.standbyEnd), 0n);
    const proven = rpo.provenZero && missing === 0n;
    return {
      topic,
      records: Number(missing),
      bytes: missing === 0n ? 0 : null,
      ms: missing === 0n ? 0 : null,
      certainty: proven ? 'proven' : 'counted',
    };
  });
}

/** A drill's: what would have been lost. Pure. */
export function drillLoss(rpo: NonNullable<DrillReport['rpo']>): readonly TopicLossLine[] {
  return rpo.topics.map(({ topic, records, ms }) => ({
    ...{ topic, records, ms: ms ?? null, certainty: rpo.certainty },
    bytes: records === 0 ? 0 : null,
  }));
}

/** All topics together: records and bytes are summed, the time is the longest; one that nobody knows makes that unknown. Pure. */
export function lossOf(topics: readonly TopicLossLine[], objectiveMs: number, means: string): Rpo {
  const sum = (of: (t: TopicLossLine) => number | null) =>
    topics.reduce<number | null>((total, t) => (total === null || of(t) === null ? null : total + (of(t) ?? 0)), 0);
  const none = topics.length === 0;
  const ms = topics.reduce<number | null>(
    (most, t) => (most === null || t.ms === null ? null : Math.max(most, t.ms)),
    none ? null : 0,
  );
  const order: readonly Certainty[] = ['unknown', 'estimated', 'counted', 'proven'];
  const certainty = none ? 'unknown' : (order.find((c) => topics.some((t) => t.certainty === c)) ?? 'unknown');
  const met = ms === null ? null : ms <= objectiveMs;
  return {
    ...{ ms, objectiveMs, met, means, certainty, topics },
    records: none ? null : sum((t) => t.records),
    bytes: none ? null : sum((t) => t.bytes),
  };
}
