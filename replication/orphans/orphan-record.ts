import type { TopicPartition } from '../../domain/offsets.ts';
import { decodeBody, encodeBody, type RecordHeader } from '../../regions/kafka/record-body.ts';
import { malformed } from '../../regions/kafka/wire.ts';
import type { WantedRange } from './divergence.ts';

/** What became of the transaction that a record was written in; `none`: it was written without one. */
export type TransactionState = 'none' | 'committed' | 'aborted' | 'open';

/** A record of the old primary that is kept because the active side does not have it. */
export interface OrphanRecord {
  /** Where it stood on the old primary. */
  readonly offset: bigint;
  readonly timestampMs: bigint;
  readonly reason: WantedRange['reason'];
  readonly transaction: TransactionState;
  /** Key, value and headers, as encoded. */
  readonly body: Buffer;
}

/** Whose records these are: of this region, left behind by the promotion that wrote this roles epoch. */
export interface RescueOrigin {
  readonly region: string;
  /** The roles epoch of the promotion. */
  readonly promotion: number;
}

/** The topic on the active side that keeps a topic's orphans. */
export const orphanTopicOf = (topic: string): string => `argus.orphans.${topic}`;

const names = ['region', 'promotion', 'topic', 'partition', 'offset', 'reason', 'transaction'] as const;
const headerNames = names.map((name) => Buffer.from(`argus.${name}`));

/** The body of the record that keeps an orphan: its key, value and headers, and behind these where it comes from. */
export function keptBody(record: OrphanRecord, tp: TopicPartition, origin: RescueOrigin): Buffer {
  const { key, value, headers } = decodeBody(record.body);
  const values: readonly string[] = [
    origin.region,
    String(origin.promotion),
    tp.topic,
    String(tp.partition),
    record.offset.toString(),
    record.reason,
    record.transaction,
  ];
  const added = headerNames.map((name, i): RecordHeader => ({ name, value: Buffer.from(values[i] ?? '') }));
  return encodeBody({ key, value, headers: [...headers, ...added] });
}

/** What `keptBody` made, with where it comes from; `KafkaMalformed` for a record that nobody rescued. */
export function readKept(body: Buffer, timestampMs: bigint): OrphanRecord & { readonly origin: RescueOrigin } {
  const { key, value, headers } = decodeBody(body);
  const own = headers.slice(-names.length);
  const text = (name: (typeof names)[number]): string => {
    const header = own[names.indexOf(name)];
    if (!header || header.value === null || header.name.toString() !== `argus.${name}`) {
      throw malformed(`a record of rescued orphans without the header argus.${name}`);
    }
    return header.value.toString();
  };
  const [reason, transaction] = [text('reason'), text('transaction')];
  if (!isReason(reason) || !isTransaction(transaction) || !/^\d+$/.test(text('offset'))) {
    throw malformed(`a record of rescued orphans with ${reason}, ${transaction}, ${text('offset')}`);
  }
  return {
    offset: BigInt(text('offset')),
    timestampMs,
    reason,
    transaction,
    body: encodeBody({ key, value, headers: headers.slice(0, -names.length) }),
    origin: { region: text('region'), promotion: Number(text('promotion')) },
  };
}

const isReason = (text: string): text is OrphanRecord['reason'] => text === 'orphan' || text === 'older';
const isTransaction = (text: string): text is TransactionState =>
  text === 'none' || text === 'committed' || text === 'aborted' || text === 'open';

/** Whether two records are the same in everything that was kept of them. */
export function sameOrphan(a: OrphanRecord, b: OrphanRecord): boolean {
  return (
    a.offset === b.offset &&
    a.timestampMs === b.timestampMs &&
    a.reason === b.reason &&
    a.transaction === b.transaction &&
    a.body.equals(b.body)
  );
}

/** Bytes as text where they are UTF-8 without loss, else base64 and told as such. */
type Told = { readonly text: string } | { readonly base64: string } | null;

/** An orphan as one line of JSON tells it. */
export interface OrphanLine {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestampMs: number;
  readonly reason: OrphanRecord['reason'];
  readonly transaction: TransactionState;
  readonly key: Told;
  readonly value: Told;
  readonly headers: readonly { readonly name: string; readonly value: Told }[];
}

/** As JSON, for people and their tools. Nothing is lost: `fromLine` gives the same record. */
export function toLine(record: OrphanRecord, { topic, partition }: TopicPartition): OrphanLine {
  const { key, value, headers } = decodeBody(record.body);
  return {
    topic,
    partition,
    offset: record.offset.toString(),
    timestampMs: Number(record.timestampMs),
    reason: record.reason,
    transaction: record.transaction,
    key: told(key),
    value: told(value),
    headers: headers.map((h) => ({ name: h.name.toString('latin1'), value: told(h.value) })),
  };
}

/** The record that a line was made of. */
export function fromLine(line: OrphanLine): OrphanRecord {
  const headers = line.headers.map((h) => ({ name: Buffer.from(h.name, 'latin1'), value: untold(h.value) }));
  return {
    offset: BigInt(line.offset),
    timestampMs: BigInt(line.timestampMs),
    reason: line.reason,
    transaction: line.transaction,
    body: encodeBody({ key: untold(line.key), value: untold(line.value), headers }),
  };
}

function told(bytes: Buffer | null): Told {
  if (bytes === null) return null;
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? { text } : { base64: bytes.toString('base64') };
}

function untold(value: Told): Buffer | null {
  if (value === null) return null;
  return 'text' in value ? Buffer.from(value.text, 'utf8') : Buffer.from(value.base64, 'base64');
}
