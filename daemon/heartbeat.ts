import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { ArgusError, describeError } from '../domain/errors.ts';
import type { KafkaCluster } from '../regions/kafka/kafka-cluster.ts';
import type { Region } from '../regions/region.ts';
import {
  heartbeatCluster,
  newestHeartbeat,
  prepareHeartbeat,
  writeHeartbeat,
} from '../replication/topics/heartbeat.ts';
import type { Direction } from './decide-replication.ts';
import type { Log } from './log.ts';
import { regionOf } from './region-of.ts';
import { every } from './supervise.ts';

export interface HeartbeatParts {
  readonly config: { readonly mirror: Pick<Config['mirror'], 'heartbeat'> };
  readonly regions: ReadonlyMap<string, Region>;
  readonly clock: Clock;
  readonly log: Log;
  readonly periodMs?: number;
  /** How soon after a failure the topic is looked at again. */
  readonly againMs?: number;
}

/** Proves from end to end that what the primary takes reaches the standby, and how late. */
export interface Heartbeat {
  /** The topics to be mirrored for it; none while it can't be, or is not wanted. */
  topics(): readonly string[];
  /** Makes its topic, once for a direction. Never fails: a mirror without heartbeat is told once, and goes on. */
  prepare(direction: Direction, signal: AbortSignal): Promise<void>;
  /** Writes them to the primary and looks for them on the standby, until the signal. */
  run(direction: Direction, signal: AbortSignal): Promise<void>;
  /** The age of the newest that the standby has; undefined while none was seen, or it can't be asked. */
  lagMs(): number | undefined;
}

const prepareMs = 5_000;

export function heartbeat(parts: HeartbeatParts): Heartbeat {
  const { config, regions, clock, log, periodMs = 1_000, againMs = 30_000 } = parts;
  const { enabled, topic } = config.mirror.heartbeat;
  let ready: number | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let newestAtMs: number | undefined;
  let said: string | undefined;

  /** The preparation under way: the mirror's start and the loop both ask for one. */
  let preparing: Promise<void> | undefined;

  function tell(error: unknown, what: string): void {
    const sentence = `${what}: ${describeError(error)}`;
    // That a side is away or silent is told by others.
    const level = error instanceof ArgusError && !error.retryable ? 'warn' : 'debug';
    if (sentence !== said) log[level]({}, sentence);
    said = sentence;
  }

  async function prepare(direction: Direction, signal: AbortSignal): Promise<void> {
    while (preparing) await preparing;
    if (!enabled || ready === direction.rolesEpoch || signal.aborted) return;
    preparing = prepareOnce(direction, signal).finally(() => {
      preparing = undefined;
    });
    await preparing;
  }

  async function prepareOnce({ source, target, rolesEpoch }: Direction, signal: AbortSignal): Promise<void> {
    triedAt = clock.monotonic();
    const within = AbortSignal.any([signal, AbortSignal.timeout(prepareMs)]);
    try {
      await prepareHeartbeat(regionOf(regions, source), regionOf(regions, target), topic, within);
      [ready, said, newestAtMs] = [rolesEpoch, undefined, undefined];
    } catch (error) {
      ready = undefined;
      if (!signal.aborted) tell(error, 'no heartbeat goes through the mirror');
    }
  }

  async function beat(cluster: KafkaCluster, source: string, signal: AbortSignal): Promise<void> {
    let sequence = 0;
    const tick = async () => {
      if (ready === undefined) return;
      try {
        await writeHeartbeat(cluster, topic, { region: source, atMs: clock.now(), sequence: ++sequence }, signal);
        said = undefined;
      } catch (error) {
        if (!signal.aborted) tell(error, `the heartbeat can't be written in ${source}`);
      }
    };
    await every(periodMs, tick, clock, signal);
  }

  async function look(cluster: KafkaCluster, direction: Direction, signal: AbortSignal): Promise<void> {
    const tick = async () => {
      if (ready !== direction.rolesEpoch) {
        if (clock.monotonic() - triedAt >= againMs) await prepare(direction, signal);
        return;
      }
      try {
        newestAtMs = (await newestHeartbeat(cluster, topic, signal)) ?? newestAtMs;
      } catch (error) {
        // What was seen last grows older, as it is the standby that can't tell.
        if (!signal.aborted) log.debug({}, `the heartbeat can't be looked for: ${describeError(error)}`);
      }
    };
    await every(periodMs, tick, clock, signal);
  }

  return {
    topics: () => (ready === undefined ? [] : [topic]),
    prepare,
    async run(direction, signal) {
      if (!enabled) return void (await clock.sleep(2 ** 31 - 1, signal).catch(() => undefined));
      const sides = [direction.source, direction.target].map((name) => regionOf(regions, name));
      const [source, target] = sides.map((side) => heartbeatCluster(side.brokers)) as [KafkaCluster, KafkaCluster];
      try {
        await Promise.all([beat(source, direction.source, signal), look(target, direction, signal)]);
      } finally {
        source.close();
        target.close();
        newestAtMs = undefined;
      }
    },
    lagMs: () => (newestAtMs === undefined ? undefined : Math.max(0, clock.now() - newestAtMs)),
  };
}
