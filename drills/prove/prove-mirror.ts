import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { byPartition, offsetFromJson, partitionKey, smallerOf } from '../../domain/offsets.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { type VerifiedRange, verifyTopics } from '../../replication/topics/verify.ts';
import { isRetryable } from '../../runbooks/engine/failures.ts';
import type { DrillCause } from '../drill-report.ts';

/** What a comparison of the log that the jobs will read came to. */
export type ProvedMirror =
  | {
      readonly kind: 'compared';
      readonly partitions: number;
      readonly records: bigint;
      readonly bytes: bigint;
      readonly causes: readonly DrillCause[];
    }
  /** Not all of it. `causes`: what was found until then. */
  | { readonly kind: 'not-compared'; readonly why: string; readonly causes: readonly DrillCause[] };

export interface ProveMirrorOptions {
  readonly primary: KafkaEndpoint;
  readonly standby: KafkaEndpoint;
  readonly points: readonly CheckpointManifest[];
  /** Topics that are compacted on one side. */
  readonly compacted: ReadonlySet<string>;
  readonly clock: Clock;
  /** What takes longer is given up, so that the primary isn't read from without end; default a minute. */
  readonly patienceMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Compares the standby's log with the primary's, record for record, from where the points' sources go on to where both
 * ended when it began. A primary that can't be asked is no fault of the replica's, and neither is a standby that doesn't
 * answer for a moment. Other errors of the standby's brokers are thrown.
 */
export async function proveMirror(options: ProveMirrorOptions): Promise<ProvedMirror> {
  const { signal, clock, compacted, patienceMs = 60_000 } = options;
  const starts = startsOf(options.points);
  const partitions = [...starts.values()].map(({ topic, partition }) => ({ topic, partition }));
  const soon = AbortSignal.timeout(patienceMs);
  const found: VerifiedRange[] = [];
  const causes = () => found.sort(byPartition).flatMap(causeOfRange);
  const ofPrimary = new Set<unknown>();
  try {
    const ranges = await verifyTopics({
      source: options.primary,
      target: options.standby,
      partitions,
      starts: new Map([...starts].map(([key, { offset }]) => [key, offset])),
      compacted,
      clock,
      onRange: (range) => found.push(range),
      onFailed: (side, error) => {
        if (side === 'source') ofPrimary.add(error);
      },
      signal: AbortSignal.any([signal, soon]),
    });
    return {
      kind: 'compared',
      partitions: ranges.length,
      records: ranges.reduce((sum, { records }) => sum + records, 0n),
      bytes: ranges.reduce((sum, { bytes }) => sum + bytes, 0n),
      causes: causes(),
    };
  } catch (error) {
    signal.throwIfAborted();
    const late = `the primary did not answer, or it took longer than ${patienceMs} ms`;
    const passes = soon.aborted || isRetryable(error) || (error instanceof ArgusError && ofPrimary.has(error));
    if (!passes) throw error;
    return { kind: 'not-compared', why: soon.aborted ? late : describeError(error), causes: causes() };
  }
}

/** Where the first of the points' sources goes on, for each partition; markers leave nothing to begin at. Pure. */
function startsOf(points: readonly CheckpointManifest[]) {
  const starts = new Map<string, ReturnType<typeof offsetFromJson>>();
  for (const each of points.flatMap(({ sourceOffsets }) => sourceOffsets.map(offsetFromJson))) {
    if (each.offset < 0n) continue;
    const key = partitionKey(each);
    starts.set(key, { ...each, offset: smallerOf(each.offset, starts.get(key)?.offset ?? each.offset) });
  }
  return starts;
}

/** A difference of one partition as a cause; none where both sides are the same. Pure. */
export function causeOfRange({
  difference,
  ...at
}: Pick<VerifiedRange, 'topic' | 'partition' | 'difference'>): DrillCause[] {
  if (difference === undefined) return [];
  const where = `${partitionKey(at)} at offset ${difference.offset}`;
  const hint = `\`argus mirror verify --topic ${at.topic}\` looks at all of it; \`argus mirror reseed\` makes the copy anew`;
  return difference.missing
    ? [{ code: 'RecordMissing', message: `${where}: the standby lacks a record that the primary has`, hint }]
    : [
        {
          code: 'RecordDiffers',
          message: `${where}: the standby's record is not the primary's: ${difference.what}`,
          hint,
        },
      ];
}
