import type { Clock } from '../../domain/clock.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { BatchProducer } from '../../regions/kafka/record-batch.ts';
import type { PartitionState } from './partition-state.ts';

/** What bounds the mirror's memory, pace and patience. */
export interface MirrorTuning {
  /** How long the source may hold back an empty answer. */
  readonly maxWaitMs: number;
  /** Of one fetch answer. */
  readonly fetchMaxBytes: number;
  /** Of one partition in it. */
  readonly partitionMaxBytes: number;
  /** Fetched and not acknowledged, over all partitions: no fetch beyond it. */
  readonly bufferBytes: number;
  /** The same for one partition. */
  readonly partitionBufferBytes: number;
  /** Between two fetches at least, so that single records don't cost a request each. */
  readonly fetchPaceMs: number;
  /** Silence after which a broker counts as away; `maxWaitMs` comes on top where it applies. */
  readonly requestTimeoutMs: number;
}

/** On which side the mirror failed; trouble that passes ends the session, and the next one begins anew. */
export class SessionFailure extends Error {
  override readonly name = 'SessionFailure';
  readonly side: 'source' | 'target';
  readonly atMs: number;

  constructor(side: 'source' | 'target', cause: unknown, atMs: number) {
    super(`the mirror's ${side} failed`, { cause });
    this.side = side;
    this.atMs = atMs;
  }
}

export interface SessionContext {
  readonly source: KafkaCluster;
  readonly target: KafkaCluster;
  readonly states: readonly PartitionState[];
  readonly producer: BatchProducer;
  readonly tuning: MirrorTuning;
  readonly clock: Clock;
  /** Told at each answer of a side. */
  readonly onAnswer: (side: 'source' | 'target') => void;
}
