import { ArgusError } from '../../domain/errors.ts';
import type { TopicPartition } from '../../domain/offsets.ts';
import { WireReader } from '../../regions/kafka/wire.ts';
import type { OffsetSync } from './offset-map.ts';

/** A sync and the source's partition that it is about. */
export interface PartitionSync extends TopicPartition, OffsetSync {}

/**
 * A record of MirrorMaker's log of syncs; undefined for one without a value. Anything else is `KafkaMalformed`.
 *
 *     key: topic string (2-byte length) | partition i32
 *     value: upstreamOffset i64 | offset i64
 *
 * Neither has a version. Source: OffsetSync.KEY_SCHEMA and VALUE_SCHEMA of connect-mirror 4.3.1 (unchanged since 2.4).
 */
export function readSync(body: Buffer): PartitionSync | undefined {
  const { key, value } = keyAndValue(body);
  if (!key || !value) return undefined;
  const name = new WireReader(key);
  const offsets = new WireReader(value);
  const topic = name.string();
  return { topic, partition: name.int32(), upstream: offsets.int64(), downstream: offsets.int64() };
}

export interface Heartbeat {
  readonly sourceAlias: string;
  readonly targetAlias: string;
  /** By the worker's clock. */
  readonly atMs: number;
}

/**
 * A record of MirrorMaker's heartbeats; undefined for one without a value or of a version that isn't known.
 *
 *     key: sourceClusterAlias string | targetClusterAlias string
 *     value: version i16 (0) | timestamp i64
 *
 * Source: Heartbeat.KEY_SCHEMA, HEADER_SCHEMA and VALUE_SCHEMA_V0 of connect-mirror-client 4.3.1.
 */
export function readHeartbeat(body: Buffer): Heartbeat | undefined {
  const { key, value } = keyAndValue(body);
  if (!key || !value) return undefined;
  const names = new WireReader(key);
  const content = new WireReader(value);
  if (content.int16() !== 0) return undefined;
  return { sourceAlias: names.string(), targetAlias: names.string(), atMs: Number(content.int64()) };
}

/** The front of a record's body as `decodeRecords` gives it; null is undefined. Lengths are zigzag varints. */
function keyAndValue(body: Buffer): { readonly key: Buffer | undefined; readonly value: Buffer | undefined } {
  let at = 0;
  const take = () => {
    let [raw, shift] = [0, 0];
    for (let byte = 0x80; byte >= 0x80; shift += 7) {
      byte = body[at++] ?? 0;
      raw += (byte & 0x7f) * 2 ** shift;
    }
    const length = raw % 2 === 1 ? -1 : raw / 2;
    if (length < 0) return undefined;
    if (at + length > body.length)
      throw new ArgusError('KafkaMalformed', `a record's field of ${length} bytes in ${body.length}`);
    at += length;
    return body.subarray(at - length, at);
  };
  return { key: take(), value: take() };
}
