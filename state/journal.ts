import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { ArgusError } from '../domain/errors.ts';
import type { CallOptions, ObjectStore } from '../regions/objects/object-store.ts';
import { keyNumber, readDocument, StateCorrupt, writeOnce } from './document.ts';
import { epoch, instantMs } from './schemas.ts';

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

const fact = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run-started'), runbook: z.string(), by: z.string(), details: json }),
  /** Durable before the act: from here on the act may have happened. */
  z.object({ kind: z.literal('step-started'), step: z.string() }),
  z.object({
    kind: z.literal('step-finished'),
    step: z.string(),
    /** `already`: the effect was there before this run acted. */
    status: z.enum(['done', 'already']),
    ms: z.number(),
    evidence: json,
  }),
  z.object({
    kind: z.literal('step-failed'),
    step: z.string(),
    status: z.enum(['failed', 'refused']),
    ms: z.number(),
    error: failure,
  }),
  z.object({ kind: z.literal('step-compensated'), step: z.string(), ms: z.number(), evidence: json }),
  z.object({ kind: z.literal('run-interrupted'), step: z.string().exactOptional(), hint: z.string() }),
  z.object({
    kind: z.literal('run-finished'),
    outcome: z.enum(['done', 'failed', 'refused', 'interrupted']),
    report: json.exactOptional(),
  }),
]);

/** One thing that happened in a run. */
export type Fact = z.output<typeof fact>;

const entrySchema = z.object({ run: z.string(), seq: z.int().min(1), epoch, atMs: instantMs, fact });
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

/** A new run's journal; every entry carries the lease's epoch. */
export function openJournal(
  store: ObjectStore,
  run: { readonly run: string; readonly epoch: number },
  clock: Clock,
): Journal {
  let seq = 0;
  return {
    run: run.run,
    async append(what, options = {}) {
      const next = seq + 1;
      const entry: JournalEntry = { run: run.run, seq: next, epoch: run.epoch, atMs: clock.now(), fact: what };
      const key = `${root}${run.run}/${keyNumber(next, 6)}`;
      if ((await writeWithRetry(store, key, entry, clock, options)) === 'exists') {
        throw new ArgusError('JournalConflict', `${key} is written already, by another process`, { exitCode: 4 });
      }
      seq = next;
      return entry;
    },
  };
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

/** All entries of a run, in order; empty when there is no such run. A gap or an entry of another run is `StateCorrupt`. */
export async function readRun(
  store: ObjectStore,
  run: string,
  options: CallOptions = {},
): Promise<readonly JournalEntry[]> {
  const { objects } = await store.list(`${root}${run}/`, options);
  const entries = await Promise.all(
    objects.map(async ({ key }, i) => {
      const entry = (await readDocument(store, key, entrySchema, options))?.value;
      if (entry === undefined) throw new StateCorrupt(store, key, 'it is listed and can not be read');
      if (entry.run !== run || entry.seq !== i + 1) {
        throw new StateCorrupt(store, key, `it says entry ${entry.seq} of ${entry.run}; entry ${i + 1} is due`);
      }
      return entry;
    }),
  );
  return entries;
}

/** The names of all runs, oldest first. */
export async function listRuns(store: ObjectStore, options: CallOptions = {}): Promise<readonly string[]> {
  const { prefixes } = await store.list(root, { ...options, delimiter: '/' });
  return prefixes.map((p) => p.slice(root.length, -1)).filter((name) => runPattern.test(name));
}
