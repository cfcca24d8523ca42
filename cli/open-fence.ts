import type { RegionConfig } from '../domain/config.ts';
import type { FencedKind, FenceSettings, KafkaFence } from '../regions/kafka/kafka-fence.ts';
import type { KafkaEndpoint, KafkaSasl } from '../regions/kafka/kafka-security.ts';

/** The fence of a region's Kafka, logins resolved; nothing is connected. Undefined where none is configured. */
export async function openFence(
  endpoint: KafkaEndpoint,
  { fence, sasl }: RegionConfig['kafka'],
  mirrorPrincipal: string | undefined,
  secret: (reference: string) => Promise<string>,
): Promise<KafkaFence | undefined> {
  if (fence === undefined) return undefined;
  const { openKafkaFence } = await import('../regions/kafka/open-kafka-fence.ts');
  const logins = new Map<string, KafkaSasl>();
  const named = [
    ...fence.producers.map((p) => ({ ...p, kind: 'producer' as FencedKind })),
    ...fence.jobs.map((p) => ({ ...p, kind: 'job' as FencedKind })),
  ];
  for (const { principal, login } of named) {
    if (login === undefined) continue;
    const mechanism = login.mechanism ?? sasl?.mechanism ?? 'SCRAM-SHA-512';
    logins.set(principal, { mechanism, username: login.username, password: await secret(login.password) });
  }
  const { by, required, topics, superUsers, still } = fence;
  const spared = [...fence.spared];
  if (sasl !== undefined) spared.push(`User:${sasl.username}`);
  if (mirrorPrincipal !== undefined) spared.push(mirrorPrincipal);
  const settings: FenceSettings = {
    by,
    required,
    topics,
    superUsers,
    stillMs: still,
    spared: [...new Set(spared)],
    principals: named.map(({ principal, kind }) => ({ principal, kind, triable: logins.has(principal) })),
  };
  return openKafkaFence({ endpoint, settings, logins });
}
