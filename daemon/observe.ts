import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import { afterLook, type ObserverReport, type Seen, seenKey } from '../domain/observation.ts';
import type { ProbeTask } from '../health/sight.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { putObserverReport, readObserverReport } from '../state/observers.ts';
import type { Log } from './log.ts';
import { runProbeLoop } from './probe-loop.ts';
import { every } from './supervise.ts';

export interface ObserverParts {
  readonly name: string;
  /** A region's name, or `outside`. */
  readonly place: string;
  readonly tasks: readonly ProbeTask[];
  readonly atOnce: number;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Whether it is the one of several under this name whose reports are kept; absent: it is the only one. */
  readonly mayPut?: () => boolean;
  /** What it sees now, after each look: also while the state can't be reached. */
  readonly onReport?: (report: ObserverReport) => void;
}

/** Without news a report is put so often; news are put at once, but not more often than the second. */
const quietMs = 3_000;
const soonestMs = 200;
const putMs = 2_500;

/** Looks at everything and keeps what it sees in the state, until the signal. Changes nothing else but its canaries. */
export async function runObserver(parts: ObserverParts, signal: AbortSignal): Promise<void> {
  const { name, place, state, clock, log } = parts;
  const seen = new Map<string, readonly Seen[]>();
  let sequence = 0;
  let changed = true;
  let putAtMs = Number.NEGATIVE_INFINITY;
  let unheard: string | undefined;
  let known = false;

  const report = (): ObserverReport => ({
    observer: name,
    place,
    atMs: clock.now(),
    sequence,
    seen: [...seen.values()].flat(),
  });

  const put = async () => {
    if (parts.mayPut?.() === false) {
      // Another goes on counting meanwhile.
      known = false;
      return;
    }
    if (seen.size === 0 || (!changed && clock.monotonic() - putAtMs < quietMs)) return;
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(putMs)]) };
    try {
      if (!known) {
        // A process that is begun anew goes on counting, or its reports would look like old ones.
        sequence = (await readObserverReport(state, name, call))?.sequence ?? 0;
        known = true;
      }
      changed = false;
      sequence += 1;
      await putObserverReport(state, report(), call);
      putAtMs = clock.monotonic();
      if (unheard !== undefined) log.info({}, 'the state takes reports again');
      unheard = undefined;
    } catch (error) {
      changed = true;
      const why = describeError(error);
      if (!signal.aborted && why !== unheard) log.warn({ error: why }, `the state takes no report: ${why}`);
      unheard = why;
    }
  };

  const onSeen = (task: ProbeTask, sights: Awaited<ReturnType<ProbeTask['look']>>, atMs: number) => {
    const before = new Map((seen.get(task.name) ?? []).map((s) => [seenKey(s), s]));
    const now = sights.map((sight) => afterLook(before.get(seenKey(sight)), { ...sight, observer: name, atMs }));
    seen.set(task.name, now);
    const news = now.filter((s) => {
      const was = before.get(seenKey(s));
      return was?.status !== s.status || was.code !== s.code;
    });
    if (news.length > 0 || before.size !== now.length) changed = true;
    for (const { probe, region, subject, status, reason } of news) {
      const what = [probe, region, subject].filter((part) => part !== undefined).join(' ');
      log[status === 'ok' ? 'info' : 'warn']({ probe, region, subject, status }, `${what}: ${reason ?? status}`);
    }
    parts.onReport?.(report());
  };

  await Promise.all([runProbeLoop({ ...parts, onSeen }, signal), every(soonestMs, put, clock, signal)]);
}
