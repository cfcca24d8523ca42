import { errorName, isTransient, kafkaError } from '../../regions/kafka/error-codes.ts';
import type { ProducedPartition } from '../../regions/kafka/produce.ts';
import type { RecordBatch } from '../../regions/kafka/record-batch.ts';
import { hasInnerHoles } from './split-batch.ts';

/**
 * Why a partition is mirrored no further. A stop is final until a person acts: going on would break the identity of
 * offsets. Trouble that passes (a broker that is away, a leader that moves) never stops a partition.
 */
export type StopReason =
  /** The source deleted records that the standby has not got. */
  | 'SourceTruncated'
  /** The standby's log is longer than the source's: the source lost its tail, or somebody else wrote to the standby. */
  | 'StandbyAhead'
  /** A leader was elected at the source that lacks records that the standby has. */
  | 'SourceTailLost'
  /** The last batch of the standby is not the one that the source has there: a topic that was made anew, or two writers. */
  | 'Diverged'
  /** The standby's log ends inside a batch of the source. */
  | 'OffsetGap'
  /** The source's broker stamped a batch on append: the standby's would take the producer's timestamps from its bytes. */
  | 'StampedOnAppend'
  /** A control record that is no transaction's marker. */
  | 'ControlRecordUnknown'
  /** A transaction that stands open on the standby can't be gone on with, or its coordinator ended it on its own. */
  | 'TransactionLost'
  /** A marker stands on the standby where another one, or records, had to be: its coordinator wrote one twice. */
  | 'ForeignMarker'
  /** A batch whose checksum does not hold, twice. */
  | 'CorruptBatch'
  /** The standby gave a batch another offset than it has at the source. */
  | 'OffsetMismatch'
  /** The mirror's producer was shut out by a failover. */
  | 'Fenced'
  /** The broker's sequence of the mirror's producer does not fit to the log end, twice. */
  | 'SequenceRefused'
  /** The standby's topic can't be brought to where the source's log begins. */
  | 'AlignmentRefused'
  /** The standby refused a batch for good: too large, denied, invalid. */
  | 'BatchRefused'
  /** The source's topic was deleted and made anew, by its id. */
  | 'TopicRecreated'
  /** A person wants it so; it goes on when he takes it back. */
  | 'Paused';

export interface Stop {
  readonly reason: StopReason;
  /** For people, with the offsets. */
  readonly detail: string;
}

/** Where a partition goes on, or why not. */
export type StartDecision =
  | { readonly kind: 'mirror'; readonly from: bigint }
  | { readonly kind: 'stop'; readonly stop: Stop };

/** Where a partition goes on: the standby's log end is the position, if the source still has what follows. */
export function decideStart(view: {
  readonly standbyEnd: bigint;
  readonly sourceStart: bigint;
  readonly sourceEnd: bigint;
}): StartDecision {
  const { standbyEnd, sourceStart, sourceEnd } = view;
  if (sourceStart > standbyEnd) {
    const detail = `the source's log begins at ${sourceStart}, the standby needs ${standbyEnd} next`;
    return stop('SourceTruncated', detail);
  }
  if (standbyEnd > sourceEnd) {
    const detail = `the standby's log ends at ${standbyEnd}, the source's at ${sourceEnd}`;
    return stop('StandbyAhead', detail);
  }
  return { kind: 'mirror', from: standbyEnd };
}

/**
 * Whether the source lost records by the election of a leader that had not got them: the epoch that was read ends
 * before what the standby has of it. An end of -1 says nothing.
 */
export function decideEpochEnd(standbyEnd: bigint, epochEnd: bigint): Stop | undefined {
  if (epochEnd < 0n || epochEnd >= standbyEnd) return undefined;
  const what = `the source lost offsets ${epochEnd} to ${standbyEnd - 1n}, which the standby has, or holds others there`;
  return { reason: 'SourceTailLost', detail: `${what}: a leader without them was elected` };
}

type LastBatch = Pick<
  RecordBatch,
  'baseOffset' | 'lastOffset' | 'recordCount' | 'maxTimestampMs' | 'firstTimestampMs' | 'control'
>;

/**
 * Whether both sides hold the same last batch, by what a header says of its records; undefined when they do, or when
 * one of them can't be seen (retention took it).
 */
export function decideSameTail(source: LastBatch | undefined, standby: LastBatch | undefined): Stop | undefined {
  if (!source || !standby) return undefined;
  // A marker has the time of its own side. What compaction left says nothing of what the other side still has.
  const where = source.baseOffset === standby.baseOffset && source.control === standby.control;
  if (where && source.control) return undefined;
  if (isCompacted(source) || isCompacted(standby) || source.baseOffset > standby.lastOffset) return undefined;
  // What stands at the tail of the standby is told in full by `decideTailMarkers`.
  if (standby.control) return undefined;
  const same =
    source.baseOffset === standby.baseOffset &&
    source.lastOffset === standby.lastOffset &&
    source.recordCount === standby.recordCount &&
    source.firstTimestampMs === standby.firstTimestampMs &&
    source.maxTimestampMs === standby.maxTimestampMs;
  if (same) return undefined;
  const text = (b: LastBatch) =>
    `${b.recordCount} records from ${b.baseOffset} to ${b.lastOffset}, up to ${new Date(b.maxTimestampMs).toISOString()}`;
  const detail = `the standby's log ends in other records than the source has there: ${text(standby)}; source: ${text(source)}`;
  return { reason: 'Diverged', detail };
}

function isCompacted(batch: LastBatch): boolean {
  return BigInt(batch.recordCount) !== batch.lastOffset - batch.baseOffset + 1n;
}

/** `skip`: the standby has it already. */
export type BatchDecision = { readonly kind: 'take' | 'skip' } | { readonly kind: 'stop'; readonly stop: Stop };

/**
 * Whether a fetched batch is the next one for the standby, whose log ends at `position`. Offsets that are missing
 * before it or inside it, or all that it spans when it holds no records, are filled; the standby may end inside those.
 */
export function decideBatch(position: bigint, batch: RecordBatch): BatchDecision {
  const { baseOffset, lastOffset, recordCount } = batch;
  if (lastOffset < position) return { kind: 'skip' };
  // The cleaner leaves a batch without records where it must remember a producer: its offsets are filled.
  if (recordCount === 0) return { kind: 'take' };
  if (batch.stampedByBroker && !batch.control) {
    const detail = `the source's broker stamped the batch from ${baseOffset} to ${lastOffset} on append`;
    return stop('StampedOnAppend', detail);
  }
  if (hasInnerHoles(batch) && !batch.control) return { kind: 'take' };
  if (baseOffset < position) {
    const detail = `the standby's log ends at ${position}, inside the source's batch from ${baseOffset} to ${lastOffset}`;
    return stop('OffsetGap', detail);
  }
  if (hasInnerHoles(batch)) {
    const detail = `the control batch from ${baseOffset} to ${lastOffset} holds ${recordCount} records`;
    return stop('ControlRecordUnknown', detail);
  }
  return { kind: 'take' };
}

/** INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED. */
const transactionLost = [47, 48, 49, 90];

/** What a batch's answer means for its partition. */
export type ProducedDecision =
  /** `unsure`: ask the standby's log end and go on from there. `outOfOrder`: the same, but a stop when it comes again. */
  { readonly kind: 'appended' | 'unsure' | 'outOfOrder' } | { readonly kind: 'stop'; readonly stop: Stop };

/** What the standby's answer to a batch means; the batch begins at `expectedOffset` at the source. */
export function decideProduced(
  expectedOffset: bigint,
  answer: Pick<ProducedPartition, 'errorCode' | 'baseOffset' | 'errorMessage'>,
  inTransaction = false,
): ProducedDecision {
  const { errorCode } = answer;
  if (inTransaction && transactionLost.includes(errorCode)) {
    const why = 'the standby ended the transaction (its time-out passed), or a failover shut the mirror out';
    return stop('TransactionLost', `the batch at ${expectedOffset} was refused: ${errorName(errorCode)}; ${why}`);
  }
  if (errorCode === kafkaError.none) {
    if (answer.baseOffset === expectedOffset) return { kind: 'appended' };
    const detail = `the source's offset ${expectedOffset} became ${answer.baseOffset} on the standby`;
    return stop('OffsetMismatch', detail);
  }
  if (errorCode === kafkaError.invalidProducerEpoch || errorCode === kafkaError.producerFenced) {
    return stop('Fenced', `refused at ${expectedOffset}: ${errorName(errorCode)}`);
  }
  if (errorCode === kafkaError.outOfOrderSequence) return { kind: 'outOfOrder' };
  if (
    errorCode === kafkaError.duplicateSequence ||
    errorCode === kafkaError.unknownTopicOrPartition ||
    isTransient(errorCode)
  ) {
    return { kind: 'unsure' };
  }
  const text = answer.errorMessage ? `: ${answer.errorMessage}` : '';
  const detail = `the batch at ${expectedOffset} was refused: ${errorName(errorCode)}${text}`;
  return stop('BatchRefused', detail);
}

function stop(reason: StopReason, detail: string): { readonly kind: 'stop'; readonly stop: Stop } {
  return { kind: 'stop', stop: { reason, detail } };
}
