import type { Config } from '../../domain/config.ts';
import { type Acl, aclKey } from '../../regions/kafka/kafka-acls.ts';
import type { FencedKind, FencedPrincipal, FenceSettings } from '../../regions/kafka/kafka-fence.ts';

/** Every topic that a fence covers: the mirrored ones, what jobs write, and those of the region's own list. Pure. */
export function fencedTopics(
  config: Pick<Config, 'topics' | 'jobs'>,
  settings: Pick<FenceSettings, 'topics'> | undefined,
): readonly string[] {
  const written = config.jobs.flatMap((j) => j.writes ?? []);
  return [...new Set([...config.topics, ...written, ...(settings?.topics ?? [])])].sort();
}

/** The fenced principals of these kinds. Pure. */
export const ofKinds = (
  { principals }: Pick<FenceSettings, 'principals'>,
  kinds: readonly FencedKind[],
): readonly FencedPrincipal[] => principals.filter((p) => kinds.includes(p.kind));

/**
 * The rules that keep principals from writing: WRITE on each topic, and on every transactional id, so that no open
 * transaction is committed behind the fence. A DENY counts more than any ALLOW. Pure.
 */
export function fenceRules(principals: readonly string[], topics: readonly string[]): readonly Acl[] {
  return [...new Set(principals)].flatMap((principal) => {
    const deny = { patternType: 'literal', principal, host: '*', operation: 'WRITE', permission: 'DENY' } as const;
    return [
      ...topics.map((resourceName): Acl => ({ ...deny, resourceType: 'topic', resourceName })),
      { ...deny, resourceType: 'transactionalId', resourceName: '*' },
    ];
  });
}

/** Those of `rules` that aren't among `there`. Pure. */
export function missingRules(rules: readonly Acl[], there: readonly Acl[]): readonly Acl[] {
  const known = new Set(there.map(aclKey));
  return rules.filter((r) => !known.has(aclKey(r)));
}

/**
 * Who the rules let write to one of the topics, although no fence names him: `User:*` is everybody. Super users, and
 * everybody where brokers allow what no rule is about, don't stand in the rules. Pure.
 */
export function otherWriters(
  rules: readonly Acl[],
  topics: readonly string[],
  known: readonly string[],
): readonly string[] {
  const writes = rules.filter((r) => r.resourceType === 'topic' && (r.operation === 'WRITE' || r.operation === 'ALL'));
  const covers = (r: Acl, topic: string) =>
    r.patternType === 'prefixed'
      ? topic.startsWith(r.resourceName)
      : r.resourceName === '*' || r.resourceName === topic;
  const denied = (principal: string, topic: string) =>
    writes.some(
      (r) =>
        r.permission === 'DENY' &&
        r.host === '*' &&
        (r.principal === principal || r.principal === 'User:*') &&
        covers(r, topic),
    );
  const others = writes
    .filter((r) => r.permission === 'ALLOW' && !known.includes(r.principal))
    .filter((r) => topics.some((t) => covers(r, t) && !denied(r.principal, t)))
    .map((r) => r.principal);
  return [...new Set(others)].sort();
}
