import { createHash } from 'node:crypto';
import { checkRecord, type RecordInput, type RecordPatch, type RecordType, ZoneError } from './record-rules.ts';

/** One record as Cloudflare's API shows it; `name` is fully qualified, without the last dot. */
export interface ZoneRecord {
  readonly id: string;
  readonly name: string;
  readonly type: RecordType;
  readonly content: string;
  /** Seconds; 1 means automatic. */
  readonly ttl: number;
  readonly proxied: boolean;
  readonly comment: string | null;
  readonly created_on: string;
  readonly modified_on: string;
}

/** The four lists of a batch, carried out in this order: deletes, patches, puts, posts. */
export interface BatchInput {
  readonly deletes?: readonly { readonly id: string }[];
  readonly patches?: readonly (RecordPatch & { readonly id: string })[];
  readonly puts?: readonly (RecordPatch & { readonly id: string })[];
  readonly posts?: readonly RecordPatch[];
}

/** What a batch did, list by list. */
export interface BatchResult {
  readonly deletes: readonly ZoneRecord[];
  readonly patches: readonly ZoneRecord[];
  readonly puts: readonly ZoneRecord[];
  readonly posts: readonly ZoneRecord[];
}

/** 32 hexadecimal digits that are always the same for a text, the shape of Cloudflare's identifiers. */
export function identifierOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/**
 * The records of one zone, in memory. A change is complete or it didn't happen; what is wrong is a `ZoneError`.
 * The serial grows with every change, so a DNS server can show it in its SOA.
 */
export class DnsZone {
  readonly id: string;
  readonly name: string;
  readonly #now: () => Date;
  #records: ReadonlyMap<string, ZoneRecord> = new Map();
  #serial = 1;
  #created = 0;

  constructor(name: string, now: () => Date = () => new Date()) {
    this.name = name.toLowerCase();
    this.id = identifierOf(`zone ${this.name}`);
    this.#now = now;
  }

  /** What a load balancer of that name answers; undefined: there is none, and its records do. */
  balanced: (name: string) => { readonly addresses: readonly string[]; readonly ttl: number } | undefined = () =>
    undefined;

  get serial(): number {
    return this.#serial;
  }

  /** All records, oldest first. */
  records(): ZoneRecord[] {
    return [...this.#records.values()];
  }

  /** Records of one name, any type. */
  named(name: string): ZoneRecord[] {
    return this.records().filter((r) => r.name === name.toLowerCase());
  }

  get(id: string): ZoneRecord {
    return found(this.#records, id);
  }

  create(input: RecordPatch): ZoneRecord {
    return first(this.batch({ posts: [input] }).posts);
  }

  /** Changes the given fields and keeps the others. */
  patch(id: string, input: RecordPatch): ZoneRecord {
    return first(this.batch({ patches: [{ ...input, id }] }).patches);
  }

  /** Replaces the whole record; fields that are not given fall back to their defaults. */
  put(id: string, input: RecordPatch): ZoneRecord {
    return first(this.batch({ puts: [{ ...input, id }] }).puts);
  }

  delete(id: string): ZoneRecord {
    return first(this.batch({ deletes: [{ id }] }).deletes);
  }

  /** All of it or, when any part is refused, nothing. */
  batch(input: BatchInput): BatchResult {
    const draft = new Map(this.#records);
    let created = this.#created;
    const at = this.#now().toISOString();

    const store = (checked: RecordInput, before: ZoneRecord | undefined): ZoneRecord => {
      const id = before?.id ?? identifierOf(`record ${this.name} ${++created}`);
      refuseConflicts(draft, checked, id);
      const record = { ...checked, id, created_on: before?.created_on ?? at, modified_on: at };
      draft.set(id, record);
      return record;
    };

    const deletes = (input.deletes ?? []).map(({ id }) => {
      const record = found(draft, id);
      draft.delete(id);
      return record;
    });
    const patches = (input.patches ?? []).map((change) => {
      const before = found(draft, change.id);
      return store(checkRecord({ ...before, ...change }, this.name), before);
    });
    const puts = (input.puts ?? []).map((change) => {
      const before = found(draft, change.id);
      return store(checkRecord(change, this.name), before);
    });
    const posts = (input.posts ?? []).map((record) => store(checkRecord(record, this.name), undefined));

    this.#records = draft;
    this.#created = created;
    this.#serial++;
    return { deletes, patches, puts, posts };
  }
}

function found(records: ReadonlyMap<string, ZoneRecord>, id: string): ZoneRecord {
  const record = records.get(id);
  if (record === undefined) throw new ZoneError(404, 81044, 'Record does not exist.');
  return record;
}

function first(records: readonly ZoneRecord[]): ZoneRecord {
  return records[0]!;
}

/** A name holds either one CNAME or other records, and no record twice. */
function refuseConflicts(records: ReadonlyMap<string, ZoneRecord>, record: RecordInput, ownId: string): void {
  for (const other of records.values()) {
    if (other.id === ownId || other.name !== record.name) continue;
    if (other.type === record.type && other.content === record.content) {
      throw new ZoneError(400, 81058, 'An identical record already exists.');
    }
    if (record.type === 'CNAME') {
      throw new ZoneError(400, 81053, 'An A, AAAA, or CNAME record with that host already exists.');
    }
    if (other.type === 'CNAME') throw new ZoneError(400, 81054, 'A CNAME record with that host already exists.');
  }
}
