import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { missingRight, missingRightHint } from './access.ts';
import { errorName, isDenied, isTransient, kafkaError } from './error-codes.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/**
 * DeleteTopics (key 20), version 1, for one topic; gives its error code. The brokers forget it some time after the answer.
 *
 *     request: [topic string] | timeout i32
 *     response: throttle i32 | [topic string | error i16]
 *
 * Source: Kafka protocol guide, "DeleteTopics API (Key: 20)".
 */
export function deleteTopicRequest(topic: string, brokerTimeoutMs: number): KafkaRequest<number> {
  const body = new WireWriter();
  body
    .array([topic], (name) => {
      body.string(name);
    })
    .int32(brokerTimeoutMs);
  return {
    name: 'DeleteTopics',
    apiKey: 20,
    apiVersion: 1,
    body,
    read: (bytes) => {
      const reader = new WireReader(bytes);
      reader.int32();
      const codes = reader.array(() => {
        reader.string();
        return reader.int16();
      });
      return codes[0] ?? -1;
    },
  };
}

const brokerTimeoutMs = 5_000;
const retryMs = 100;

/** Deletes topics, and waits until the broker that is asked knows none of them; one that is missing is no error. */
export async function deleteTopics(
  cluster: KafkaCluster,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) {
    for (;;) {
      const code = await cluster.ask(() => deleteTopicRequest(name, brokerTimeoutMs), signal);
      if (code === kafkaError.none || code === kafkaError.unknownTopicOrPartition) break;
      if (!isTransient(code)) throw deletionError(cluster.name, name, code);
      await sleep(retryMs, undefined, { signal });
    }
  }
  const known = async (): Promise<boolean> => {
    const { topics } = await cluster.refresh(names, signal);
    return names.some((name) => topics.get(name)?.errorCode !== kafkaError.unknownTopicOrPartition);
  };
  while (names.length > 0 && (await known())) await sleep(retryMs, undefined, { signal });
}

function deletionError(region: string, topic: string, code: number): ArgusError {
  const message = `${region}: DeleteTopics of "${topic}" answered ${errorName(code)}`;
  if (!isDenied(code)) return new ArgusError('KafkaFailed', message);
  const right = missingRight('DeleteTopics', code, { topic });
  return new ArgusError('KafkaDenied', right ? `${message}; ${right}` : message, { hint: missingRightHint });
}
