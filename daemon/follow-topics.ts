import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../domain/clock.ts';
import type { Config } from '../domain/config.ts';
import { describeError } from '../domain/errors.ts';
import { selectNames } from '../domain/name-patterns.ts';
import type { TopicDescription } from '../regions/kafka/kafka-admin.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { Stop } from '../replication/topics/continuity.ts';
import { type Following, judgeIdentity, planGrowth } from '../replication/topics/plan-following.ts';
import { prepareTopics } from '../replication/topics/prepare-topics.ts';
import { configChanges, followedConfigs } from '../replication/topics/topic-configs.ts';
import { type FollowedTopics, putFollowedTopics, readFollowedTopics } from '../state/followed-topics.ts';
import { type MirrorPause, pauseOf, readMirrorPause } from '../state/mirror-pause.ts';
import { readMirrorThrottle, throttleInForce } from '../state/mirror-throttle.ts';
import type { Direction } from './decide-replication.ts';
import type { Log } from './log.ts';
import type { MirrorSettings } from './mirror-ipc.ts';
import { prepareMirror } from './prepare-mirror.ts';
import { regionOf } from './region-of.ts';
import type { MirrorHandle, Stopped } from './replicator.ts';
import { every } from './supervise.ts';

export interface TopicFollowerParts {
  readonly config: Pick<Config, 'topics'> & Partial<Pick<Config, 'topicPatterns' | 'topicConfigs' | 'mirror'>>;
  readonly regions: ReadonlyMap<string, Region>;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly start: (settings: MirrorSettings) => MirrorHandle;
  /** Topics of Argus' own, mirrored besides those of the configuration: no failover depends on them. */
  readonly own?: { topics(): readonly string[]; prepare(direction: Direction, signal: AbortSignal): Promise<void> };
  readonly periodMs?: number;
  /** Between two looks at the topics' configurations, which cost two requests a topic. */
  readonly configPeriodMs?: number;
}

/** Keeps the mirror at the topics that are to be mirrored, as they come, grow, are made anew or paused. */
export interface TopicFollower {
  /** The topics that are mirrored, by name; those of the configuration before the first look. */
  names(): readonly string[];
  /** The partitions that are mirrored now, without those that are held. */
  partitions(): Following['partitions'];
  /** Makes what the standby lacks and starts a mirror. It is an error when nothing can be mirrored and no pattern says that it may come. */
  open(direction: Direction, signal: AbortSignal): Promise<MirrorHandle>;
  /** Looks again and again, until the signal, and tells the mirror what has changed. */
  run(direction: Direction, signal: AbortSignal): Promise<void>;
}

interface Look {
  readonly names: readonly string[];
  readonly atSource: ReadonlyMap<string, TopicDescription>;
  readonly atStandby: ReadonlyMap<string, TopicDescription>;
}

export function topicFollower(parts: TopicFollowerParts): TopicFollower {
  const { config, state, clock, log, periodMs = 2_000, configPeriodMs = 10_000 } = parts;
  let names: readonly string[] = config.topics;
  let current: Following = { partitions: [], held: {} };
  let handle: MirrorHandle | undefined;

  let known: FollowedTopics | undefined;
  let knownOf: number | undefined;
  /** What the last preparation was made from, and gave. */
  let prepared: { readonly look: Look; readonly partitions: Following['partitions'] } | undefined;
  let configsAt = Number.NEGATIVE_INFINITY;
  const said = new Set<string>();

  const sides = ({ source, target }: Direction) =>
    [regionOf(parts.regions, source), regionOf(parts.regions, target)] as const;

  /** Each sentence once, until it no longer holds. */
  function tellOnce(kind: string, sentences: readonly string[], tell: (sentence: string) => void): void {
    for (const s of [...said])
      if (s.startsWith(`${kind}:`) && !sentences.includes(s.slice(kind.length + 1))) said.delete(s);
    for (const sentence of sentences) {
      if (said.has(`${kind}:${sentence}`)) continue;
      said.add(`${kind}:${sentence}`);
      tell(sentence);
    }
  }

  async function lookAt(direction: Direction, signal: AbortSignal): Promise<Look> {
    const [source, target] = sides(direction);
    const call = { signal };
    if (knownOf !== direction.rolesEpoch) {
      known = (await readFollowedTopics(state, direction.rolesEpoch, call)) ?? {};
      knownOf = direction.rolesEpoch;
      prepared = undefined;
    }
    const patterns = config.topicPatterns;
    const own = parts.own?.topics() ?? [];
    const all = await source.kafka.describeTopics(patterns ? undefined : [...config.topics, ...own], call);
    let wanted = config.topics;
    if (patterns) {
      const { unmatched } = selectNames(all.keys(), patterns);
      tellOnce('pattern', unmatched, (p) =>
        log.warn({}, `the pattern ${p} of \`topics\` matches no topic in ${source.name}`),
      );
      // One that the source has lost stays followed: the standby still has its records.
      wanted = selectNames([...all.keys(), ...Object.keys(known ?? {})], patterns).names;
    }
    wanted = [...new Set([...wanted, ...own])];
    const chosen = new Set(wanted);
    const atSource = new Map([...all].filter(([name]) => chosen.has(name)));
    const atStandby = wanted.length === 0 ? new Map() : await target.kafka.describeTopics(wanted, call);
    return { names: wanted, atSource, atStandby };
  }

  /** Makes topics and partitions that the standby lacks. */
  async function prepare(direction: Direction, look: Look, signal: AbortSignal): Promise<Look> {
    const [source, target] = sides(direction);
    for (const { topic, partitions } of planGrowth(look.atSource, look.atStandby)) {
      try {
        await target.kafka.growTopic(topic, partitions, { signal });
        log.info({}, `"${topic}" has ${partitions} partitions in ${source.name}, and so it has in ${target.name} now`);
      } catch (error) {
        if (signal.aborted) throw error;
        // The partitions that are there are mirrored all the same, and so is every other topic.
        log.error({}, `"${topic}" in ${target.name} can't be given ${partitions} partitions: ${describeError(error)}`);
      }
    }
    const review = await prepareTopics(source, target, look.names, { signal, followed: config.topicConfigs });
    if (review.partitions.length === 0 && review.refused[0] && !config.topicPatterns) throw review.refused[0];
    tellOnce(
      'refused',
      review.refused.map((r) => r.message),
      (message) => {
        const { code, hint } = review.refused.find((r) => r.message === message) ?? {};
        log.error({ ...(code === undefined ? {} : { code }), ...(hint === undefined ? {} : { hint }) }, message);
      },
    );
    tellOnce('warning', review.warnings, (warning) => log.warn({}, warning));
    for (const { name } of review.missing) log.info({}, `"${name}" is made in ${target.name}`);
    const after = await lookAt(direction, signal);
    prepared = { look: after, partitions: review.partitions };
    return after;
  }

  async function following(direction: Direction, signal: AbortSignal): Promise<Following> {
    let look = await lookAt(direction, signal);
    if (!prepared || !isDeepStrictEqual(look, prepared.look)) look = await prepare(direction, look, signal);
    const own = parts.own?.topics() ?? [];
    names = look.names.filter((name) => !own.includes(name));
    const remembered = Object.fromEntries(Object.entries(known ?? {}).filter(([name]) => look.names.includes(name)));
    const identity = judgeIdentity(remembered, look.atSource, look.atStandby);
    if (!isDeepStrictEqual(identity.known, known)) {
      await putFollowedTopics(state, direction.rolesEpoch, identity.known, { signal });
      known = identity.known;
    }
    const held = { ...pausedTopics(look.names, await readMirrorPause(state, { signal })), ...identity.recreated };
    const throttle = throttleInForce(config.mirror?.throttle, await readMirrorThrottle(state, { signal }));
    current = { partitions: prepared?.partitions ?? [], held, throttle };
    return current;
  }

  async function carryConfigs(direction: Direction, signal: AbortSignal): Promise<void> {
    const [source, target] = sides(direction);
    const keys = config.topicConfigs ?? followedConfigs;
    const failures: string[] = [];

    for (const topic of new Set((prepared?.partitions ?? []).map((p) => p.topic))) {
      if (!prepared?.look.atSource.has(topic)) continue;
      const here = await source.kafka.topicConfigs(topic, { signal });
      const changes = configChanges(here, await target.kafka.topicConfigs(topic, { signal }), keys);
      if (Object.keys(changes).length === 0) continue;
      const list = Object.entries(changes).map(([key, value]) => `${key}=${value}`);
      try {
        await target.kafka.alterTopicConfigs(topic, changes, { signal });
        log.info({}, `"${topic}" in ${target.name} is set to ${list.join(', ')}, as it is in ${source.name}`);
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push(`"${topic}" in ${target.name} can't be set to ${list.join(', ')}: ${describeError(error)}`);
      }
    }
    tellOnce('configs', failures, (failure) => log.warn({}, failure));
  }

  return {
    names: () => names,
    partitions: () => current.partitions.filter((p) => !(p.topic in current.held)),
    async open(direction, signal) {
      const [source, target] = sides(direction);
      prepared = undefined;
      await parts.own?.prepare(direction, signal);
      const wanted = await following(direction, signal);
      const started = parts.start(await prepareMirror({ state, source, target, following: wanted }, direction, signal));
      handle = started;
      return {
        ...started,
        freeze: async (drainMs) => withoutTopics(parts.own?.topics() ?? [], await started.freeze(drainMs)),
      };
    },
    async run(direction, signal) {
      let failed: string | undefined;
      const tick = async () => {
        // Before the mirror has begun, its start looks itself.
        if (!handle) return;
        try {
          handle.follow(await following(direction, signal));
          if (clock.monotonic() - configsAt >= configPeriodMs) {
            configsAt = clock.monotonic();
            await carryConfigs(direction, signal);
          }
          failed = undefined;
        } catch (error) {
          if (signal.aborted) return;
          const why = describeError(error);
          if (why !== failed) log.warn({}, `what is to be mirrored can't be looked up: ${why}; it goes on as it is`);
          failed = why;
        }
      };
      try {
        await every(periodMs, tick, clock, signal);
      } finally {
        handle = undefined;
      }
    },
  };
}

/** Where a topic of Argus' own ends is nothing that a promotion is measured by. */
function withoutTopics(own: readonly string[], stopped: Stopped): Stopped {
  return { ...stopped, endOffsets: stopped.endOffsets.filter((e) => !own.includes(e.topic)) };
}

function pausedTopics(names: readonly string[], paused: MirrorPause): Readonly<Record<string, Stop>> {
  const held: Record<string, Stop> = {};
  for (const name of names) {
    const pause = pauseOf(paused, name);
    if (pause) held[name] = { reason: 'Paused', detail: `by ${pause.by} since ${new Date(pause.atMs).toISOString()}` };
  }
  return held;
}
