import type { Clock } from '../../domain/clock.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { BatchProducer } from '../../regions/kafka/record-batch.ts';
import type { PartitionState } from './partition-state.ts';
import type { ThrottleGate } from './throttle.ts';

/** What bounds the mirror's memory, pace and patience. */
export interface MirrorTuning {
  /** How long the source may hold back an empty answer. */
  readonly maxWaitMs: number;
  /** Of one fetch answer. */
  readonly fetchMaxBytes: number;
  /** The same from a broker at a distance; twice as much over all its connections. */
  readonly farFetchMaxBytes: number;
  /** Of one partition in it; over a distance it grows. */
  readonly partitionMaxBytes: number;
  /** Fetched and not acknowledged, over all partitions: no fetch beyond it. */
  readonly bufferBytes: number;
  /** The same for one partition; over a distance at least one answer of it. */
  readonly partitionBufferBytes: number;
  /** Between two fetches at least; while batches wait for the standby it is longer in any case. */
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

/** Ends the session as failed; `atMs` is when the failure began. */
export type Fail = (side: 'source' | 'target', cause: unknown, atMs?: number) => void;

export interface SessionContext {
  readonly source: KafkaCluster;
  readonly target: KafkaCluster;
  readonly states: readonly PartitionState[];
  readonly producer: BatchProducer;
  readonly tuning: MirrorTuning;
  /** How fast the source may be read. */
  readonly throttle: ThrottleGate;
  readonly clock: Clock;
  /** Asked before each batch is sent: false once the right to mirror may have passed to another process. */
  readonly mayWrite: () => boolean;
  /** A client of its own for a look at a side, which disturbs nothing that runs. The caller closes it. */
  readonly openLook: (side: 'source' | 'target') => KafkaCluster;
  /** Told at each answer of a side. */
  readonly onAnswer: (side: 'source' | 'target') => void;
}
