import { type PartitionOffsetJson, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { TopicLoss } from '../../replication/topics/estimate-loss.ts';

/** What a partition of the old primary holds from the promoted end on; `Recount` of replication/topics has this shape. */
export interface PartitionCount extends TopicPartition {
  readonly records: bigint;
  readonly bytes: number;
  readonly firstTimestampMs: number | undefined;
  readonly lastTimestampMs: number | undefined;
  /** False: the log no longer tells (compacted, or cut at its start). */
  readonly exact: boolean;
  /** The log's end afterwards, if it was written to during the count. */
  readonly grewTo: bigint | undefined;
}

/** The estimate made in the dark beside what was counted afterwards. */
export interface RecountedTopic {
  readonly estimated: number | null;
  readonly counted: number;
  readonly bytes: number;
  /** From the oldest record that the standby never got to the outage, or to the newest such record if that is later. */
  readonly ms: number;
  /** Somebody still writes to the old primary: count again when nobody does. */
  readonly stillGrowing: boolean;
  /** False: the count is a lower bound. */
  readonly exact: boolean;
}

export interface AssembledRecount {
  readonly run: string;
  readonly topics: Readonly<Record<string, RecountedTopic>>;
  /** Partitions that were promoted and could not be counted. */
  readonly uncounted: readonly string[];
}

/** Puts the counts of the old primary's log beside the report of the failover that left it behind. Pure. */
export function assembleRecount(
  report: {
    readonly run: string;
    readonly outageAtMs: number;
    readonly promotedAt: readonly PartitionOffsetJson[];
    readonly rpo: { readonly topics: Readonly<Record<string, Pick<TopicLoss, 'estimatedRecords'>>> };
  },
  counts: readonly PartitionCount[],
): AssembledRecount {
  const topics = [...new Set(report.promotedAt.map((p) => p.topic))].sort();
  const counted = new Set(counts.map(partitionKey));
  return {
    run: report.run,
    topics: Object.fromEntries(
      topics.map((topic) => {
        const own = counts.filter((c) => c.topic === topic);
        const lost = own.filter((c) => c.records > 0n);
        const oldest = Math.min(...lost.flatMap((c) => c.firstTimestampMs ?? []));
        const newest = Math.max(report.outageAtMs, ...lost.flatMap((c) => c.lastTimestampMs ?? []));
        return [
          topic,
          {
            estimated: report.rpo.topics[topic]?.estimatedRecords ?? null,
            counted: Number(own.reduce((sum, c) => sum + c.records, 0n)),
            bytes: own.reduce((sum, c) => sum + c.bytes, 0),
            ms: Number.isFinite(oldest) ? Math.max(0, newest - oldest) : 0,
            stillGrowing: own.some((c) => c.grewTo !== undefined),
            exact: own.every((c) => c.exact),
          },
        ];
      }),
    ),
    uncounted: report.promotedAt.map(partitionKey).filter((key) => !counted.has(key)),
  };
}
