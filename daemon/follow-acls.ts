import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../domain/clock.ts';
import type { Config, RegionConfig } from '../domain/config.ts';
import { describeError } from '../domain/errors.ts';
import { type NamePatterns, selectNames } from '../domain/name-patterns.ts';
import { aclKey } from '../regions/kafka/kafka-acls.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import { carriedAcls, describeAcl, planAcls } from '../replication/acls/plan-acls.ts';
import { type FollowedAcls, putFollowedAcls, readFollowedAcls } from '../state/followed-acls.ts';
import { readKafkaFence } from '../state/kafka-fence.ts';
import type { Direction } from './decide-replication.ts';
import type { Log } from './log.ts';
import { regionOf } from './region-of.ts';
import type { ReplicatorParts } from './replicator.ts';
import { every } from './supervise.ts';

type AclConfig = Pick<Config, 'jobs'> & {
  readonly mirror: Pick<Config['mirror'], 'acls' | 'principal'>;
  readonly groups?: NamePatterns | undefined;
  readonly regions: Readonly<Record<string, { readonly kafka: Pick<RegionConfig['kafka'], 'sasl'> }>>;
};

export interface AclLoopParts extends Pick<AclFollowerOptions, 'topics' | 'state' | 'clock' | 'log'> {
  readonly config: AclConfig;
  readonly regions: ReadonlyMap<string, Region>;
}

/** The loop that follows ACLs, or none when the configuration doesn't want it. */
export function aclLoops(parts: AclLoopParts): ReplicatorParts['loops'] {
  const { config, regions, ...rest } = parts;
  if (config.mirror.acls === 'off') return [];
  const logins = Object.values(config.regions).flatMap(({ kafka }) => kafka.sasl?.username ?? []);
  const run = ({ source, target, rolesEpoch }: Direction, signal: AbortSignal) =>
    followAcls(
      {
        ...rest,
        source: regionOf(regions, source),
        target: regionOf(regions, target),
        rolesEpoch,
        groups: config.jobs.map((j) => j.consumerGroup),
        groupPatterns: config.groups,
        except: [
          ...logins.map((name) => `User:${name}`),
          ...(config.mirror.principal ? [config.mirror.principal] : []),
        ],
      },
      signal,
    );
  return [{ name: 'ACLs', run }];
}

export interface AclFollowerOptions {
  readonly source: Region;
  readonly target: Region;
  readonly rolesEpoch: number;
  readonly topics: () => readonly string[];
  /** Followed always. */
  readonly groups: readonly string[];
  /** Others, by name. */
  readonly groupPatterns?: NamePatterns | undefined;
  /** Principals whose rules are not carried over. */
  readonly except?: readonly string[];
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly periodMs?: number;
}

/** Carries the primary's ACLs over every 10 s until the signal. Where that can't be done it is told once. */
export async function followAcls(options: AclFollowerOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, periodMs = 10_000 } = options;
  let noted: FollowedAcls | undefined;
  let said: string | undefined;
  const tell = (level: 'info' | 'warn', sentence: string) => {
    if (sentence !== said) log[level]({}, sentence);
    said = sentence;
  };
  const tick = async () => {
    try {
      const done = await carryOnce(options, noted, signal);
      if (typeof done === 'string') tell('info', `${done} has no authorizer: no ACLs are carried over`);
      else [noted, said] = [done, undefined];
    } catch (error) {
      if (!signal.aborted) tell('warn', `ACLs can't be carried over: ${describeError(error)}`);
    }
  };
  await every(periodMs, tick, clock, signal);
}

/** One look at both sides and what follows from it; the name of a side that has no authorizer. */
async function carryOnce(
  options: AclFollowerOptions,
  noted: FollowedAcls | undefined,
  signal: AbortSignal,
): Promise<FollowedAcls | string> {
  const { source, target, rolesEpoch, state, log } = options;
  const call = { signal };
  const here = await source.kafka.listAcls({}, call);
  if (!here) return source.name;
  const there = await target.kafka.listAcls({}, call);
  if (!there) return target.name;
  const { groupPatterns } = options;
  const found = groupPatterns ? selectNames(await source.kafka.listGroups(call), groupPatterns).names : [];
  const groups = [...new Set([...options.groups, ...found])];
  // What keeps writers out over there must not keep them out here.
  const fence = new Set((await readKafkaFence(state, source.name, call))?.rules.map(aclKey));
  const rules = here.filter((acl) => !fence.has(aclKey(acl)));
  const carried = carriedAcls(rules, { topics: options.topics(), groups }, options.except);
  const before = noted ?? (await readFollowedAcls(state, rolesEpoch, call)) ?? { made: [], withheld: [] };
  const { create, remove, made, withheld } = planAcls(carried, there, before.made);
  const note = async (acls: FollowedAcls, than: FollowedAcls) => {
    if (!isDeepStrictEqual(acls, than)) await putFollowedAcls(state, rolesEpoch, acls, call);
    return acls;
  };
  // Noted before it is made: a rule of Argus' that nobody knows to be one would stay for ever.
  const during = await note({ made: distinct([...before.made, ...made]), withheld: [...withheld] }, before);
  for (const permission of ['DENY', 'ALLOW'] as const) {
    const rules = create.filter((acl) => acl.permission === permission);
    if (rules.length > 0) await target.kafka.createAcls(rules, call);
  }
  if (remove.length > 0) await target.kafka.deleteAcls(remove, call);
  for (const acl of create) log.info({}, `as in ${source.name}: ${describeAcl(acl)} in ${target.name}`);
  for (const acl of remove) log.info({}, `no longer in ${source.name}: ${describeAcl(acl)} in ${target.name}`);
  return note({ made: [...made], withheld: [...withheld] }, during);
}

function distinct(acls: FollowedAcls['made']): FollowedAcls['made'] {
  return [...new Map(acls.map((acl) => [aclKey(acl), acl])).values()];
}
