import { ArgusError, describeError } from '../../domain/errors.ts';
import { byPartition, endOf, type PartitionOffset, partitionsOf } from '../../domain/offsets.ts';
import { type Acl, aclKey } from '../../regions/kafka/kafka-acls.ts';
import type { FencedKind, KafkaFence } from '../../regions/kafka/kafka-fence.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Region } from '../../regions/region.ts';
import {
  dropFenceRules,
  type FenceAuthor,
  noteFenceRules,
  readKafkaFence,
  refuseOpened,
} from '../../state/kafka-fence.ts';
import { decideFence, type FenceSight, movedEnds, type Standing, standing } from './decide-fence.ts';
import { fenceRules, missingRules, ofKinds, otherWriters } from './fence-rules.ts';

/** A region's Kafka that is to be fenced, or opened again. */
export interface FenceTarget {
  readonly region: Pick<Region, 'name' | 'kafka' | 'fence'>;
  readonly state: ObjectStore;
  /** See `fencedTopics`; those that don't exist in the region are passed over where they are looked at. */
  readonly topics: readonly string[];
}

/** What binds a call to a run: `check` throws when nothing may be changed any more. */
export interface FenceIo {
  readonly signal: AbortSignal;
  check(): void;
}

/** `made`: the rules stand. Else why Kafka can't be fenced here: nothing was changed. */
export type Denial =
  | { readonly kind: 'made'; readonly created: number }
  | { readonly kind: 'none'; readonly because: string };

/** What was seen of a fence that holds. */
export interface FenceProof {
  readonly kind: 'proven' | 'partial';
  /** What is not shown; empty when it is proven. */
  readonly why: readonly string[];
  readonly principals: readonly string[];
  /** The brokers that showed every rule. */
  readonly brokers: readonly number[];
  /** Where the logs ended from the denial on. */
  readonly ends: readonly PartitionOffset[];
  readonly stillMs: number;
}

/** How far a region's Kafka was shown to take no writes any more, for a report. */
export type KafkaFencing =
  | Pick<FenceProof, 'kind' | 'why' | 'principals' | 'brokers'>
  /** Nothing was denied there, or nobody saw it. */
  | { readonly kind: 'none' | 'unproven'; readonly why: readonly string[] };

/** Every kind of writer. */
export const everybody: readonly FencedKind[] = ['producer', 'job'];

/** The fence by which writers can be denied; else why there is none. */
export function usableFence({
  region,
}: {
  readonly region: Pick<Region, 'name' | 'fence'>;
}): KafkaFence | { readonly none: string; readonly required: boolean } {
  const { name, fence } = region;
  if (fence === undefined) return { none: `regions.${name}.kafka.fence is not set`, required: false };
  if (fence.settings.by === 'none') return { none: `regions.${name}.kafka.fence is by: none`, required: false };
  return fence;
}

/**
 * Denies WRITE to the fenced principals of these kinds. Idempotent; each rule is noted in the state before it is made,
 * so that exactly these are lifted. Errors: `KafkaUnreachable`, `KafkaDenied` (ALTER on the cluster).
 */
export async function denyKafkaWrites(
  target: FenceTarget,
  kinds: readonly FencedKind[],
  author: FenceAuthor,
  { signal, check }: FenceIo,
): Promise<Denial> {
  const { region, state, topics } = target;
  const fence = usableFence(target);
  if ('none' in fence) return { kind: 'none', because: fence.none };
  const there = await region.kafka.listAcls({ permission: 'DENY' }, { signal });
  if (there === undefined) return { kind: 'none', because: `${region.name}'s brokers have no authorizer` };
  const who = ofKinds(fence.settings, kinds).map((p) => p.principal);
  const missing = missingRules(fenceRules(who, topics), there);
  const noted = await readKafkaFence(state, region.name, { signal });
  if (missing.length > 0 || noted?.openedFor !== undefined) {
    check();
    await noteFenceRules(state, region.name, missing, author, { signal });
  }
  if (missing.length > 0) {
    check();
    await region.kafka.createAcls(missing, { signal });
    // Opened in between: what was just made would stay behind.
    const now = author.unlessOpenedFor === undefined ? undefined : await readKafkaFence(state, region.name, { signal });
    try {
      refuseOpened(region.name, now, author);
    } catch (error) {
      await region.kafka.deleteAcls(missing, { signal });
      throw error;
    }
  }
  return { kind: 'made', created: missing.length };
}

/**
 * Lifts what `denyKafkaWrites` made for the principals of these kinds, and nothing else: gives those rules. Idempotent.
 * With `openedFor` (the roles epoch in which the region becomes primary) it stays open for whoever watches the roles.
 */
export async function allowKafkaWrites(
  { region, state }: Pick<FenceTarget, 'region' | 'state'>,
  kinds: readonly FencedKind[],
  author: FenceAuthor & { readonly openedFor?: number },
  { signal, check }: FenceIo,
): Promise<readonly Acl[]> {
  const noted = await readKafkaFence(state, region.name, { signal });
  const lifted = (noted?.rules ?? []).filter((rule) => {
    const named = region.fence?.settings.principals.find((p) => p.principal === rule.principal);
    // A principal that the configuration no longer names goes with any kind.
    return named === undefined || kinds.includes(named.kind);
  });
  if (author.openedFor !== undefined && noted?.openedFor !== author.openedFor) {
    check();
    await dropFenceRules(state, region.name, [], author, { signal });
  }
  if (lifted.length === 0) return [];
  check();
  try {
    await region.kafka.deleteAcls(lifted, { signal });
  } catch (error) {
    if (!(error instanceof ArgusError && error.code === 'KafkaNoAuthorizer')) throw error;
  }
  check();
  await dropFenceRules(state, region.name, lifted, author, { signal });
  return lifted;
}

/** Which of these rules a broker still acts by; a broker that can't be asked counts as one that has them all. */
export async function rulesLeft(
  { region }: Pick<FenceTarget, 'region'>,
  rules: readonly Acl[],
  signal: AbortSignal,
): Promise<readonly Acl[]> {
  if (rules.length === 0 || region.fence === undefined) return [];
  const brokers = await region.fence.rulesAtBrokers({ signal });
  if (brokers.some((b) => b.rules === undefined)) return rules;
  const there = new Set(brokers.flatMap((b) => b.rules ?? []).map(aclKey));
  return rules.filter((r) => there.has(aclKey(r)));
}

/** Looks once, at everything at the same time. Nothing is changed or written. */
export async function lookAtFence(
  { region, topics }: Pick<FenceTarget, 'region' | 'topics'>,
  fence: KafkaFence,
  kinds: readonly FencedKind[],
  signal: AbortSignal,
): Promise<FenceSight> {
  const { settings } = fence;
  const who = ofKinds(settings, kinds);
  const found = await region.kafka.describeTopics(topics, { signal });
  const partitions = partitionsOf(found.values()).toSorted(byPartition);
  const rules = fenceRules(
    who.map((p) => p.principal),
    topics,
  );
  const untried: { principal: string; why: string }[] = [];
  const tryAs = async (principal: string) => {
    try {
      return { principal, probes: await fence.tryWrites(principal, partitions, { signal }) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ArgusError) || error.retryable) throw error;
      untried.push({ principal, why: describeError(error) });
      return { principal, probes: [] };
    }
  };
  for (const { principal } of who.filter((p) => !p.triable)) {
    untried.push({ principal, why: 'no login of it is configured' });
  }
  const [brokers, allRules, writes, ranges] = await Promise.all([
    fence.rulesAtBrokers({ signal }),
    region.kafka.listAcls({ resourceType: 'topic' }, { signal }),
    Promise.all(who.filter((p) => p.triable).map((p) => tryAs(p.principal))),
    partitions.length === 0 ? [] : region.kafka.logRanges(partitions, { signal }),
  ]);
  const known = [...settings.principals.map((p) => p.principal), ...settings.spared, ...settings.superUsers];
  return {
    brokers: brokers.map(({ broker, rules: there, why }) => ({
      broker,
      missing: there === undefined ? rules.length : missingRules(rules, there).length,
      ...(why === undefined ? {} : { why }),
    })),
    writes: writes.filter((w) => w.probes.length > 0),
    untried,
    otherWriters: otherWriters(allRules ?? [], topics, known),
    superUsers: settings.superUsers,
    ends: ranges.map(endOf),
  };
}

/**
 * Watches a fence until it is seen to hold: first the denial, then logs that stand still for the configured time. For
 * a step's `verify`, which is asked again and again.
 */
export function fenceWatch(target: Pick<FenceTarget, 'region' | 'topics'>, kinds: readonly FencedKind[]) {
  let still: Standing | undefined;
  return async (
    fence: KafkaFence,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<FenceProof | { readonly kind: 'pending'; readonly waitingFor: string }> => {
    const sight = await lookAtFence(target, fence, kinds, signal);
    const verdict = decideFence(sight);
    if (verdict.kind === 'open') {
      still = undefined;
      return { kind: 'pending', waitingFor: `the denial: ${verdict.why.join('; ')}` };
    }
    const { stillMs } = fence.settings;
    const moved = still === undefined ? [] : movedEnds(still.ends, sight.ends);
    still = standing(still, sight.ends, nowMs);
    if (nowMs - still.sinceMs < stillMs) {
      const first = moved[0];
      const what = first === undefined ? '' : `: ${first.topic}-${first.partition} grew`;
      return { kind: 'pending', waitingFor: `the logs to stand still for ${stillMs} ms${what}` };
    }
    return {
      kind: verdict.kind,
      why: verdict.kind === 'proven' ? [] : verdict.why,
      principals: ofKinds(fence.settings, kinds).map((p) => p.principal),
      brokers: sight.brokers.filter((b) => b.why === undefined && b.missing === 0).map((b) => b.broker),
      ends: sight.ends,
      stillMs,
    };
  };
}
