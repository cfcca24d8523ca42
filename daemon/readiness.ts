import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import { collectStatus, type StatusSources } from '../health/collect-status.ts';
import type { Metrics } from '../health/metrics.ts';
import { judgeReadiness } from '../health/readiness.ts';
import { addMoment, agingDays, byTheHour, dayOf } from '../health/readiness-history.ts';
import { assembleStatus } from '../health/status.ts';
import type { StatusView } from '../health/status-view.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { type EndedRuns, readUsualTimes } from '../runbooks/plan/durations.ts';
import {
  dropReadinessDay,
  listReadinessDays,
  putReadiness,
  putReadinessDay,
  type Readiness,
  type ReadinessDay,
  readReadinessDay,
} from '../state/readiness.ts';
import type { Log } from './log.ts';
import type { DaemonView, MakeService } from './service.ts';

export interface ReadinessParts extends Omit<StatusSources, 'signal'> {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'also'>;
  /** Gives how things stand now, where others look at that, too. Absent: it is looked at for this alone. */
  readonly look?: (signal: AbortSignal) => Promise<StatusView>;
  /** Told each new word, also by a daemon that doesn't lead. */
  readonly onJudged?: (readiness: Readiness) => void;
  /** While all is well, and while it isn't. */
  readonly periodMs?: number;
  readonly againMs?: number;
}

const callMs = 10_000;
const rolesEveryMs = 1_000;
/** Today's history is written so often at least; a change of colour at once. */
const writeEveryMs = 5 * 60_000;

/**
 * Works out each minute what a failover that began now would come to, sooner while it isn't green, and when the roles
 * have changed. The daemon that
 * leads keeps it in the state, with its history.
 */
export function readinessService(parts: ReadinessParts): MakeService {
  const { clock, metrics, periodMs = 60_000, againMs = 10_000 } = parts;
  let newest: Readiness | undefined;
  metrics.also(() =>
    newest === undefined
      ? {}
      : {
          readiness: {
            ready: newest.status !== 'red',
            blockers: newest.blockers.length,
            atMs: newest.atMs,
            ...(newest.rto === undefined ? {} : { rtoMs: newest.rto.ms }),
            ...(newest.rpoMs === undefined ? {} : { rpoMs: newest.rpoMs }),
          },
        },
  );
  return (view) => ({
    name: 'readiness',
    async run(signal) {
      const ended: EndedRuns = new Map();
      let keep = keeper(parts.state, clock, parts.log);
      while (!signal.aborted) {
        const judgedUnder = view.roles()?.epoch;
        const readiness = await workOut(parts, view, ended, signal);
        if (signal.aborted) return;
        if (readiness.status !== newest?.status) {
          const level = readiness.status === 'green' ? 'info' : 'warn';
          parts.log[level]({ readiness: readiness.status }, `readiness is ${readiness.status}: ${readiness.sentence}`);
        }
        newest = readiness;
        parts.onJudged?.(readiness);
        if (view.leads()) await keep(readiness, signal);
        // Another keeps the history now: it is read again before it is gone on with.
        else keep = keeper(parts.state, clock, parts.log);
        const dueAtMs = clock.monotonic() + (readiness.status === 'green' ? periodMs : againMs);
        // What was judged under other roles says nothing of these: it is judged anew at once.
        while (!signal.aborted && view.roles()?.epoch === judgedUnder) {
          const leftMs = dueAtMs - clock.monotonic();
          if (leftMs <= 0) break;
          // The only rejection is the signal's.
          await clock.sleep(Math.min(rolesEveryMs, leftMs), signal).catch(() => undefined);
        }
      }
    },
  });
}

async function workOut(
  parts: ReadinessParts,
  view: DaemonView,
  ended: EndedRuns,
  signal: AbortSignal,
): Promise<Readiness> {
  const { config, state } = parts;
  const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) };
  const look = parts.look ?? (async () => assembleStatus(await collectStatus({ ...parts, ...call })));
  const [status, usual] = await Promise.all([
    look(call.signal),
    // A journal that can't be read tells no times.
    readUsualTimes(state, 'failover', call, ended).catch(() => new Map<string, never>()),
  ]);
  const times = [...usual.values()];
  const rtoMs = times.reduce((sum, t) => sum + t.medianMs, 0);
  const runs = Math.max(0, ...times.map((t) => t.runs));
  const copies = [...view.syncs()].flatMap(([job, sync]) => {
    const { newest } = sync.status();
    return newest ? [[job, Math.max(0, newest.committedAtMs - newest.completedAtMs)] as const] : [];
  });
  const heartbeatLagMs = view.heartbeatLagMs();
  return judgeReadiness(status, {
    objectives: config.objectives,
    ...(runs === 0 ? {} : { rto: { ms: rtoMs, runs } }),
    copies: Object.fromEntries(copies),
    ...(heartbeatLagMs === undefined ? {} : { heartbeatLagMs }),
  });
}

/** Keeps the newest word and the history. What can't be kept now is kept with the next. */
function keeper(state: ObjectStore, clock: Clock, log: Log) {
  let day: ReadinessDay | undefined;
  let written = { atMs: Number.NEGATIVE_INFINITY, status: '', day: '' };
  return async (readiness: Readiness, signal: AbortSignal): Promise<void> => {
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) };
    try {
      await putReadiness(state, readiness, call);
      const today = dayOf(readiness.atMs);
      // Another daemon may have led before; and yesterday ends with what it has.
      if (day === undefined) day = await readReadinessDay(state, today, call);
      else if (day.day !== today) await putReadinessDay(state, day, call);
      day = addMoment(day, readiness);
      const due = clock.monotonic() - written.atMs >= writeEveryMs;
      if (!due && written.status === readiness.status && written.day === today) return;
      await putReadinessDay(state, day, call);
      if (written.day !== today) await age(state, readiness.atMs, call);
      written = { atMs: clock.monotonic(), status: readiness.status, day: today };
    } catch (error) {
      if (!signal.aborted) log.debug({ error: describeError(error) }, "readiness can't be kept now");
    }
  };
}

async function age(state: ObjectStore, nowMs: number, call: { readonly signal: AbortSignal }): Promise<void> {
  const { compact, drop } = agingDays(await listReadinessDays(state, call), nowMs);
  for (const name of drop) await dropReadinessDay(state, name, call);
  for (const name of compact) {
    const old = await readReadinessDay(state, name, call);
    if (old?.by === 'minute') await putReadinessDay(state, byTheHour(old), call);
  }
}
