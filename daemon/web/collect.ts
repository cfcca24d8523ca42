import { collectStatus, type StatusSources } from '../../health/collect-status.ts';
import { assembleStatus } from '../../health/status.ts';
import type { StatusView } from '../../health/status-view.ts';
import { freshTopics } from '../fresh-topics.ts';
import type { DaemonView, Service } from '../service.ts';
import { every } from '../supervise.ts';
import type { Board } from './board.ts';
import { lagHistory } from './lag-history.ts';

/** Looks at everything, now. */
export type LookAtAll = (sources: StatusSources) => Promise<StatusView>;

export interface CollectParts {
  readonly board: Board;
  readonly sources: Omit<StatusSources, 'signal'>;
  readonly look?: LookAtAll;
}

export interface Collector {
  service(view: DaemonView): Service;
  /** A status that is at most this old: looks now where there is none, once for all who ask meanwhile. */
  statusOf(maxAgeMs: number, signal: AbortSignal): Promise<StatusView>;
  /** A status of which every look began after this was asked. */
  fresh(signal: AbortSignal): Promise<StatusView>;
}

/** While somebody reads, and while nobody does: then what readiness looked at each minute will do. */
const readMs = 5_000;
const unreadMs = 75_000;
const readerStaysMs = 60_000;

const lookNow: LookAtAll = async (sources) => assembleStatus(await collectStatus(sources));

/** Collects the status for the board, often while somebody reads it. */
export function collector({ board, sources, look = lookNow }: CollectParts): Collector {
  const { clock, config } = sources;
  const endedRuns = new Map();
  let known: { readonly atMs: number; readonly status: StatusView } | undefined;
  let looking: Promise<StatusView> | undefined;
  let topics: readonly string[] = config.topics;
  // Ends with the service; a reader that leaves ends nothing that others wait for.
  let running: AbortSignal | undefined;

  function collect(): Promise<StatusView> {
    looking ??= look({
      ...sources,
      endedRuns,
      config: { ...config, topics: [...topics] },
      ...(running && { signal: running }),
    })
      .then((status) => {
        known = { atMs: clock.monotonic(), status };
        board.put({ status });
        return status;
      })
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  return {
    service(view) {
      const history = lagHistory();
      const tick = async () => {
        const now = clock.monotonic();
        const fresh = freshTopics(view.mirror(), clock.now());
        // Topics that follow a pattern come and go.
        if (config.topicPatterns && Object.keys(fresh).length > 0) topics = Object.keys(fresh);
        const lags = Object.fromEntries(Object.entries(fresh).map(([topic, { lagMs }]) => [topic, lagMs]));
        if (history.note(clock.now(), lags)) board.put({ lag: history.series() });
        const readAt = board.lastReadAt();
        const period = readAt !== undefined && now - readAt < readerStaysMs ? readMs : unreadMs;
        if (known === undefined || now - known.atMs >= period) await collect();
      };
      return {
        name: 'status of the page',
        async run(signal) {
          running = signal;
          await every(1_000, tick, clock, signal);
        },
      };
    },
    async statusOf(maxAgeMs, signal) {
      if (known !== undefined && clock.monotonic() - known.atMs <= maxAgeMs) return known.status;
      return unlessGone(collect(), signal);
    },
    async fresh(signal) {
      // What is under way may have begun long before this, and how it ends is told to whoever asked for it.
      const before = looking?.catch(() => undefined);
      return unlessGone(Promise.resolve(before).then(collect), signal);
    },
  };
}

/** Leaves when the signal says so; what was begun goes on for others. */
function unlessGone<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const gone = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, gone]);
}
