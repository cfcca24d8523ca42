import type { TopicPartition } from '../domain/offsets.ts';
import type { KafkaEndpoint } from '../regions/kafka/kafka-security.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import type { Following } from '../replication/topics/plan-following.ts';
import type { Stopped } from './replicator.ts';

/**
 * All that a mirror needs to know; plain data, so that it can be sent to another process. The endpoints hold secrets:
 * over IPC only, never as arguments of a process, in its environment or in a log.
 */
export interface MirrorSettings {
  readonly source: KafkaEndpoint;
  readonly target: KafkaEndpoint;
  /** They exist on both sides. */
  readonly partitions: readonly TopicPartition[];
  /** Topics among them that are not mirrored for now. */
  readonly held?: Following['held'];
  readonly throttle?: Following['throttle'];
  readonly producer: {
    readonly transactionalId: string;
    readonly producerId: bigint;
    readonly producerEpoch: number;
  };
}

/** From the daemon to the mirror's process. */
export type ToMirror =
  | { readonly kind: 'start'; readonly settings: MirrorSettings }
  /** It may write until then (`machineNowMs`), and not without another of these: a daemon that stands still loses the right. */
  | { readonly kind: 'may-write'; readonly untilMs: number }
  | { readonly kind: 'follow'; readonly wanted: Following }
  | { readonly kind: 'freeze'; readonly drainMs: number }
  | { readonly kind: 'stop' };

/** From the mirror's process to the daemon. */
export type FromMirror =
  | { readonly kind: 'status'; readonly status: MirrorStatus }
  | ({ readonly kind: 'frozen' } & Stopped)
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
