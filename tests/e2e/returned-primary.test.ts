import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditorClient, topicEnds } from '../../lab/auditor/read-topic.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for the whole story: each test goes on where the one before it ended.
let lab: Lab;
let story: LabStory;

beforeAll(async () => {
  lab = await startTestLab();
  story = await beginStory(lab, 100);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

interface Answer {
  readonly id: string;
  readonly status: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly atMs: number;
}

/** Somebody who writes to one region's ingest by its address, whatever the names say, until told to stop. */
function stubbornProducer(url: string) {
  const answers: Answer[] = [];
  let going = true;
  const done = (async () => {
    for (let i = 0; going; i++) {
      const event = { id: `stubborn-${i}`, key: `stubborn-${i % 7}`, seq: i };
      const response = await fetch(`${url}/events`, { method: 'POST', body: JSON.stringify([event]) }).catch(
        () => undefined,
      );
      const body = (await response?.json().catch(() => undefined)) as { results?: Answer[] } | undefined;
      for (const result of body?.results ?? []) answers.push({ ...result, atMs: Date.now() });
      await sleep(20);
    }
  })();
  return {
    answers,
    async stop() {
      going = false;
      await done;
    },
  };
}

interface FenceEvidence {
  readonly kind: string;
  readonly principals: readonly string[];
  readonly ends: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[];
  readonly beyondPromotion: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: string;
    readonly promotedAt: string;
  }[];
}

let promotedAt: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[];

test('the primary is killed under load, and its ingest may write to the standby only after the failover', async () => {
  const { kafka } = lab.info.regions.singapore;
  const direct = stubbornProducer(lab.info.regions.singapore.ingest.direct);
  await sleep(1_000);
  await direct.stop();
  expect(direct.answers.length).toBeGreaterThan(5);
  expect(direct.answers.every((a) => a.status === 'refused')).toBe(true);
  expect(kafka.users).toBeDefined();

  await lab.regions.mumbai.kill();
  const report = (await story.json([
    'failover',
    '--yes',
    '--accept-unfenced',
    '--accept-data-loss',
    '10m',
  ])) as unknown as { promotedAt: typeof promotedAt; kafkaFencing: { kind: string } };
  promotedAt = report.promotedAt;
  expect(report.kafkaFencing.kind).toBe('unproven');
  await story.acknowledgedBy('singapore');
});

test('the old primary comes back before anybody sees it: its ingest asks for the role, and stays quiet', async () => {
  await lab.link('singapore', 'mumbai').cut();
  const producer = stubbornProducer(lab.info.regions.mumbai.ingest.direct);
  try {
    await lab.regions.mumbai.start();
    await sleep(3_000);
    expect(producer.answers).toEqual([]);
    const ingest = (await lab.regions.mumbai.status()).find((c) => c.component === 'ingest');
    expect(ingest).toMatchObject({ state: 'running', answers: false });
    expect(await story.json(['role', 'show'])).toMatchObject({
      roles: { primary: 'singapore' },
      regions: [
        { region: 'mumbai', kind: 'withheld', code: 'NotPrimary' },
        { region: 'singapore', kind: 'granted', by: 'roles' },
      ],
    });
  } finally {
    await producer.stop();
  }
});

test('one that does not ask takes records, with a producer that goes on: it is fenced, and what it took is counted', async () => {
  const producer = stubbornProducer(lab.info.regions.mumbai.ingest.direct);
  try {
    await lab.regions.mumbai.restart('ingest');
    const taken = () => producer.answers.filter((a) => a.status === 'acknowledged').length;
    await story.until('records that nobody else has', async () => taken() > 20 || undefined);
    await lab.link('singapore', 'mumbai').restore();
    const run = await story.until('a fence that holds', async () => {
      const { runs } = (await story.json(['runs', 'list'])) as unknown as {
        runs: { run: string; runbook: string; status: string }[];
      };
      return runs.find((r) => r.runbook === 'fence' && r.status === 'done')?.run;
    });
    const shown = (await story.json(['runs', 'show', run])) as unknown as {
      steps: { id: string; status: string; evidence: FenceEvidence }[];
      lastAtMs: number;
    };
    const evidence = shown.steps.find((s) => s.id === 'deny-writers')!.evidence;
    expect(evidence).toMatchObject({ kind: 'proven', principals: ['User:ingest', 'User:job'] });

    // The producer goes on, and nothing gets in.
    const before = producer.answers.length;
    await sleep(3_000);
    expect(producer.answers.length).toBeGreaterThan(before + 10);
    expect(producer.answers.slice(before).filter((a) => a.status !== 'refused')).toEqual([]);
    const admin = auditorClient(story.auditor('mumbai')).admin();
    await admin.connect();
    const ends = await topicEnds(admin, names.events.topic);
    await admin.disconnect();
    const endsThen = evidence.ends.filter((e) => e.topic === names.events.topic);
    expect(ends.map((e) => String(e.end))).toEqual(endsThen.map((e) => e.offset));

    // Each one that did get in is beyond the promotion, and counted.
    const promoted = (partition: number) =>
      Number(promotedAt.find((p) => p.topic === names.events.topic && p.partition === partition)?.offset);
    const beyond = ends.reduce((sum, e) => sum + Math.max(0, e.end - promoted(e.partition)), 0);
    const counted = evidence.beyondPromotion.reduce((sum, b) => sum + Number(b.offset) - Number(b.promotedAt), 0);
    expect(counted).toBe(beyond);
    expect(beyond).toBeGreaterThan(20);
    for (const { partition, offset } of producer.answers.filter((a) => a.status === 'acknowledged')) {
      expect(offset).toBeGreaterThanOrEqual(promoted(partition!));
    }
  } finally {
    await producer.stop();
  }
});

test('the traffic on the new primary goes on', async () => {
  await story.takes('singapore', 50);
});
