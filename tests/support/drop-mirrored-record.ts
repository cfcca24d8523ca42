import { auditorClient, readTopic, type TopicRecord } from '../../lab/auditor/read-topic.ts';

/**
 * Makes a mirrored topic anew in a region without one of its records: the last of the fullest partition but some. What
 * follows it there lies one offset lower than it should. The mirror and all who write there must have ended. Gives the
 * record that is missing.
 */
export async function dropMirroredRecord(bootstrap: string, topic: string, fromTheEnd: number): Promise<TopicRecord> {
  const records: TopicRecord[] = [];
  await readTopic({ bootstrap, topic }, (record) => records.push(record));
  const partitions = Map.groupBy(records, ({ partition }) => partition);
  const fullest = [...partitions.values()].sort((a, b) => b.length - a.length)[0];
  const dropped = fullest?.at(-fromTheEnd);
  if (dropped === undefined) throw new Error(`${topic} has no partition with ${fromTheEnd} records`);
  const client = auditorClient(bootstrap);
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    const count = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length ?? 0;
    await admin.deleteTopics({ topics: [topic] });
    for (let made = false; !made; ) {
      // The broker forgets the old one some time after its answer.
      made = await admin
        .createTopics({ topics: [{ topic, numPartitions: count }], waitForLeaders: true })
        .catch(() => false);
      if (!made) await new Promise((r) => setTimeout(r, 200));
    }
    for (const [partition, list] of partitions) {
      const kept = list.filter((record) => record !== dropped).map(({ key, value }) => ({ partition, key, value }));
      for (let at = 0; at < kept.length; at += 500) await producer.send({ topic, messages: kept.slice(at, at + 500) });
    }
    return dropped;
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}
