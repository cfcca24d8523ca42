import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

const brokerResource = 4;

/**
 * DescribeConfigs (key 32), version 1, for one key of one broker. Undefined: it may not be read, or there is no such key.
 *
 *     request: [type i8 | name string | [key string]] | synonyms i8
 *     response: throttle i32 | [error i16 | message string? | type i8 | name string | [key string | value string?
 *       | readOnly i8 | source i8 | sensitive i8 | [name string | value string? | source i8]]]
 *
 * Source: Kafka protocol guide, "DescribeConfigs API (Key: 32)".
 */
export function brokerConfigRequest(node: number, key: string): KafkaRequest<string | undefined> {
  const body = new WireWriter();
  body
    .array([node], (id) => {
      body.int8(brokerResource).string(String(id));
      body.array([key], (name) => {
        body.string(name);
      });
    })
    .int8(0);
  return { name: 'DescribeConfigs', apiKey: 32, apiVersion: 1, body, read: readValue };
}

function readValue(bytes: Buffer): string | undefined {
  const reader = new WireReader(bytes);
  reader.int32();
  const resources = reader.array(() => {
    reader.int16();
    reader.nullableString();
    reader.int8();
    reader.string();
    return reader.array(() => {
      reader.string();
      const value = reader.nullableString() ?? undefined;
      reader.int8();
      reader.int8();
      reader.int8();
      reader.array(() => [reader.string(), reader.nullableString(), reader.int8()]);
      return value;
    });
  });
  return resources[0]?.[0];
}
