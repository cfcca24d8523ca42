/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A position in a partition: the offset of the NEXT record, so a range end is exclusive. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: bigint;
}

/** What a partition's log holds: records with offsets in [logStartOffset, logEndOffset). */
export interface LogRange extends TopicPartition {
  readonly logStartOffset: bigint;
  /** Exclusive. The high watermark, as ListOffsets answers for an ordinary client. */
  readonly logEndOffset: bigint;
}

/** A key for maps: `topic-partition`, Kafka's own notation. */
export function partitionKey(tp: TopicPartition): string {
  return `${tp.topic}-${tp.partition}`;
}

/** Every partition of topics with so many each. */
export function partitionsOf(
  topics: Iterable<{ readonly name: string; readonly partitions: number }>,
): readonly TopicPartition[] {
  return [...topics].flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  );
}

/** The end of a log, without its start. */
export function endOf({ topic, partition, logEndOffset }: LogRange): PartitionOffset {
  return { topic, partition, offset: logEndOffset };
}

/** Orders by topic, then partition. */
export function byPartition(a: TopicPartition, b: TopicPartition): number {
  return a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition;
}

/** Offsets as they stand in JSON documents: decimal strings, exact beyond 2^53. */
export interface PartitionOffsetJson extends TopicPartition {
  readonly offset: string;
}

export function offsetToJson(o: PartitionOffset): PartitionOffsetJson {
  return { topic: o.topic, partition: o.partition, offset: o.offset.toString() };
}

export function offsetFromJson(o: PartitionOffsetJson): PartitionOffset {
  return { topic: o.topic, partition: o.partition, offset: BigInt(o.offset) };
}

/** The smaller of two offsets. */
export function smallerOf(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

/** The larger of two offsets. */
export function largerOf(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}
