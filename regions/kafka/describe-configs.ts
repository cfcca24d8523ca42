import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

const resources = { topic: 2, broker: 4 } as const;
/** Set on the topic itself, not inherited. */
const ownSource = 1;

/** The value of one key of a broker. Undefined: it may not be read, or there is no such key. */
export function brokerConfigRequest(node: number, key: string): KafkaRequest<string | undefined> {
  return describeConfigsRequest('broker', String(node), [key], (entries) => entries[0]?.value);
}

/** What is set on a topic itself, by key; nothing of what it inherits. Undefined: it may not be read. */
export function topicOverridesRequest(topic: string): KafkaRequest<ReadonlyMap<string, string> | undefined> {
  return describeConfigsRequest('topic', topic, null, (entries, errorCode) => {
    const own = entries.flatMap(({ name, value, source }) =>
      source === ownSource && value !== undefined ? [[name, value] as const] : [],
    );
    return errorCode === 0 ? new Map(own) : undefined;
  });
}

interface ConfigEntry {
  readonly name: string;
  readonly value: string | undefined;
  readonly source: number;
}

/**
 * DescribeConfigs (key 32), version 1, for one resource; all its keys when `keys` is null.
 *
 *     request: [type i8 | name string | [key string]?] | synonyms i8
 *     response: throttle i32 | [error i16 | message string? | type i8 | name string | [key string | value string?
 *       | readOnly i8 | source i8 | sensitive i8 | [name string | value string? | source i8]]]
 *
 * Source: Kafka protocol guide, "DescribeConfigs API (Key: 32)"; KIP-226 for the sources.
 */
function describeConfigsRequest<T>(
  type: keyof typeof resources,
  resource: string,
  keys: readonly string[] | null,
  give: (entries: readonly ConfigEntry[], errorCode: number) => T,
): KafkaRequest<T> {
  const body = new WireWriter();
  body
    .array([resource], (name) => {
      body.int8(resources[type]).string(name);
      if (keys === null) body.int32(-1);
      else {
        body.array(keys, (key) => {
          body.string(key);
        });
      }
    })
    .int8(0);
  const read = (bytes: Buffer) => {
    const [first] = readResources(bytes);
    return give(first?.entries ?? [], first?.errorCode ?? -1);
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
