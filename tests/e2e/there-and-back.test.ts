import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEvents, readMetrics } from '../../lab/auditor/audit.ts';
import { countAudit, type EventRecord } from '../../lab/auditor/count.ts';
import { partitionOf } from '../../lab/ingest/partition.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { readLedger } from '../../lab/traffic/ledger.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for the whole story: each test goes on where the one before it ended.
let lab: Lab;
let story: LabStory;
const { topic } = names.events;
const orphanTopic = `argus.orphans.${topic}`;

beforeAll(async () => {
  lab = await startTestLab();
  story = await beginStory(lab, 200);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

/** Records that only the old primary takes: whoever writes them comes by a listener that is never cut. */
async function writeLate(count: number): Promise<void> {
  const producer = new Kafka({ brokers: [story.auditor('mumbai')], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  const messages = Array.from({ length: count }, (_, i) => {
    const key = `late-${i % 50}`;
    const value = JSON.stringify({ id: `late-${i}`, key, seq: i });
    return { key, value, partition: partitionOf(key, names.events.partitions) };
  });
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** What the auditor finds on the old primary alone, by the ids of events. */
let orphans: ReadonlySet<string>;

test('the primary is killed under load, and comes back with a thousand records that nobody else has', async () => {
  await lab.regions.mumbai.kill();
  await story.json(['failover', '--yes', '--accept-unfenced', '--accept-data-loss', '10m']);
  await story.acknowledgedBy('singapore');
  // Argus does not see it yet: what comes now comes before any fence.
  await lab.link('singapore', 'mumbai').cut();
  await lab.regions.mumbai.start();
  await story.until('a broker that leads', () =>
    writeLate(1_000).then(
      () => true,
      () => undefined,
    ),
  );
  const [old, active] = await Promise.all(
    (['mumbai', 'singapore'] as const).map((region) => readEvents({ bootstrap: story.auditor(region), topic })),
  );
  const there = new Set(active?.map((e) => e.id));
  const alone = (old ?? []).map((e) => e.id).filter((id) => !there.has(id));
  orphans = new Set(alone);
  expect(alone).toHaveLength(orphans.size);
  expect(orphans.size).toBeGreaterThanOrEqual(1_000);
  await lab.link('singapore', 'mumbai').restore();
});

test('a dry run of the failback tells what diverged, and changes nothing', async () => {
  const plan = await story.json(['failback', '--dry-run']);
  expect(plan).toMatchObject({ region: 'mumbai', active: 'singapore', beginAnew: [topic], blockers: [] });
  expect(await story.json(['orphans', 'list'])).toEqual({ rescued: [] });
});

test('argus failback keeps every orphan, counts as the auditor does, and mirrors back', async () => {
  const report = await story.json(['failback', '--yes', '--reason', 'mumbai is back']);
  expect(report).toMatchObject({
    outcome: 'done',
    orphans: orphans.size,
    inSync: { kind: 'ready' },
  });
  const kept = (await readEvents({ bootstrap: story.auditor('singapore'), topic: orphanTopic })).map((e) => e.id);
  expect(kept).toHaveLength(orphans.size);
  expect(new Set(kept)).toEqual(orphans);
});

test('status, mirror and recovery points follow the roles without a file being edited', async () => {
  // On a busy machine a look at the state, of 2 s, may tell nothing.
  const roles = await story.until('the roles', async () => {
    const seen = (await story.json(['status'], [0, 1])) as { readonly roles?: { readonly replication?: string } };
    return seen.roles?.replication === 'unknown' ? undefined : seen.roles;
  });
  expect(roles).toMatchObject({ primary: 'singapore', standby: 'mumbai', replication: 'active' });
  const points = await story.json(['recovery-points']);
  const chosen = expect.objectContaining({ verdict: 'chosen' });
  expect(points).toMatchObject({ jobs: [{ points: expect.arrayContaining([chosen]) }] });
  expect(await story.json(['orphans', 'list'])).toMatchObject({
    rescued: [{ region: 'mumbai', keptBy: 'singapore', topics: [{ topic, orphans: orphans.size }] }],
  });
});

test('over the whole story each acknowledged event is on the active side or among the orphans, none twice', async () => {
  await story.endTraffic('singapore');
  const bootstrap = story.auditor('singapore');
  const [ledger, events, kept, metrics, copy] = await Promise.all([
    readLedger(story.ledgerPath),
    readEvents({ bootstrap, topic }),
    readEvents({ bootstrap, topic: orphanTopic }),
    readMetrics({ bootstrap, topic: names.metrics.topic, client: lab.info.artifacts }),
    readEvents({ bootstrap: story.auditor('mumbai'), topic }),
  ]);
  const audit = countAudit({ ledger, oldEvents: kept, standbyEvents: events, standbyMetrics: metrics });
  expect(audit).toMatchObject({
    orphans: orphans.size,
    vanished: 0,
    refusedButWritten: 0,
    duplicated: 0,
    misordered: 0,
    flink: { wrongCounts: 0 },
  });
  expect(audit.acknowledged).toBeGreaterThan(1_000);
  // The old primary holds the same records at the same offsets again.
  expect(inOrder(copy)).toEqual(inOrder(events));
});

/** Lines that tell records apart, whatever the order in which partitions were read. */
function inOrder(records: readonly EventRecord[]): readonly string[] {
  return records.map(({ partition, offset, id }) => `${partition} ${String(offset).padStart(9)} ${id}`).sort();
}
