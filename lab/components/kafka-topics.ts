import { Admin } from '@platformatic/kafka';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { type LabInfo, names, type RegionName } from '../lab-info.ts';
import { labRules } from './kafka-users.ts';

/**
 * Makes the region's topics: both on the primary, with offset 0 committed for the job's group so that it has a place to
 * start from; on the standby only the output's, since the mirror makes the input's. Where drills have a place the output is
 * mirrored, too.
 */
export async function createTopics(info: LabInfo, region: RegionName): Promise<void> {
  const { kafka, drill } = info.regions[region];
  const role = region === names.primary ? 'primary' : 'standby';
  if (kafka.users) await createRules(region, kafka.auditor, labRules(role, drill !== undefined));
  if (drill === undefined) await createJobTopics(kafka.auditor, role);
}

async function createRules(region: RegionName, broker: string, rules: readonly Acl[]): Promise<void> {
  const admin = new PlatformaticAdmin({ region, bootstrap: [broker] });
  try {
    await admin.createAcls(rules);
  } finally {
    await admin.close();
  }
}

/** The same by the address of a broker (`host:port`). */
export async function createJobTopics(broker: string, role: 'primary' | 'standby'): Promise<void> {
  const admin = new Admin({
    clientId: 'argus-lab',
    bootstrapBrokers: [broker],
    retries: 20,
    retryDelay: 150,
    timeout: 10_000,
  });
  try {
    // One after the other: calls at the same moment are merged, with the partitions of the first.
    for (const { topic, partitions } of role === 'primary' ? [names.events, names.metrics] : [names.metrics]) {
      await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
    }
    if (role === 'standby') return;
    const { topic, partitions } = names.events;
    const partitionOffsets = Array.from({ length: partitions }, (_, partition) => ({ partition, offset: 0n }));
    await admin.alterConsumerGroupOffsets({
      groupId: names.consumerGroup,
      topics: [{ name: topic, partitionOffsets }],
    });
  } finally {
    await admin.close();
  }
}
