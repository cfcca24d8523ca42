import { ArgusError } from '../../domain/errors.ts';
import { type Acl, aclKey, type KafkaAcls } from '../../regions/kafka/kafka-acls.ts';
import type { FenceSettings, KafkaFence } from '../../regions/kafka/kafka-fence.ts';
import { fenceRules } from '../../runbooks/fencing/fence-rules.ts';

/** A cluster's authorizer in memory, and its fence: who is denied by the rules is refused. */
export interface FakeFence {
  readonly acls: KafkaAcls;
  readonly fence: KafkaFence;
  readonly rules: Acl[];
}

export interface FakeFenceOptions {
  readonly settings?: Partial<FenceSettings>;
  /** Told of each rule that is really made or taken away. */
  readonly onChange?: (change: 'deny' | 'lift', acl: Acl) => void;
  /** The cluster can't be reached. */
  readonly dark?: () => boolean;
  /** It has no authorizer. */
  readonly open?: boolean;
  /** Brokers know a rule, but let this principal in all the same. */
  readonly leaks?: string;
}

/** One broker, `User:ingest` as a producer and `User:counts` as a job. */
export function fakeFence({ settings = {}, onChange, dark, open, leaks }: FakeFenceOptions = {}): FakeFence {
  const rules: Acl[] = [];
  const reach = () => {
    if (dark?.()) throw new ArgusError('KafkaUnreachable', 'connect timed out', { retryable: true });
  };
  const at = (acl: Acl) => rules.findIndex((r) => aclKey(r) === aclKey(acl));
  return {
    rules,
    acls: {
      async listAcls(filter = {}) {
        reach();
        if (open) return undefined;
        const wanted = Object.entries(filter) as [keyof Acl, string][];
        return rules.filter((r) => wanted.every(([key, value]) => r[key] === value));
      },
      async createAcls(acls) {
        reach();
        for (const acl of acls) {
          if (at(acl) >= 0) continue;
          rules.push(acl);
          onChange?.('deny', acl);
        }
      },
      async deleteAcls(acls) {
        reach();
        for (const acl of acls) {
          if (at(acl) < 0) continue;
          rules.splice(at(acl), 1);
          onChange?.('lift', acl);
        }
      },
    },
    fence: {
      settings: {
        by: 'acl',
        required: false,
        topics: [],
        superUsers: [],
        spared: ['User:argus'],
        stillMs: 2_000,
        principals: [
          { principal: 'User:ingest', kind: 'producer', triable: true },
          { principal: 'User:counts', kind: 'job', triable: true },
        ],
        ...settings,
      },
      async tryWrites(principal, partitions) {
        reach();
        return partitions.map((p) => {
          const [deny] = fenceRules([principal], [p.topic]);
          const denied = principal !== leaks && deny !== undefined && at(deny) >= 0;
          return { ...p, broker: 1, verdict: denied ? 'denied' : 'open', detail: denied ? '29' : '2' };
        });
      },
      async rulesAtBrokers() {
        reach();
        return [{ broker: 1, rules: rules.filter((r) => r.permission === 'DENY') }];
      },
    },
  };
}
