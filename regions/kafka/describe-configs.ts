import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

const topicResource = 2;
const brokerResource = 4;
/** Set on the topic itself, not inherited. */
const ownSource = 1;

interface ConfigEntry {
  readonly name: string;
  readonly value: string | undefined;
  readonly source: number;
}

/**
 * What is set on a topic itself, by key; nothing of what it inherits. Undefined: it may not be read.
 * DescribeConfigs (key 32), version 1, for one resource and all its keys.
 *
 *     request: [type i8 | name string | [key string]?] | synonyms i8
 *     response: throttle i32 | [error i16 | message string? | type i8 | name string | [key string | value string?
 *       | readOnly i8 | source i8 | sensitive i8 | [name string | value string? | source i8]]]
 *
 * Source: Kafka protocol guide, "DescribeConfigs API (Key: 32)"; KIP-226 for the sources.
 */
export function topicOverridesRequest(topic: string): KafkaRequest<ReadonlyMap<string, string> | undefined> {
  const body = new WireWriter();
  body
    .array([topic], (name) => {
      body.int8(topicResource).string(name).int32(-1);
    })
    .int8(0);
  const read = (bytes: Buffer) => {
    const [first] = readResources(bytes);
    if (first?.errorCode !== 0) return undefined;
    const own = first.entries.flatMap(({ name, value, source }) =>
      source === ownSource && value !== undefined ? [[name, value] as const] : [],
    );
    return new Map(own);
  };
  return { name: 'DescribeConfigs', apiKey: 32, apiVersion: 1, body, read };
}

/** A setting in force at a broker, asked at that broker; undefined when it may not be read. The same call. */
export function brokerConfigRequest(node: number, key: string): KafkaRequest<string | undefined> {
  const body = new WireWriter();
  body
    .array([`${node}`], (name) => {
      body
        .int8(brokerResource)
        .string(name)
        .array([key], (wanted) => {
          body.string(wanted);
        });
    })
    .int8(0);
  const read = (bytes: Buffer) => {
    const [first] = readResources(bytes);
    return first?.errorCode === 0 ? first.entries.find(({ name }) => name === key)?.value : undefined;
  };
  return { name: 'DescribeConfigs', apiKey: 32, apiVersion: 1, body, read };
}

function readResources(bytes: Buffer) {
  const reader = new WireReader(bytes);
  reader.int32();
  return reader.array(() => {
    const errorCode = reader.int16();
    reader.nullableString();
    reader.int8();
    reader.string();
    const entries = reader.array((): ConfigEntry => {
      const [name, value] = [reader.string(), reader.nullableString() ?? undefined];
      reader.int8();
      const source = reader.int8();
      reader.int8();
      reader.array(() => [reader.string(), reader.nullableString(), reader.int8()]);
      return { name, value, source };
    });
    return { errorCode, entries };
  });
}
