import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { TopicPartition } from '../domain/offsets.ts';
import { readAssignment } from '../regions/kafka/group-calls.ts';
import { describeGroup } from '../regions/kafka/group-membership.ts';
import { KafkaCluster } from '../regions/kafka/kafka-cluster.ts';
import type { Region } from '../regions/region.ts';

/** One of the processes that share the partitions, as the standby's Kafka sees it. */
export interface ShareMemberView {
  /** Bears the user, the machine and the process id. */
  readonly client: string;
  readonly host: string;
  readonly partitions: readonly TopicPartition[];
}

const deadlineMs = 1_500;

/** Who shares the partitions now, and who has which; a sentence when that can't be told. */
export async function shareMembers(
  standby: Region,
  group: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<readonly ShareMemberView[] | string> {
  const timeouts = { connectTimeoutMs: deadlineMs, requestTimeoutMs: deadlineMs };
  const cluster = new KafkaCluster({ ...standby.brokers, ...timeouts, clientId: 'argus-status' });
  try {
    const call = { clock, signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]) };
    const { members } = await describeGroup(cluster, group, call);
    return members
      .map(({ clientId: client, host, assignment }) => {
        return { client, host, partitions: readAssignment(assignment)?.partitions ?? [] };
      })
      .sort((a, b) => (a.client < b.client ? -1 : 1));
  } catch (error) {
    signal.throwIfAborted();
    return describeError(error);
  } finally {
    cluster.close();
  }
}
