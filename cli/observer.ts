import { expiryTask } from '../health/credentials.ts';
import { type ProbeTaskParts, probeTasks } from '../health/probe-tasks.ts';
import type { ClockReading } from '../health/probes/clock.ts';
import type { ProbeTask } from '../health/sight.ts';
import { clusterClock } from '../regions/kafka/cluster-clock.ts';
import { KafkaCluster } from '../regions/kafka/kafka-cluster.ts';
import { storeClock } from '../regions/objects/store-clock.ts';
import type { Composition } from './compose.ts';
import type { CommandContext } from './context.ts';

/** What an observer looks at, over connections of its own. */
export interface ObserverTasks {
  readonly tasks: readonly ProbeTask[];
  /** Until when certificates and tokens are good, as far as they were looked at. */
  readonly expiries: ReadonlyMap<string, number>;
  /** The connections, by use. */
  readonly kafka: (region: string, use: string) => KafkaCluster;
  close(): void;
}

/** The looks of one observer at everything that the configuration names; nothing is connected yet. */
export function observerTasks(
  context: CommandContext,
  composition: Pick<Composition, 'config' | 'regions' | 'names' | 'state'>,
  observer: string,
): ObserverTasks {
  const { config, regions, names, state } = composition;
  const { clock } = context;
  const timeoutMs = config.probes.deadline;
  const clusters = new Map<string, KafkaCluster>();
  const kafka = (region: string, use: string): KafkaCluster => {
    const key = `${region} ${use}`;
    const known = clusters.get(key);
    if (known) return known;
    const brokers = regions.get(region)?.brokers ?? { name: region, bootstrap: [] };
    const timeouts = { connectTimeoutMs: timeoutMs, requestTimeoutMs: timeoutMs };
    const made = new KafkaCluster({ ...brokers, clientId: `argus-observer-${observer}`, ...timeouts });
    clusters.set(key, made);
    return made;
  };
  const links: ProbeTaskParts['links'] = {
    kafka,
    async clock(region, { signal }): Promise<ClockReading | undefined> {
      const now = () => clock.now();
      const cluster = await clusterClock(kafka(region, 'clock'), now, signal);
      if (cluster) return { aheadMs: -cluster.aheadMs, uncertaintyMs: cluster.uncertaintyMs };
      const endpoint = config.regions[region]?.objects.endpoint;
      return endpoint === undefined ? undefined : storeClock(endpoint, { now, signal });
    },
  };
  const parts = { observer, config, regions: [...regions.values()], names, state, links, clock };
  const expiries = new Map<string, number>();
  return {
    tasks: [...probeTasks(parts), expiryTask(parts, expiries)],
    expiries,
    kafka,
    close() {
      for (const cluster of clusters.values()) cluster.close();
    },
  };
}
