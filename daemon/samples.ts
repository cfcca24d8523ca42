import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { dropSlotsBefore, putSlot, readSlot, type Sample, slotOf } from '../state/samples.ts';
import { freshTopics } from './fresh-topics.ts';
import type { Log } from './log.ts';
import { keepSamplesOfRuns } from './samples-of-runs.ts';
import type { DaemonView, MakeService } from './service.ts';
import { every } from './supervise.ts';

export interface SamplesParts {
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** How often something is noted, and how long it is kept. */
  readonly everyMs: number;
  readonly keepMs: number;
  readonly writeMs?: number;
}

const callMs = 10_000;
const freshMs = 5_000;
const firstWriteMs = 15_000;

/**
 * Notes lag, checkpoint age and whether the primary is seen every few seconds, so that a report can show them before,
 * during and after a run. Only the daemon that leads writes: one object for ten minutes, replaced each minute.
 */
export function samplesService(parts: SamplesParts): MakeService {
  const { state, clock, log, everyMs, keepMs, writeMs = 60_000 } = parts;
  return (view) => ({
    name: 'samples for reports',
    async run(signal) {
      let slot: { readonly fromMs: number; readonly samples: Sample[]; joined: boolean } | undefined;
      // The first ones soon: a run may come in the daemon's first minute.
      let writtenAt = clock.monotonic() - writeMs + firstWriteMs;
      const newest = new Map<string, number>();

      async function write(call: { readonly signal: AbortSignal }): Promise<void> {
        if (slot === undefined || slot.samples.length === 0) return;
        if (!slot.joined) {
          // Another daemon, or this one before it was started anew, may have noted the begin.
          const first = slot.samples[0]?.atMs ?? 0;
          const before = (await readSlot(state, slot.fromMs, call)).filter((s) => s.atMs < first);
          slot.samples.unshift(...before);
          slot.joined = true;
        }
        await putSlot(state, slot.fromMs, slot.samples, call);
      }

      /** Each on its own: a journal that is slow to read must not keep old samples for ever. */
      async function tidy(nowMs: number): Promise<void> {
        const call = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) });
        const told = (error: unknown) => {
          if (!signal.aborted) log.debug({ error: describeError(error) }, "samples can't be put aside now");
        };
        await dropSlotsBefore(state, nowMs - keepMs, call()).catch(told);
        await keepSamplesOfRuns(state, nowMs, keepMs, call()).catch(told);
      }

      async function tick(): Promise<void> {
        if (!view.leads()) {
          slot = undefined;
          return;
        }
        const sample = takeSample(view, clock.now(), newest);
        const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) };
        try {
          const fromMs = slotOf(sample.atMs);
          if (slot?.fromMs !== fromMs) {
            const ended = slot;
            if (ended) await write(call);
            if (ended) writtenAt = clock.monotonic();
            slot = { fromMs, samples: [], joined: false };
            await tidy(sample.atMs);
          }
          slot.samples.push(sample);
          if (clock.monotonic() - writtenAt < writeMs) return;
          writtenAt = clock.monotonic();
          await write(call);
        } catch (error) {
          // What was noted is written with the next.
          if (!signal.aborted) log.debug({ error: describeError(error) }, "samples can't be kept now");
        }
      }

      await every(everyMs, tick, clock, signal);
      // A stop is no reason to lose the last minute; the state may be away by now.
      await write({ signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    },
  });
}

/** What the daemon knows now. `newest`: each job's newest checkpoint, remembered while it isn't replicated. Pure but for that. */
function takeSample(view: DaemonView, nowMs: number, newest: Map<string, number>): Sample {
  const mirror = view.mirror();
  const fresh = mirror !== undefined && nowMs - mirror.atMs < freshMs ? mirror : undefined;
  for (const [job, sync] of view.syncs()) {
    const { newest: point } = sync.status();
    if (point) newest.set(job, point.completedAtMs);
  }
  const topics = Object.values(freshTopics(mirror, nowMs));
  const records = allKnown(topics.map((t) => t.lagRecords));
  const lags = allKnown(topics.map((t) => t.lagMs));
  return {
    atMs: nowMs,
    ...(fresh === undefined ? {} : { primarySeen: fresh.source.reachable }),
    ...(records === undefined ? {} : { lagRecords: records.reduce((sum, n) => sum + n, 0) }),
    ...(lags === undefined ? {} : { lagMs: Math.max(...lags) }),
    checkpointAgeMs: Object.fromEntries([...newest].map(([job, atMs]) => [job, Math.max(0, nowMs - atMs)])),
  };
}

/** Undefined where there is none, or where nobody can tell one of them: the rest would look better than it is. */
function allKnown(values: readonly (number | undefined)[]): readonly number[] | undefined {
  const known = values.filter((value) => value !== undefined);
  return values.length === 0 || known.length < values.length ? undefined : known;
}
