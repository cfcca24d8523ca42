import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

export interface FeatureLevels {
  readonly errorCode: number;
  /** The level of each feature that the cluster has agreed on, such as `transaction.version`; empty on old brokers. */
  readonly levels: ReadonlyMap<string, number>;
  /** The highest level of each feature that the broker which was asked could take part in; empty on old brokers. */
  readonly supported: ReadonlyMap<string, number>;
}

const supportedFeaturesTag = 0;
const finalizedFeaturesTag = 2;

/**
 * ApiVersions (key 18), version 3 (flexible), for what the cluster's brokers have agreed to speak among themselves.
 *
 *     request: tags | clientName compact string | clientVersion compact string | tags
 *     response: error i16 | compact [key i16 | min i16 | max i16 | tags] | throttle i32 | tags, of which
 *       tag 0: compact [feature compact string | min level i16 | max level i16 | tags], what this broker supports
 *       tag 2: compact [feature compact string | max level i16 | min level i16 | tags], what is in force
 *
 * The response's header has no tagged fields. Source: KIP-511, KIP-584; Kafka protocol guide.
 */
export function featureLevelsRequest(): KafkaRequest<FeatureLevels> {
  const body = new WireWriter().uvarint(0).compactString('argus').compactString('1').uvarint(0);
  return { name: 'ApiVersions', apiKey: 18, apiVersion: 3, body, read: readFeatureLevelsResponse };
}

/** Decodes the body of an ApiVersions response, version 3. */
export function readFeatureLevelsResponse(bytes: Buffer): FeatureLevels {
  const reader = new WireReader(bytes);
  const errorCode = reader.int16();
  const levels = new Map<string, number>();
  const supported = new Map<string, number>();
  // A broker that does not know version 3 answers in version 0, which ends behind the first array.
  if (errorCode !== 0) return { errorCode, levels, supported };
  reader.compactArray(() => {
    for (let field = 0; field < 3; field++) reader.int16();
    reader.tags();
  });
  reader.int32();
  for (let left = reader.uvarint(); left > 0; left--) {
    const tag = reader.uvarint();
    if (tag !== supportedFeaturesTag && tag !== finalizedFeaturesTag) {
      for (let skipped = reader.uvarint(); skipped > 0; skipped--) reader.int8();
      continue;
    }
    reader.uvarint();
    reader.compactArray(() => {
      const feature = reader.compactNullableString() ?? '';
      const [first, second] = [reader.int16(), reader.int16()];
      if (tag === finalizedFeaturesTag) levels.set(feature, first);
      else supported.set(feature, second);
      reader.tags();
    });
  }
  return { errorCode, levels, supported };
}
