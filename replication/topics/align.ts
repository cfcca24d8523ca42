import { ArgusError, describeError } from '../../domain/errors.ts';
import { deleteRecordsRequest } from '../../regions/kafka/delete-records.ts';
import { kafkaError } from '../../regions/kafka/error-codes.ts';
import { type FillerRecords, fillerBatch, fillerRecords, maxFillerRecords } from '../../regions/kafka/filler-batch.ts';
import { type KafkaCluster, partitionError } from '../../regions/kafka/kafka-cluster.ts';
import { produceRequest } from '../../regions/kafka/produce.ts';
import { checksumHolds, patchForProduce, type RecordBatch, sequenceOf } from '../../regions/kafka/record-batch.ts';
import { wholeBatch } from './align-plan.ts';
import { decideProduced } from './continuity.ts';
import { type PartitionState, setAside, stopNow } from './partition-state.ts';
import type { SessionContext } from './session-context.ts';

/** A large batch takes a broker a third of a second: more at once would hold up a freeze, which awaits them all. */
const partitionsAtOnce = 2;
const inFlightAtOnce = 3;
/** So that the standby's disk never holds many of them. */
const deleteEvery = 50;
const requestTimeoutMs = 30_000;
/** What is aligned within this time is taken up by one new session. */
const takeUpMs = 500;

/**
 * Brings the partitions that `resume` has set aside for it to where the source's log begins: placeholders take the
 * offsets before, then they are deleted. It goes on at the standby's log end after any interruption. When the signal
 * ends it, everything sent was answered or noted as open, and what was written is deleted.
 */
export async function alignPartitions(context: SessionContext, signal: AbortSignal): Promise<void> {
  const waiting = context.states.filter((s) => s.alignment !== undefined);
  if (waiting.length === 0) return;
  const [source, standby] = [context.openLook('source'), context.openLook('target')];
  const records = fillerCache();
  try {
    const topics = [...new Set(waiting.map((s) => s.topic))];
    await Promise.all([source.refresh(topics, signal), standby.refresh(topics, signal)]);
    const next = async () => {
      for (let s = waiting.shift(); s && !signal.aborted; s = waiting.shift()) {
        await new Alignment(context, { source, standby }, s, records, signal).run();
      }
    };
    await Promise.all(Array.from({ length: partitionsAtOnce }, next));
  } catch (error) {
    for (const s of waiting) if (!signal.aborted) leaveAside(context, s, error);
  } finally {
    source.close();
    standby.close();
  }
}

/** The compressed records of each size that is used; almost always the largest. */
function fillerCache(): (count: number) => FillerRecords {
  let largest: FillerRecords | undefined;
  return (count) => {
    if (largest?.count === count) return largest;
    const made = fillerRecords(count);
    if (!largest || count > largest.count) largest = made;
    return made;
  };
}

function leaveAside(context: SessionContext, state: PartitionState, error: unknown): void {
  state.alignment = undefined;
  setAside(state, 'target', `it can't be aligned: ${describeError(error)}`, context.clock.monotonic());
}

class Alignment {
  readonly #context: SessionContext;
  readonly #source: KafkaCluster;
  readonly #standby: KafkaCluster;
  readonly #state: PartitionState;
  readonly #records: (count: number) => FillerRecords;
  readonly #signal: AbortSignal;
  #largest = maxFillerRecords;
  /** A batch of this size was taken: until then one is sent at a time, so that none lands behind a refused one. */
  #proven = 0;
  #deletedTo = -1n;

  constructor(
    context: SessionContext,
    clusters: { readonly source: KafkaCluster; readonly standby: KafkaCluster },
    state: PartitionState,
    records: (count: number) => FillerRecords,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#source = clusters.source;
    this.#standby = clusters.standby;
    this.#state = state;
    this.#records = records;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { clock } = this.#context;
    const state = this.#state;
    const to = state.alignment?.to ?? 0n;
    try {
      // Before the first placeholder: a right that is absent, or a topic that can't delete, must leave nothing behind.
      await this.#deleteBefore(state.mirroredEnd);
      const cut = await this.#cutBatch(to);
      if (state.stop) return;
      const placeholdersTo = cut?.baseOffset ?? to;
      while (state.mirroredEnd < placeholdersTo && !state.stop && !this.#signal.aborted) {
        await this.#fill(placeholdersTo);
      }
      await this.#deleteBefore(state.mirroredEnd);
      if (state.mirroredEnd < placeholdersTo || state.stop) return;
      if (cut) {
        patchForProduce(cut, this.#context.producer);
        await this.#send(cut.baseOffset, cut.lastOffset + 1n, cut.bytes);
        if (state.mirroredEnd < to) return;
        await this.#deleteBefore(to);
      }
      state.alignment = undefined;
      const why = `it begins at ${to} now, as the source does`;
      state.trouble = { side: 'target', why, retryAt: clock.monotonic() + takeUpMs };
    } catch (error) {
      if (error instanceof PolicyViolation) {
        const detail = `the standby's topic is only compacted, so placeholders up to the source's log start ${to} could not be deleted`;
        state.alignment = undefined;
        stopNow(state, { reason: 'AlignmentRefused', detail });
      } else leaveAside(this.#context, state, error);
    }
  }

  /**
   * The source's first batch, where its log begins inside it (as after DeleteRecords): it is mirrored whole, and then
   * cut as the source's is.
   */
  async #cutBatch(to: bigint): Promise<RecordBatch | undefined> {
    const state = this.#state;
    const first = await wholeBatch(this.#source, state, to, this.#signal);
    if (!first || first.baseOffset >= to) return undefined;
    const { baseOffset, lastOffset, transactional, recordCount } = first;
    const why =
      baseOffset < state.mirroredEnd
        ? `the standby's empty log stands at ${state.mirroredEnd}, inside it`
        : transactional
          ? 'it is part of a transaction'
          : BigInt(recordCount) !== lastOffset - baseOffset + 1n
            ? 'it was compacted'
            : undefined;
    if (why === undefined && checksumHolds(first.bytes)) return first;
    const where = `the source's log begins at ${to}, inside the batch from ${baseOffset} to ${lastOffset}`;
    state.alignment = undefined;
    stopNow(state, { reason: 'AlignmentRefused', detail: `${where}: ${why ?? 'its checksum does not hold'}` });
    return undefined;
  }

  /** Sends placeholders until the end is reached, something is refused or the signal ends it; awaits all answers. */
  async #fill(to: bigint): Promise<void> {
    const state = this.#state;
    const inFlight: Promise<void>[] = [];
    const begunWith = this.#largest;
    let position = state.mirroredEnd;
    let failure: unknown;
    for (let sent = 0; position < to && !this.#signal.aborted && failure === undefined; ) {
      if (!this.#context.mayWrite()) {
        await this.#context.clock.sleep(50, this.#signal).catch(() => undefined); // Aborted: the loop ends.
        continue;
      }
      if (state.stop || this.#largest !== begunWith) break;
      const atOnce = this.#proven >= this.#largest ? inFlightAtOnce : 1;
      while (inFlight.length >= atOnce) await inFlight.shift();
      if (failure !== undefined || state.stop || this.#largest !== begunWith) break;
      const left = to - position;
      const count = left < BigInt(this.#largest) ? Number(left) : this.#largest;
      inFlight.push(
        this.#sendFiller(position, count).catch((error: unknown) => {
          failure ??= error;
        }),
      );
      position += BigInt(count);
      if (++sent % deleteEvery === 0) await this.#deleteBefore(state.mirroredEnd);
    }
    await Promise.all(inFlight);
    if (failure !== undefined) throw failure;
  }

  async #sendFiller(position: bigint, count: number): Promise<void> {
    const { producer } = this.#context;
    const bytes = fillerBatch(this.#records(count), { producer, baseSequence: sequenceOf(position) });
    const taken = await this.#send(position, position + BigInt(count), bytes, count > 1);
    if (taken) this.#proven = Math.max(this.#proven, count);
    else this.#largest = Math.min(this.#largest, Math.ceil(count / 2));
  }

  /** False: it was too large, and may be sent in parts. */
  async #send(position: bigint, end: bigint, bytes: Buffer, divisible = false): Promise<boolean> {
    const state = this.#state;
    const { topic, partition } = state;
    const open = () => {
      if (end > state.unansweredTo) state.unansweredTo = end;
    };
    const request = produceRequest([{ topic, partition, bytes }], requestTimeoutMs);
    const sending = this.#standby.send(this.#standby.leaderOf(state), 'produce', request, {
      timeoutMs: requestTimeoutMs * 2,
    });
    const [answer] = await sending.catch((error: unknown) => {
      open();
      throw error;
    });
    if (!answer) throw new ArgusError('KafkaFailed', `the answer to Produce left out ${state.key}`);
    const tooLarge = [kafkaError.messageTooLarge, kafkaError.recordListTooLarge].some((e) => e === answer.errorCode);
    if (tooLarge && divisible) return false;
    const decision = decideProduced(position, answer);
    if (decision.kind === 'appended') {
      state.mirroredEnd = end;
      state.fetchFrom = end;
    } else if (decision.kind === 'stop') stopNow(state, decision.stop);
    else {
      open();
      throw partitionError(this.#standby.name, 'Produce', state, answer.errorCode, answer.errorMessage);
    }
    return true;
  }

  /** Deletes what is known to be placeholders, or deleted at the source. */
  async #deleteBefore(offset: bigint): Promise<void> {
    const { topic, partition } = this.#state;
    if (this.#deletedTo === offset) return;
    const request = deleteRecordsRequest([{ topic, partition, offset }], requestTimeoutMs);
    const [answer] = await this.#standby.send(this.#standby.leaderOf(this.#state), 'produce', request, {
      timeoutMs: requestTimeoutMs * 2,
    });
    if (answer?.errorCode === kafkaError.policyViolation) throw new PolicyViolation();
    const code = answer?.errorCode ?? -1;
    if (code !== kafkaError.none) {
      const needed = code === kafkaError.topicAuthorizationFailed ? `DELETE on topic "${topic}" is needed` : '';
      throw partitionError(this.#standby.name, 'DeleteRecords', this.#state, code, needed);
    }
    this.#deletedTo = offset;
  }
}

/** The topic's cleanup policy does not allow to delete. */
class PolicyViolation extends Error {}
