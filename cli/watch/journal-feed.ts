import { ArgusError, describeError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type JournalEntry, readRun, readRunAfter } from '../../state/journal.ts';
import { readLease } from '../../state/lease.ts';
import type { CommandContext } from '../context.ts';

/** What is new of a run that is watched. */
export type RunNews =
  | { readonly kind: 'entry'; readonly entry: JournalEntry }
  /** Something that people have to know, once while it is so. */
  | { readonly kind: 'note'; readonly text: string };

const lookEveryMs = 1_000;
const readMs = 5_000;
/** The lease is looked at when the journal has been silent for so long, and again after as long. */
const silentMs = 4_000;

/**
 * A run's entries from the first one on, each as soon as it is there, until the last; and whether anybody is at work on
 * it. A state that can't be read for a while is told, and asked again. A run that isn't there: `RunMissing`.
 */
export async function* followJournal(
  { clock, signal }: Pick<CommandContext, 'clock' | 'signal'>,
  store: ObjectStore,
  run: string,
): AsyncGenerator<RunNews> {
  const call = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(readMs)]) });
  const begun = await readRun(store, run, call());
  if (begun.length === 0) {
    throw new ArgusError('RunMissing', `no run is called ${run}`, {
      exitCode: 2,
      hint: '`argus runs list` shows all',
    });
  }
  let seq = 0;
  let fresh: readonly JournalEntry[] = begun;
  let silentSince = clock.monotonic();
  let said = '';
  for (;;) {
    for (const entry of fresh) {
      seq = entry.seq;
      yield { kind: 'entry', entry };
      if (entry.fact.kind === 'run-finished') return;
    }
    if (fresh.length > 0) {
      silentSince = clock.monotonic();
      said = '';
    }
    const more = await readRunAfter(store, run, seq, call()).catch(describeError);
    signal.throwIfAborted();
    let note = typeof more === 'string' ? `the state can't be read: ${more}` : '';
    fresh = typeof more === 'string' ? [] : more;
    if (note === '' && fresh.length === 0 && clock.monotonic() - silentSince > silentMs) {
      note = await atWork(store, run, clock.now(), call()).catch(
        (error) => `the state can't be read: ${describeError(error)}`,
      );
      signal.throwIfAborted();
      silentSince = clock.monotonic();
    }
    if (note !== '' && note !== said) yield { kind: 'note', text: note };
    if (note !== '') said = note;
    if (fresh.length === 0) await clock.sleep(lookEveryMs, signal);
  }
}

/** A lease is renewed every few seconds; other machines' clocks may differ some. */
const silentLeaseMs = 30_000;

/** Empty while somebody is at work on the run; else who isn't. */
async function atWork(
  store: ObjectStore,
  run: string,
  nowMs: number,
  call: { readonly signal: AbortSignal },
): Promise<string> {
  const lease = await readLease(store, call);
  if (lease?.run === run && lease.released !== true) {
    const ageMs = nowMs - lease.writtenAtMs;
    if (ageMs < silentLeaseMs) return '';
    return `nobody has been heard of for ${Math.round(ageMs / 1_000)} s: its process (${lease.holder}) may be gone`;
  }
  const other = lease === undefined || lease.released === true ? '' : `; at work is ${lease.run ?? lease.purpose}`;
  return `nobody is at work on this run any more${other}`;
}
