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
