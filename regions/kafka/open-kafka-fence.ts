import { ArgusError, describeError } from '../../domain/errors.ts';
import { listAclsAt } from './acls.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import type { FenceSettings, KafkaFence } from './kafka-fence.ts';
import type { KafkaEndpoint, KafkaSasl } from './kafka-security.ts';
import { probeWrites } from './write-probe.ts';

export interface KafkaFenceOptions {
  /** How Argus itself reaches the brokers; a principal's login goes over the same listener. */
  readonly endpoint: KafkaEndpoint;
  readonly settings: FenceSettings;
  /** By principal; secrets resolved. */
  readonly logins: ReadonlyMap<string, KafkaSasl>;
}

const timeoutMs = 5_000;

/** The real one. Each call has connections of its own, which it closes. */
export function openKafkaFence({ endpoint, settings, logins }: KafkaFenceOptions): KafkaFence {
  const open = (as: KafkaEndpoint) =>
    new KafkaCluster({ ...as, clientId: 'argus-fence', connectTimeoutMs: timeoutMs, requestTimeoutMs: timeoutMs });
  return {
    settings,
    async tryWrites(principal, partitions, options = {}) {
      const sasl = logins.get(principal);
      if (sasl === undefined) {
        throw new ArgusError('KafkaFailed', `${endpoint.name}: no login of ${principal} is configured`);
      }
      const { signal = AbortSignal.timeout(2 * timeoutMs) } = options;
      const own = open(endpoint);
      const writer = open({ ...endpoint, security: { ...endpoint.security, sasl } });
      try {
        return await probeWrites(own, partitions, signal, writer);
      } finally {
        own.close();
        writer.close();
      }
    },
    async rulesAtBrokers(options = {}) {
      const { signal = AbortSignal.timeout(2 * timeoutMs) } = options;
      const cluster = open(endpoint);
      try {
        const { brokers } = await cluster.refresh([], signal);
        return await Promise.all(
          [...brokers.entries()].map(async ([broker, address]) => {
            try {
              const rules = await listAclsAt(cluster, address, { permission: 'DENY' }, signal);
              return { broker, rules: rules ?? [] };
            } catch (error) {
              signal.throwIfAborted();
              return { broker, why: describeError(error) };
            }
          }),
        );
      } finally {
        cluster.close();
      }
    },
  };
}
