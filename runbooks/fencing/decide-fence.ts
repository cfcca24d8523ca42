import type { PartitionOffset } from '../../domain/offsets.ts';
import { partitionKey } from '../../domain/offsets.ts';
import type { WriteProbe } from '../../regions/kafka/write-probe.ts';

/** What was seen of a fence at one moment. */
export interface FenceSight {
  /** For each broker how many of the fence's rules it doesn't show; a broker that can't be asked says why. */
  readonly brokers: readonly { readonly broker: number; readonly missing: number; readonly why?: string }[];
  /** What the partitions' leaders said to a write with each principal's own login. */
  readonly writes: readonly { readonly principal: string; readonly probes: readonly WriteProbe[] }[];
  /** Principals whose writes can't be tried, and why. */
  readonly untried: readonly { readonly principal: string; readonly why: string }[];
  /** Who may write by the rules, and isn't fenced. */
  readonly otherWriters: readonly string[];
  /** Who may write whatever the rules say. */
  readonly superUsers: readonly string[];
  /** Where the fenced topics' logs end. */
  readonly ends: readonly PartitionOffset[];
}

/** How far it is shown that a region's Kafka takes no writes any more. */
export type FenceVerdict =
  /** Each leader refused each principal, each broker shows every rule, and nobody else may write. */
  | { readonly kind: 'proven' }
  /** No writer is known to be left in, but these are not shown to be out. */
  | { readonly kind: 'partial'; readonly why: readonly string[] }
  /** A writer still gets in, or a broker doesn't act by the rules yet. */
  | { readonly kind: 'open'; readonly why: readonly string[] };

/** What a sight of a fence proves. Pure. */
export function decideFence(sight: FenceSight): FenceVerdict {
  const open: string[] = [];
  const partial: string[] = [];
  for (const { principal, probes } of sight.writes) {
    const inside = probes.filter((p) => p.verdict !== 'denied');
    const first = inside[0];
    if (first === undefined) continue;
    const more = inside.length > 1 ? ` and ${inside.length - 1} more` : '';
    const verb = first.verdict === 'open' ? 'is let in' : 'could not be tried';
    open.push(`${principal} ${verb} to ${partitionKey(first)} by broker ${first.broker} (${first.detail})${more}`);
  }
  for (const { broker, missing, why } of sight.brokers) {
    if (why !== undefined) partial.push(`broker ${broker} can't be asked for its rules: ${why}`);
    else if (missing > 0) open.push(`broker ${broker} doesn't show ${missing} of the rules yet`);
  }
  if (open.length > 0) return { kind: 'open', why: open };
  for (const { principal, why } of sight.untried) partial.push(`${principal} was not tried: ${why}`);
  for (const principal of sight.otherWriters) partial.push(`${principal} may write by the rules, and is not fenced`);
  for (const principal of sight.superUsers) partial.push(`${principal} is a super user: no rule binds it`);
  return partial.length === 0 ? { kind: 'proven' } : { kind: 'partial', why: partial };
}

/** Since when log ends have been what they are. */
export interface Standing {
  readonly ends: readonly PartitionOffset[];
  readonly sinceMs: number;
}

/** The same ends go on standing, others begin anew. Instants are of one monotonic clock. Pure. */
export function standing(before: Standing | undefined, ends: readonly PartitionOffset[], nowMs: number): Standing {
  return before !== undefined && movedEnds(before.ends, ends).length === 0 ? before : { ends, sinceMs: nowMs };
}

/** The partitions that don't end where they did; one that is new or gone counts. Pure. */
export function movedEnds(
  before: readonly PartitionOffset[],
  after: readonly PartitionOffset[],
): readonly PartitionOffset[] {
  const was = new Map(before.map((e) => [partitionKey(e), e.offset]));
  const moved = after.filter((e) => was.get(partitionKey(e)) !== e.offset);
  const now = new Set(after.map(partitionKey));
  return [...moved, ...before.filter((e) => !now.has(partitionKey(e)))];
}
