import { Kafka, logLevel } from 'kafkajs';
import { readEvents } from '../../lab/auditor/audit.ts';
import { partitionOf } from '../../lab/ingest/partition.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { LabStory } from './lab-story.ts';

const { topic, partitions } = names.events;

/**
 * Kills the primary under load, fails over, and brings the old primary back with so many more records that nobody else
 * has. Gives the ids of all events that the auditor finds there alone; one that is there twice is an error.
 */
export async function returnWithOrphans(lab: Lab, story: LabStory, count: number): Promise<ReadonlySet<string>> {
  await lab.regions.mumbai.kill();
  await story.json(['failover', '--yes', '--accept-unfenced', '--accept-data-loss', '10m']);
  await story.acknowledgedBy('singapore');
  // Argus does not see it yet: what comes now comes before any fence.
  await lab.link('singapore', 'mumbai').cut();
  await lab.regions.mumbai.start();
  // A try that failed may have been taken by some partitions: the next one's events are others.
  let tried = 0;
  const written = () =>
    writeLate(story.auditor('mumbai'), count, `late-${++tried}`).then(
      () => true,
      () => undefined,
    );
  await story.until('a broker that leads', written);
  const [old, active] = await Promise.all([
    readEvents({ bootstrap: story.auditor('mumbai'), topic }),
    readEvents({ bootstrap: story.auditor('singapore'), topic }),
  ]);
  const there = new Set(active.map((e) => e.id));
  const alone = old.map((e) => e.id).filter((id) => !there.has(id));
  const orphans = new Set(alone);
  if (orphans.size !== alone.length) throw new Error('the old primary has events twice');
  await lab.link('singapore', 'mumbai').restore();
  return orphans;
}

/** One batch for each partition, by a listener that is never cut. */
async function writeLate(bootstrap: string, count: number, name: string): Promise<void> {
  const producer = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).producer();
  await producer.connect();
  try {
    const messages = Array.from({ length: count }, (_, i) => {
      const key = `${name}-${i % 50}`;
      return {
        key,
        value: JSON.stringify({ id: `${name}-${i}`, key, seq: i }),
        partition: partitionOf(key, partitions),
      };
    });
    await producer.send({ topic, messages });
  } finally {
    await producer.disconnect();
  }
}
