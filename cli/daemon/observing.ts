import { randomUUID } from 'node:crypto';
import { endToEndTask } from '../../daemon/end-to-end.ts';
import type { Log } from '../../daemon/log.ts';
import { runObserver } from '../../daemon/observe.ts';
import { ownSights } from '../../daemon/own-sights.ts';
import type { DaemonView, MakeService } from '../../daemon/service.ts';
import type { ObserverReport } from '../../domain/observation.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { observerTasks } from '../observer.ts';

interface ObservingParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'also'>;
}

/** A daemon that is no observer looks this often at most. */
const unnamedPeriodMs = 10_000;

/**
 * The daemon's own looks, and what it knows of its replication: as the observer that `daemon.observer` names. Without
 * that name it looks seldom, writes no canaries, and puts what it sees as `daemon`, which counts for nobody, while it
 * leads: what only the leader knows must not be replaced by what others don't.
 */
export function observing({ context, composition, log, metrics }: ObservingParts): MakeService {
  const { config, state } = composition;
  const { clock } = context;
  const self = config.automatic.observers.find((o) => o.name === config.daemon.observer);
  const name = self?.name ?? 'daemon';
  let newest: ObserverReport | undefined;
  let expiries: ReadonlyMap<string, number> = new Map();
  metrics.also(() =>
    newest === undefined
      ? {}
      : {
          expiries: [...expiries].map(([what, atMs]) => ({ what, atMs })),
          probes: newest.seen.map(({ probe, region, subject, status, latencyMs }) => ({
            probe,
            ...(region === undefined ? {} : { region }),
            ...(subject === undefined ? {} : { subject }),
            observer: name,
            outcome: status,
            latencyMs,
          })),
        },
  );
  const { endToEnd: settings } = config.probes;
  const endToEnd = (view: DaemonView, kafka: (region: string, use: string) => KafkaCluster) =>
    settings === undefined
      ? []
      : [
          endToEndTask({
            settings,
            view,
            clock,
            kafka: (r, leg) => kafka(r, `end to end ${leg}`),
            prefix: `argus-${randomUUID()}`,
          }),
        ];
  return (view) => ({
    name: 'observer',
    async run(signal) {
      const probes = self ? config.probes : { ...config.probes, writes: false };
      const looking = observerTasks(context, { ...composition, config: { ...config, probes } }, name);
      const { tasks, close } = looking;
      expiries = looking.expiries;
      const looks = self ? tasks : tasks.map((t) => ({ ...t, periodMs: Math.max(t.periodMs, unnamedPeriodMs) }));
      const all = [...looks, ownSights(view, clock, config.objectives.rpo), ...endToEnd(view, looking.kafka)];
      const atOnce = config.probes.concurrency;
      const onReport = (report: ObserverReport) => {
        newest = report;
      };
      const quiet = { ...log, info: log.debug, warn: log.debug };
      const common = { name, tasks: all, atOnce, state, clock, random: Math.random, onReport };
      try {
        if (self) await runObserver({ ...common, place: self.place, log }, signal);
        else await runObserver({ ...common, place: 'daemon', log: quiet, mayPut: () => view.leads() }, signal);
      } finally {
        close();
      }
    },
  });
}
