import { ArgusError } from '../../domain/errors.ts';
import type { KafkaRequest } from './kafka-connection.ts';
import { WireReader, WireWriter } from './wire.ts';

/** The versions that a broker takes of each API, by its key; both ends inclusive. */
export type OfferedApis = ReadonlyMap<number, { readonly min: number; readonly max: number }>;

export interface ApiVersions {
  readonly errorCode: number;
  readonly offered: OfferedApis;
}

/**
 * ApiVersions (key 18), version 0, which every broker since 0.10 answers.
 *
 *     request: nothing
 *     response: error i16 | [key i16 | min i16 | max i16]
 *
 * Source: KIP-35; Kafka protocol guide, "ApiVersions API (Key: 18)".
 */
export function apiVersionsRequest(): KafkaRequest<ApiVersions> {
  const body = new WireWriter();
  return { name: 'ApiVersions', apiKey: 18, apiVersion: 0, body, read: readApiVersionsResponse };
}

/** Decodes the body of an ApiVersions response, version 0. */
export function readApiVersionsResponse(bytes: Buffer): ApiVersions {
  const reader = new WireReader(bytes);
  const errorCode = reader.int16();
  const apis = reader.array(() => [reader.int16(), { min: reader.int16(), max: reader.int16() }] as const);
  return { errorCode, offered: new Map(apis) };
}

/** `KafkaVersion`, where a broker does not take a request in the one version in which it is made here. */
export function versionRefusal(
  broker: string,
  offered: OfferedApis,
  request: Pick<KafkaRequest<unknown>, 'name' | 'apiKey' | 'apiVersion'>,
): ArgusError | undefined {
  const { name, apiKey, apiVersion } = request;
  const range = offered.get(apiKey);
  if (range && range.min <= apiVersion && apiVersion <= range.max) return undefined;
  const what = range ? `takes ${name} in versions ${range.min} to ${range.max}` : `does not know ${name}`;
  return new ArgusError('KafkaVersion', `${broker} ${what}; Argus speaks version ${apiVersion}`, {
    exitCode: 2,
    hint: 'Kafka must be 2.8 or newer as the primary, 3.0 or newer as the standby',
  });
}
