import { type Admin, ClientQuotaEntityTypes, ClientQuotaMatchTypes } from '@platformatic/kafka';
import type { UserQuotas } from './kafka-admin.ts';

/** The limits that a user has of his own, by Kafka's keys. Source: KIP-546, DescribeClientQuotas. */
export async function readUserQuotas(client: Admin, principal: string): Promise<ReadonlyMap<string, number>> {
  const match = userOf(principal);
  const components = [{ entityType: ClientQuotaEntityTypes.USER, matchType: ClientQuotaMatchTypes.EXACT, match }];
  const entries = await client.describeClientQuotas({ components, strict: true });
  return new Map(entries.flatMap((entry) => entry.values.map(({ key, value }) => [key, value] as const)));
}

const quotaKeys = ['consumer_byte_rate', 'producer_byte_rate'] as const;

/** Sets or, with `null`, takes away limits of a user. Source: KIP-546, AlterClientQuotas. */
export async function writeUserQuotas(client: Admin, principal: string, quotas: UserQuotas): Promise<void> {
  const ops = quotaKeys.flatMap((key) => {
    const value = quotas[key];
    if (value === undefined) return [];
    return value === null ? { key, remove: true as const } : { key, value, remove: false as const };
  });
  const entities = [{ entityType: ClientQuotaEntityTypes.USER, entityName: userOf(principal) }];
  await client.alterClientQuotas({ entries: [{ entities, ops }] });
}

/** `drill` of `User:drill`. */
function userOf(principal: string): string {
  return principal.replace(/^User:/, '');
}
