import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import { type PartitionOffset, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { fetchRequest } from '../../regions/kafka/fetch.ts';
import { KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { type RecordBatch, recordBatches } from '../../regions/kafka/record-batch.ts';
import { type BatchTally, compareLogs, type LogDifference, newTally } from './verify-batches.ts';

/** One partition's comparison in [fromOffset, toOffset), where both logs have something. */
export interface VerifiedRange extends TopicPartition, Readonly<BatchTally> {
  readonly fromOffset: bigint;
  readonly toOffset: bigint;
  /** The first one; undefined when both hold the same. */
  readonly difference: LogDifference | undefined;
}

export interface VerifyProgress {
  /** Offsets walked, and all that are to be walked. */
  readonly done: bigint;
  readonly total: bigint;
  /** Read from both sides. */
  readonly bytes: number;
}

export interface VerifyOptions {
  readonly source: KafkaEndpoint;
  readonly target: KafkaEndpoint;
  readonly partitions: readonly TopicPartition[];
  /** Topics that are compacted on one side. */
  readonly compacted: ReadonlySet<string>;
  /** Inclusive start and exclusive end of the walk; both logs' own where not given. */
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
  /** Where the walk begins in some partitions, by their keys, if that is later. */
  readonly starts?: ReadonlyMap<string, bigint> | undefined;
  /** Only this many ranges of `sampleOffsets` at random, of all partitions together. */
  readonly sample?: number | undefined;
  readonly clock: Clock;
  /** 0 inclusive to 1 exclusive. */
  readonly random?: () => number;
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Called with each range as soon as it is compared: what was found stands, whatever becomes of the others. */
  readonly onRange?: (range: VerifiedRange) => void;
  /** Whose error it is that is about to be thrown. */
  readonly onFailed?: (side: 'source' | 'target', error: unknown) => void;
  readonly signal: AbortSignal;
}

/** The size of a range that a sample looks at, in offsets. */
const sampleOffsets = 1_000n;
const fetchBytes = 2 * 1024 * 1024;
const requestTimeoutMs = 10_000;
const retryMs = 250;
/** Answers without anything, or errors that pass, in a row. */
const patience = 20;
const parallel = 4;

interface Range extends TopicPartition {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Compares what both sides hold at the same offsets, up to what both had when it began. Memory is bounded by four
 * partitions' fetches at a time. Errors: those of `KafkaCluster`; a difference is no error.
 */
export async function verifyTopics(options: VerifyOptions): Promise<readonly VerifiedRange[]> {
  const { partitions, signal, clock } = options;
  const open = (endpoint: KafkaEndpoint) =>
    new KafkaCluster({
      ...endpoint,
      clientId: 'argus-verify',
      connectTimeoutMs: requestTimeoutMs,
      requestTimeoutMs,
    });
  const [source, target] = [open(options.source), open(options.target)];
  try {
    const topics = [...new Set(partitions.map((p) => p.topic))];
    await Promise.all([
      of('source', options, source.refresh(topics, signal)),
      of('target', options, target.refresh(topics, signal)),
    ]);
    const whole = await commonRanges(source, target, options);
    const ranges = options.sample === undefined ? whole : sampleRanges(whole, options.sample, options.random);
    const total = ranges.reduce((sum, r) => sum + (r.to - r.from), 0n);
    const progress = { done: 0n, bytes: 0 };
    const told = () => options.onProgress?.({ ...progress, total });
    const results: VerifiedRange[] = [];
    let next = 0;
    const work = async (lane: string) => {
      for (let i = next++; i < ranges.length; i = next++) {
        const range = ranges[i] as Range;
        const note = (walked: bigint, bytes: number) => {
          progress.done += walked;
          progress.bytes += bytes;
          told();
        };
        const shared = { lane, clock, signal, note, onFailed: options.onFailed };
        const verified = await verifyRange(source, target, range, options.compacted.has(range.topic), shared);
        results[i] = verified;
        options.onRange?.(verified);
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallel, ranges.length) }, (_, i) => work(`verify-${i}`)));
    return results;
  } finally {
    source.close();
    target.close();
  }
}

/** An answer of one side's. */
async function of<T>(side: 'source' | 'target', { onFailed }: Pick<VerifyOptions, 'onFailed'>, answer: Promise<T>) {
  try {
    return await answer;
  } catch (error) {
    onFailed?.(side, error);
    throw error;
  }
}

/** Where both logs have something, within the wanted range. */
async function commonRanges(source: KafkaCluster, target: KafkaCluster, options: VerifyOptions): Promise<Range[]> {
  const { partitions, signal, from = 0n, to } = options;
  const [starts, ends, standbyStarts, standbyEnds] = await Promise.all([
    of('source', options, source.logStarts(partitions, signal)),
    of('source', options, source.logEnds(partitions, signal)),
    of('target', options, target.logStarts(partitions, signal)),
    of('target', options, target.logEnds(partitions, signal)),
  ]);
  return partitions.flatMap(({ topic, partition }) => {
    const key = partitionKey({ topic, partition });
    const first = max(from, options.starts?.get(key) ?? 0n, starts.get(key) ?? 0n, standbyStarts.get(key) ?? 0n);
    const last = min(ends.get(key) ?? 0n, standbyEnds.get(key) ?? 0n, ...(to === undefined ? [] : [to]));
    return [{ topic, partition, from: first, to: max(first, last) }];
  });
}

/** Ranges at random, each offset as likely as any other. */
export function sampleRanges(whole: readonly Range[], count: number, random: () => number = Math.random): Range[] {
  const total = whole.reduce((sum, r) => sum + (r.to - r.from), 0n);
  if (total === 0n) return [];
  return Array.from({ length: count }, () => {
    let at = BigInt(Math.floor(random() * Number(total)));
    for (const r of whole) {
      if (at < r.to - r.from) {
        const from = r.from + at;
        return { ...r, from, to: min(r.to, from + sampleOffsets) };
      }
      at -= r.to - r.from;
    }
    // Rounding of a number beyond 2^53.
    return whole.at(-1) as Range;
  });
}

interface Shared {
  readonly lane: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly note: (walked: bigint, bytes: number) => void;
  readonly onFailed: VerifyOptions['onFailed'];
}

async function verifyRange(
  source: KafkaCluster,
  target: KafkaCluster,
  range: Range,
  compacted: boolean,
  shared: Shared,
): Promise<VerifiedRange> {
  const { topic, partition, from, to } = range;
  const tally = newTally();
  const [a, b] = [new LogWalk('source', source, range, shared), new LogWalk('target', target, range, shared)];
  const floor = () => max(a.floor, b.floor);
  // One side's steps are the progress.
  a.onStep = (offsets) => shared.note(offsets, 0);
  const difference = await compareLogs(a.batches(), b.batches(), { compacted, floor, to }, tally);
  shared.note(to - from - a.walked, 0);
  return { topic, partition, fromOffset: from, toOffset: to, ...tally, difference };
}

/** Reads one log in order; where it is cut at its start meanwhile, it goes on there. */
class LogWalk {
  /** The lowest offset that this side can still show. */
  floor: bigint;
  readonly #side: 'source' | 'target';
  readonly #cluster: KafkaCluster;
  readonly #range: Range;
  readonly #shared: Shared;
  /** Offsets told to `onStep` so far. */
  walked = 0n;
  onStep: ((offsets: bigint) => void) | undefined;

  constructor(side: 'source' | 'target', cluster: KafkaCluster, range: Range, shared: Shared) {
    this.#side = side;
    this.#cluster = cluster;
    this.#range = range;
    this.#shared = shared;
    this.floor = range.from;
  }

  async *batches(): AsyncGenerator<RecordBatch> {
    const { note } = this.#shared;
    let position = this.#range.from;
    for (let empty = 0; position < this.#range.to && empty < patience; ) {
      const records = await this.#fetch(position);
      const before = position;
      if (records === undefined) position = max(position, this.floor);
      else
        for (const batch of recordBatches(records)) {
          if (batch.lastOffset < position) continue;
          position = batch.lastOffset + 1n;
          yield batch;
        }
      this.#step(min(position, this.#range.to) - before);
      note(0n, records?.length ?? 0);
      // The end of a compacted log may hold nothing.
      empty = position > before ? 0 : empty + 1;
    }
  }

  #step(offsets: bigint): void {
    this.walked += offsets;
    this.onStep?.(offsets);
  }

  /** What the log holds from an offset on; undefined when it now begins later. */
  async #fetch(offset: bigint): Promise<Buffer | undefined> {
    const { topic, partition } = this.#range;
    const { lane, clock, signal } = this.#shared;
    const at: PartitionOffset = { topic, partition, offset };
    for (let failures = 0; ; failures++) {
      try {
        const request = fetchRequest([{ ...at, maxBytes: fetchBytes }], { maxWaitMs: 20, maxBytes: fetchBytes });
        const [answer] = await this.#cluster.send(this.#cluster.leaderOf(at), lane, request, { signal });
        if (answer?.errorCode === kafkaError.offsetOutOfRange) {
          const start = (await this.#cluster.logStarts([at], signal)).get(partitionKey(at)) ?? 0n;
          if (start <= offset) throw partitionError(this.#cluster.name, 'Fetch', at, answer.errorCode);
          this.floor = start;
          return undefined;
        }
        if (answer && answer.errorCode === kafkaError.none) return answer.records;
        throw partitionError(this.#cluster.name, 'Fetch', at, answer?.errorCode ?? -1);
      } catch (error) {
        const passes = error instanceof ArgusError && error.retryable && failures < patience;
        if (signal.aborted || !passes) {
          this.#shared.onFailed?.(this.#side, error);
          throw error;
        }
        await clock.sleep(retryMs, signal);
        await this.#cluster.refresh([topic], signal).catch(() => undefined); // The next try says what is wrong.
      }
    }
  }
}

function max(...values: readonly bigint[]): bigint {
  return values.reduce((best, v) => {
    if (v > best) return v;
    return best;
  });
}

function min(...values: readonly bigint[]): bigint {
  return values.reduce((best, v) => {
    if (v < best) return v;
    return best;
  });
}
