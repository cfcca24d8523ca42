import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { ArgusError, describeError } from '../domain/errors.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { keyNumber, writeOnce } from './document.ts';
import { type ChainFault, chainFault, type Sealed, seal } from './journal-chain.ts';
import { epoch, instantMs, sha256 } from './schemas.ts';

const json = z.json();
/** What JSON can say. */
export type Json = z.output<typeof json>;

const failure = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().exactOptional(),
});
/** Why something did not happen, as it is journalled. */
export type Failure = z.output<typeof failure>;

/** From here on nothing is taken back. */
const pastReturn = z.literal(true);

const fact = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run-started'), runbook: z.string(), by: z.string(), details: json }),
  /** Durable before the act: from here on the act may have happened. */
  z.object({ kind: z.literal('step-started'), step: z.string(), pastReturn: pastReturn.exactOptional() }),
  z.object({
    kind: z.literal('step-finished'),
    step: z.string(),
    /** `already`: the effect was there before this run acted. */
    status: z.enum(['done', 'already']),
    ms: z.number(),
    /** How much of that went by in waiting for others; absent: the step waits for none. */
    waitedMs: z.number().exactOptional(),
    evidence: json,
    pastReturn: pastReturn.exactOptional(),
  }),
  z.object({
    kind: z.literal('step-failed'),
    step: z.string(),
    status: z.enum(['failed', 'refused']),
    ms: z.number(),
    error: failure,
    /** The run goes on without it. */
    goesOn: z.literal(true).exactOptional(),
  }),
  /** Durable before an effect is taken back. */
  z.object({ kind: z.literal('step-compensating'), step: z.string() }),
  z.object({
    kind: z.literal('step-compensated'),
    step: z.string(),
    ms: z.number(),
    evidence: json,
    /** It could not be taken back, and why. */
    error: failure.exactOptional(),
  }),
  z.object({
    kind: z.literal('run-interrupted'),
    step: z.string().exactOptional(),
    hint: z.string(),
    /** Who asked for it from elsewhere; absent: whoever had started the run. */
    by: z.string().exactOptional(),
  }),
  z.object({
    kind: z.literal('run-finished'),
    outcome: z.enum(['done', 'failed', 'refused', 'interrupted']),
    report: json.exactOptional(),
  }),
]);

/** One thing that happened in a run. */
export type Fact = z.output<typeof fact>;

const entrySchema = z.object({
  run: z.string(),
  seq: z.int().min(1),
  epoch,
  atMs: instantMs,
  fact,
  /** The newest entry of the run before, as it was when this run began. */
  after: z.object({ run: z.string(), seq: z.int().min(1), sha256 }).exactOptional(),
  /** Of the entry before; of a run's first, zeros. */
  previous: sha256.exactOptional(),
  /** Of this entry without this field. Absent in journals of older versions, which nothing protects. */
  sha256: sha256.exactOptional(),
});
export type JournalEntry = z.output<typeof entrySchema>;

/** The writing side of one run's journal. */
export interface Journal {
  readonly run: string;
  /**
   * Makes a fact durable as the next entry: when this resolves, any process can read it.
   * `JournalConflict` when somebody else writes in this run.
   */
  append(fact: Fact, options?: CallOptions): Promise<JournalEntry>;
}

const root = 'journal/';
const runPattern = /^\d{8}T\d{6}Z-[a-z]+-[0-9a-f]{4}$/;

/** A run's name: sorts by time. `random` is four hex digits. */
export function runId(atMs: number, runbook: string, random: string): string {
  const stamp = new Date(atMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
  const id = `${stamp}-${runbook}-${random}`;
  if (!runPattern.test(id)) throw new RangeError(`not a run's name: ${id}`);
  return id;
}

/** A new run's journal; every entry carries the lease's epoch, and the hash of the entry before it. */
export function openJournal(
  store: ObjectStore,
  run: { readonly run: string; readonly epoch: number },
  clock: Clock,
): Journal {
  let last: Sealed<JournalEntry> | undefined;
  return {
    run: run.run,
    async append(what, options = {}) {
      const next = (last?.seq ?? 0) + 1;
      const after = last === undefined ? await newestEntry(store, run.run, options) : undefined;
      const bare: JournalEntry = { run: run.run, seq: next, epoch: run.epoch, atMs: clock.now(), fact: what };
      const entry = seal({ ...bare, ...(after === undefined ? {} : { after }) }, last);
      const key = entryKey(run.run, next);
      if ((await writeWithRetry(store, key, entry, clock, options)) === 'exists') {
        throw new ArgusError('JournalConflict', `${key} is written already, by another process`, { exitCode: 4 });
      }
      last = entry;
      return entry;
    },
  };
}

const entryKey = (run: string, seq: number) => `${root}${run}/${keyNumber(seq, 6)}`;

/** What a new run is linked to: the last entry of the newest other one; undefined when it has no hash. */
async function newestEntry(
  store: ObjectStore,
  besides: string,
  options: CallOptions,
): Promise<JournalEntry['after'] | undefined> {
  const newest = (await listRuns(store, options)).findLast((r) => r !== besides);
  if (newest === undefined) return undefined;
  // A damaged one is told by whoever reads it; a new run has to be possible all the same.
  const last = (await inspectRun(store, newest, options)).entries.at(-1);
  return last?.sha256 === undefined ? undefined : { run: newest, seq: last.seq, sha256: last.sha256 };
}

/** An uncertain answer is tried again: `writeOnce` takes the same bytes for its own. */
async function writeWithRetry(
  store: ObjectStore,
  key: string,
  entry: JournalEntry,
  clock: Clock,
  options: CallOptions,
) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(store, key, entry, options);
    } catch (error) {
      if (attempt >= 3 || options.signal?.aborted || !(error instanceof ArgusError && error.retryable)) throw error;
      await clock.sleep(250 * attempt, options.signal);
    }
  }
}

/** A run's journal as far as it can be believed. */
export interface InspectedRun {
  /** In order, up to the first one that is not as it was written. */
  readonly entries: readonly JournalEntry[];
  /** False: it has no hashes, as those of older versions; a change would not show. */
  readonly chained: boolean;
  /** The entries as they lie there, from which their hashes are. */
  readonly raw: readonly unknown[];
  readonly fault?: ChainFault;
}

/** A run's entries, and the first of them that was changed, is missing or is foreign. Empty when there is no such run. */
export async function inspectRun(store: ObjectStore, run: string, options: CallOptions = {}): Promise<InspectedRun> {
  const { objects } = await store.list(`${root}${run}/`, options);
  const read = await Promise.all(objects.map(({ key }) => readEntry(store, key, options)));
  const entries: JournalEntry[] = [];
  const raws: unknown[] = [];
  for (const [i, { key, raw, entry, problem }] of read.entries()) {
    const seq = i + 1;
    const why =
      entry === undefined
        ? (problem ?? 'it can not be read')
        : entry.run !== run || entry.seq !== seq || key !== entryKey(run, seq)
          ? `it says entry ${entry.seq} of ${entry.run}; entry ${seq} of ${run} is due`
          : chainFault(raw, entry, entries.at(-1));
    if (why !== undefined) return { entries, chained: isChained(entries), raw: raws, fault: { run, seq, key, why } };
    entries.push(entry!);
    raws.push(raw);
  }
  return { entries, chained: isChained(entries), raw: raws };
}

const isChained = (entries: readonly JournalEntry[]) => entries.every((e) => e.sha256 !== undefined);

/**
 * A run's journal from entries that were handed on as they lay there, judged as `inspectRun` judges them. Pure. What is
 * no entry at all is a fault as well.
 */
export function checkEntries(run: string, raws: readonly unknown[]): InspectedRun {
  const entries: JournalEntry[] = [];
  for (const [i, raw] of raws.entries()) {
    const seq = i + 1;
    const parsed = entrySchema.safeParse(raw);
    const entry = parsed.data;
    const why =
      entry === undefined
        ? 'it is no entry of a journal'
        : entry.run !== run || entry.seq !== seq
          ? `it says entry ${entry.seq} of ${entry.run}`
          : chainFault(raw, entry, entries.at(-1));
    const read = { entries, chained: isChained(entries), raw: raws.slice(0, i) };
    if (entry === undefined || why !== undefined)
      return { ...read, fault: { run, seq, key: entryKey(run, seq), why: why ?? '' } };
    entries.push(entry);
  }
  return { entries, chained: isChained(entries), raw: raws };
}

async function readEntry(store: ObjectStore, key: string, options: CallOptions) {
  const found = await store.get(key, options);
  if (found === undefined) return { key, raw: undefined, problem: 'it is listed and can not be read' };
  try {
    const raw: unknown = JSON.parse(Buffer.from(found.body).toString('utf8'));
    const parsed = entrySchema.safeParse(raw);
    return parsed.success
      ? { key, raw, entry: parsed.data }
      : { key, raw, problem: `${parsed.error.issues[0]?.path.map(String).join('.')}: it is no entry of a journal` };
  } catch (error) {
    return { key, raw: undefined, problem: `not JSON: ${describeError(error)}` };
  }
}

/** A journal that is not as Argus wrote it: what it says of a run can't be gone on with. */
class JournalTampered extends ArgusError {
  constructor(store: ObjectStore, { run, key, why }: ChainFault) {
    super('JournalTampered', `the journal of ${run} is not as it was written: ${key} in ${store.uri}: ${why}`, {
      hint: `see \`argus runs show ${run}\`; restore ${key} from the bucket's versions, or move ${root}${run}/ away if you know that it is void`,
      exitCode: 3,
    });
  }
}

/** All entries of a run, in order; empty when there is no such run. One that is not as it was written: `JournalTampered`. */
export async function readRun(
  store: ObjectStore,
  run: string,
  options: CallOptions = {},
): Promise<readonly JournalEntry[]> {
  const { entries, fault } = await inspectRun(store, run, options);
  if (fault) throw new JournalTampered(store, fault);
  return entries;
}

/**
 * The entries of these runs, each as by `readRun`. What a later one of them was linked to has to be there still:
 * this shows that the end of an earlier journal was cut off, or written anew with its hashes.
 */
export async function readRuns(
  store: ObjectStore,
  runs: readonly string[],
  options: CallOptions = {},
): Promise<readonly (readonly JournalEntry[])[]> {
  const read = await Promise.all(runs.map((run) => readRun(store, run, options)));
  const fault = brokenLink(read);
  if (fault) throw new JournalTampered(store, fault);
  return read;
}

/** So many later runs are asked what a journal ended with when they began. */
const laterAsked = 20;

/**
 * A run's journal as `inspectRun` reads it, and as later runs found it: one whose end was cut off, or that was written
 * anew from an entry on, is as it should be in itself.
 */
export async function inspectLinkedRun(
  store: ObjectStore,
  run: string,
  options: CallOptions = {},
): Promise<InspectedRun> {
  const own = await inspectRun(store, run, options);
  if (own.fault !== undefined || own.entries.length === 0) return own;
  const later = (await listRuns(store, options)).filter((name) => name > run).slice(0, laterAsked);
  const others = await Promise.all(later.map((name) => inspectRun(store, name, options)));
  const fault = brokenLink([own.entries, ...others.map(({ entries }) => entries)], run);
  return fault === undefined ? own : { ...own, fault };
}

/** The first entry among these runs' that a later one of them was linked to, and that is not there as it was; `of`: only one of this run's. Pure. */
function brokenLink(runs: readonly (readonly JournalEntry[])[], of?: string): ChainFault | undefined {
  const byName = new Map(runs.flatMap((entries) => (entries[0] ? [[entries[0].run, entries] as const] : [])));
  for (const { after, run } of runs.flatMap((entries) => entries.slice(0, 1))) {
    const linked = after && byName.get(after.run);
    if (!after || !linked || (of !== undefined && after.run !== of)) continue;
    if (linked[after.seq - 1]?.sha256 === after.sha256) continue;
    const key = entryKey(after.run, after.seq);
    return { run: after.run, seq: after.seq, key, why: `it was another when ${run} began` };
  }
  return undefined;
}

/**
 * What was added to a run's journal after its entry `seq`, in order: for those who watch a run go on. Its hashes are not
 * looked at, and an entry that can't be read ends what is told.
 */
export async function readRunAfter(
  store: ObjectStore,
  run: string,
  seq: number,
  options: CallOptions = {},
): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (;;) {
    const { entry } = await readEntry(store, entryKey(run, seq + entries.length + 1), options);
    if (entry === undefined) return entries;
    entries.push(entry);
  }
}

/** What a run began with; undefined: there is no such run, or that can't be read. */
export async function readRunBegin(
  store: ObjectStore,
  run: string,
  options: CallOptions = {},
): Promise<JournalEntry | undefined> {
  return (await readEntry(store, entryKey(run, 1), options)).entry;
}

/** The names of all runs, oldest first. */
export async function listRuns(store: ObjectStore, options: CallOptions = {}): Promise<readonly string[]> {
  const { prefixes } = await store.list(root, { ...options, delimiter: '/' });
  return prefixes.map((p) => p.slice(root.length, -1)).filter((name) => runPattern.test(name));
}
