import { ArgusError } from '../../domain/errors.ts';
import { byPartition, partitionKey, type TopicPartition } from '../../domain/offsets.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { probeWrites, type WriteProbe } from '../../regions/kafka/write-probe.ts';

/** The standby, seen as the principal that the mirror writes with. */
export interface DeniedRegion {
  readonly kafka: Pick<KafkaAdmin, 'listAcls' | 'createAcls' | 'deleteAcls'>;
  readonly brokers: KafkaEndpoint;
}

/** Whether the mirror's principal can still write. */
export type WriteDenial =
  /** Each partition's leader was seen to refuse it. */
  | { readonly kind: 'denied' }
  /** Its brokers keep no rules: nothing can be denied there. */
  | { readonly kind: 'no-authorizer' }
  /** These leaders would still have taken records, or could not say. */
  | { readonly kind: 'open'; readonly partitions: readonly WriteProbe[] };

const timeoutMs = 5_000;

/** The rules that forbid a principal to write to topics; a DENY counts more than any ALLOW. Pure. */
export function denyRules(principal: string, topics: readonly string[]): readonly Acl[] {
  return [...new Set(topics)].sort().map((resourceName) => ({
    resourceType: 'topic',
    resourceName,
    patternType: 'literal',
    principal,
    host: '*',
    operation: 'WRITE',
    permission: 'DENY',
  }));
}

/**
 * Forbids the principal to write to these topics. Idempotent. `no-authorizer`: there is nothing that could forbid it.
 * Whether brokers keep to it is asked by `lookAtDenial`. Errors: `KafkaDenied` (ALTER on the cluster), `KafkaUnreachable`.
 */
export async function denyWrites(
  { kafka }: Pick<DeniedRegion, 'kafka'>,
  principal: string,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<'made' | 'no-authorizer'> {
  try {
    await kafka.createAcls(denyRules(principal, topics), { signal });
    return 'made';
  } catch (error) {
    if (error instanceof ArgusError && error.code === 'KafkaNoAuthorizer') return 'no-authorizer';
    throw error;
  }
}

/** Takes the rules of `denyWrites` back. Idempotent; also where there is no authorizer. */
export async function allowWrites(
  { kafka }: Pick<DeniedRegion, 'kafka'>,
  principal: string,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await kafka.deleteAcls(denyRules(principal, topics), { signal });
  } catch (error) {
    if (!(error instanceof ArgusError && error.code === 'KafkaNoAuthorizer')) throw error;
  }
}

/** Tries, with the mirror's own login, whether each partition's leader refuses it. Nothing is written by that. */
export async function lookAtDenial(
  { kafka, brokers }: DeniedRegion,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<WriteDenial> {
  if ((await hasAuthorizer(kafka, signal)) === false) return { kind: 'no-authorizer' };
  const cluster = new KafkaCluster({
    ...brokers,
    clientId: 'argus-mirror',
    connectTimeoutMs: timeoutMs,
    requestTimeoutMs: timeoutMs,
  });
  try {
    const probes = await probeWrites(cluster, [...partitions].sort(byPartition), signal);
    const open = probes.filter((p) => p.verdict !== 'denied');
    return open.length === 0 ? { kind: 'denied' } : { kind: 'open', partitions: open };
  } finally {
    cluster.close();
  }
}

/** Undefined: the principal may not look. */
async function hasAuthorizer(kafka: DeniedRegion['kafka'], signal: AbortSignal): Promise<boolean | undefined> {
  try {
    const filter = { resourceType: 'topic', permission: 'DENY', operation: 'WRITE' } as const;
    return (await kafka.listAcls(filter, { signal })) !== undefined;
  } catch (error) {
    if (error instanceof ArgusError && error.code === 'KafkaDenied') return undefined;
    throw error;
  }
}

/** What is still open, as a sentence's part. Pure. */
export function describeOpen(partitions: readonly WriteProbe[]): string {
  const shown = partitions.slice(0, 3).map((p) => `${partitionKey(p)} (${p.detail})`);
  return `${shown.join(', ')}${partitions.length > 3 ? ` and ${partitions.length - 3} more` : ''}`;
}
