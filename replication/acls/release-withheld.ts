import { type Acl, aclKey, type KafkaAcls } from '../../regions/kafka/kafka-acls.ts';

/**
 * The withheld rules that the promoted cluster doesn't show yet. Undefined: it has no authorizer, so that everybody may
 * write there anyway. Errors: `KafkaDenied` without DESCRIBE on the cluster.
 */
export async function unreleasedAcls(
  kafka: Pick<KafkaAcls, 'listAcls'>,
  withheld: readonly Acl[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly Acl[] | undefined> {
  const there = await kafka.listAcls({}, options);
  if (!there) return undefined;
  const known = new Set(there.map(aclKey));
  return withheld.filter((acl) => !known.has(aclKey(acl)));
}

/**
 * Makes the rules that were withheld while the cluster held a copy, those that deny before those that allow. Idempotent;
 * `unreleasedAcls` shows whether the brokers know them. Errors: `KafkaDenied` without ALTER on the cluster.
 */
export async function releaseWithheldAcls(
  kafka: Pick<KafkaAcls, 'createAcls'>,
  withheld: readonly Acl[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  for (const permission of ['DENY', 'ALLOW'] as const) {
    const rules = withheld.filter((acl) => acl.permission === permission);
    if (rules.length > 0) await kafka.createAcls(rules, options);
  }
}
