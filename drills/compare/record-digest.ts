import { createHash } from 'node:crypto';
import { decodeBody, type RecordBody } from '../../regions/kafka/record-body.ts';

/** What is kept of a record to compare it by. */
export interface RecordDigest {
  /** Of its key; undefined: it has none. */
  readonly key: string | undefined;
  /** Of its value and headers, in the 52 bits that a number holds exactly. */
  readonly content: number;
}

/**
 * What a record is compared by: key, value and headers, to the byte. Where fields are left out and the value is JSON,
 * that is compared as JSON: without them, and whatever the order of members and the space between them; numbers as they
 * are written. Timestamps don't count: a job that is run again stamps its output anew. Pure.
 */
export function digestOf(body: Buffer, ignore: readonly string[]): RecordDigest {
  const { key, value, headers } = decodeBody(body);
  const hash = createHash('md5');
  const add = (part: Buffer | null) => {
    hash.update(part === null ? 'n' : `${part.length} `);
    if (part !== null) hash.update(part);
  };
  add(value === null || ignore.length === 0 ? value : comparable(value, ignore));
  for (const header of headers) {
    add(header.name);
    add(header.value);
  }
  return {
    key: key === null ? undefined : createHash('md5').update(key).digest('base64'),
    content: hash.digest().readUIntBE(0, 6),
  };
}

/** A value as it is compared; one that isn't JSON as it is. */
export function comparable(value: Buffer, ignore: readonly string[]): Buffer {
  const parsed = parseJson(value);
  if (parsed === undefined) return value;
  for (const pointer of ignore) removeAt(parsed.json, pointer);
  return Buffer.from(canonical(parsed.json));
}

/** A number as it is written: two that JavaScript can't tell apart differ. */
class WrittenNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function parseJson(value: Buffer): { readonly json: unknown } | undefined {
  try {
    const numbers = (_: string, parsed: unknown, { source }: { source?: string }) =>
      typeof parsed === 'number' && source !== undefined ? new WrittenNumber(source) : parsed;
    const parse = JSON.parse as (text: string, reviver: typeof numbers) => unknown;
    return { json: parse(new TextDecoder('utf-8', { fatal: true }).decode(value), numbers) };
  } catch {
    return undefined;
  }
}

/** Removes what a JSON Pointer (RFC 6901) names; nothing where it names nothing. */
function removeAt(json: unknown, pointer: string): void {
  const path = pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = path.pop() ?? '';
  let at: unknown = json;
  for (const part of path) at = isContainer(at) && Object.hasOwn(at, part) ? at[part] : undefined;
  if (!isContainer(at) || !Object.hasOwn(at, last)) return;
  // An element that is left out must not move those behind it.
  if (Array.isArray(at)) at[Number(last)] = null;
  else delete at[last];
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof WrittenNumber);
}

function canonical(json: unknown): string {
  if (json instanceof WrittenNumber) return json.text;
  if (Array.isArray(json)) return `[${json.map(canonical).join(',')}]`;
  if (!isContainer(json)) return JSON.stringify(json);
  const members = Object.keys(json)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(json[name])}`);
  return `{${members.join(',')}}`;
}

/** Which members of two values in JSON differ, as JSON Pointers; undefined: one of them isn't JSON. Pure. */
export function differingMembers(
  a: RecordBody,
  b: RecordBody,
  ignore: readonly string[],
): readonly string[] | undefined {
  if (a.value === null || b.value === null) return undefined;
  const [one, two] = [parseJson(a.value), parseJson(b.value)];
  if (one === undefined || two === undefined || !isContainer(one.json) || !isContainer(two.json)) return undefined;
  for (const pointer of ignore) {
    removeAt(one.json, pointer);
    removeAt(two.json, pointer);
  }
  const [x, y] = [one.json, two.json];
  return [...new Set([...Object.keys(x), ...Object.keys(y)])]
    .sort()
    .filter((name) => canonical(x[name] ?? null) !== canonical(y[name] ?? null))
    .map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}
