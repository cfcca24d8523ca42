import { expect, test } from 'vitest';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaFence } from '../../regions/kafka/kafka-fence.ts';
import { openKafkaFence } from '../../regions/kafka/open-kafka-fence.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { probeWrites } from '../../regions/kafka/write-probe.ts';
import { memoryObjectStore } from '../../regions/objects/memory-object-store.ts';
import { decideFence } from '../../runbooks/fencing/decide-fence.ts';
import { allowKafkaWrites, denyKafkaWrites, everybody, lookAtFence } from '../../runbooks/fencing/kafka-fencing.ts';
import { startTestBroker } from '../support/kafka-broker.ts';
import { startOldBroker } from '../support/old-kafka.ts';

const kraft = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
const zookeeper = 'kafka.security.authorizer.AclAuthorizer';
const partitions = [0, 1].map((partition) => ({ topic: 'events', partition }));
const io = () => ({ signal: AbortSignal.timeout(20_000), check: () => undefined });
const by = { by: 'test', atMs: 1 };

/** Nobody logs in there: everybody is `User:ANONYMOUS`, and may do what no rule is about. */
const settings = (authorizer: string) => ({
  'authorizer.class.name': authorizer,
  'allow.everyone.if.no.acl.found': 'true',
});

test.each([
  ['4.3.1', kraft, (all: Record<string, string>) => startTestBroker(all)],
  ['3.9.2', kraft, (all: Record<string, string>) => startOldBroker('3.9.2', all)],
  ['2.8.2', zookeeper, (all: Record<string, string>) => startOldBroker('2.8.2', all)],
] as const)(
  'a broker of Kafka %s looks at the right before it looks at the bytes, and appends neither',
  async (_, authorizer, start) => {
    const broker = await start(settings(authorizer));
    const kafka = new PlatformaticAdmin({ region: 'mumbai', bootstrap: [broker.address] });
    const state = memoryObjectStore('state');
    try {
      await kafka.createTopic({ name: 'events', partitions: 2, configs: {} });
      // With a first rule nobody may do anything with the topic any more whom no rule allows it.
      const rule = { resourceType: 'topic', resourceName: 'events', patternType: 'literal', host: '*' } as const;
      await kafka.createAcls([{ ...rule, principal: 'User:ANONYMOUS', operation: 'ALL', permission: 'ALLOW' }]);
      const opened = openKafkaFence({
        endpoint: { name: 'mumbai', bootstrap: [broker.address] },
        settings: {
          by: 'acl',
          required: false,
          topics: [],
          superUsers: [],
          spared: [],
          stillMs: 0,
          principals: [{ principal: 'User:ANONYMOUS', kind: 'producer', triable: true }],
        },
        logins: new Map(),
      });
      // Nobody logs in: the probe goes over a connection as everybody has it.
      const cluster = new KafkaCluster({
        name: 'mumbai',
        bootstrap: [broker.address],
        clientId: 'test',
        connectTimeoutMs: 5_000,
        requestTimeoutMs: 5_000,
      });
      const fence: KafkaFence = { ...opened, tryWrites: (_, all) => probeWrites(cluster, all, io().signal) };
      const target = { region: { name: 'mumbai', kafka, fence }, topics: ['events'], state };
      const look = async () => lookAtFence(target, fence, everybody, io().signal);
      const verdicts = async () =>
        (await look()).writes.flatMap((w) => w.probes.map((p) => `${p.verdict} ${p.detail}`));
      const open = ['open CORRUPT_MESSAGE (2)', 'open CORRUPT_MESSAGE (2)'];
      await expect.poll(verdicts, { timeout: 20_000 }).toEqual(open);
      expect(await denyKafkaWrites(target, everybody, by, io())).toEqual({ kind: 'made', created: 2 });
      await expect.poll(async () => decideFence(await look()), { timeout: 20_000 }).toEqual({ kind: 'proven' });
      expect(await verdicts()).toEqual([
        'denied TOPIC_AUTHORIZATION_FAILED (29)',
        'denied TOPIC_AUTHORIZATION_FAILED (29)',
      ]);
      expect(await allowKafkaWrites(target, everybody, by, io())).toHaveLength(2);
      await expect.poll(verdicts, { timeout: 20_000 }).toEqual(open);
      expect((await kafka.logRanges(partitions)).map((r) => r.logEndOffset)).toEqual([0n, 0n]);
    } finally {
      await kafka.close();
      await broker.stop();
    }
  },
  120_000,
);
