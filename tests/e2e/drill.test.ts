import { afterAll, beforeAll, expect, test } from 'vitest';
import { isOfSomeDrill } from '../../domain/bubble.ts';
import type { DrillReport } from '../../drills/drill-report.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { writtenToBroker, writtenToStores } from '../support/drill-trail.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { differences, type Picture, pictureOfProduction } from '../support/production-picture.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for the whole story: each test goes on where the one before it ended.
let lab: Lab;
let story: LabStory;
let before: Picture;

beforeAll(async () => {
  lab = await startTestLab({ drills: true });
  story = await beginStory(lab, 1_000);
  before = await pictureOfProduction(lab.info);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

test('killed (-9) amidst a drill: its topic, its job and its files are left', async () => {
  await story.killedAt(['drill', 'run', '--yes'], /RUNNING, without a checkpoint/);
  const left = differences(before, await pictureOfProduction(lab.info)).join('\n');
  for (const thing of [/topic argus\.drill\./, /drill flink job d4111d4111/, /\/argus\/drills\//])
    expect(left).toMatch(thing);
});

test('the next one, under 1,000 events/s, removes that; it brings the job up from the replica, and its output is what the primary committed', async () => {
  const report = (await story.json(['drill', 'run', '--yes', '--reason', 'e2e'], [0, 1])) as unknown as DrillReport;
  expect(report, JSON.stringify(report)).toMatchObject({
    kind: 'isolated',
    outcome: 'passed',
    causes: [],
    leaks: [],
    rto: { objectiveMs: 900_000 },
    rpo: { objectiveMs: 60_000, certainty: 'counted' },
    points: [{ job: 'counts' }],
    comparisons: [{ job: 'counts', topic: 'metrics', kind: 'compared', missing: 0, unexpected: 0, differing: 0 }],
  });
  const [compared] = report.comparisons;
  expect(compared?.kind === 'compared' && compared.records).toBeGreaterThan(100);
  expect(report.rto?.ms).toBeGreaterThan(1_000);
  expect(report.rto?.ms).toBeLessThan(60_000);
  expect(report.rpo?.ms).toBeLessThan(60_000);
});

test('production is as it was but for its own progress, and the mirror holds the same records', async () => {
  expect(differences(before, await pictureOfProduction(lab.info))).toEqual([]);
  expect(await story.json(['mirror', 'verify'])).toMatchObject({ identical: true, untold: [] });
});

test('the standby`s store refuses the drill`s account any change outside of `argus/drills/`', async () => {
  const { drill, objects } = lab.info.regions[names.standby];
  const { endpoint, bucket } = objects;
  const account = { accessKeyId: drill?.accessKeyId ?? '', secretAccessKey: drill?.secretAccessKey ?? '' };
  const store = s3ObjectStore({ ...account, endpoint, bucket, region: 'us-east-1', pathStyle: true });
  const key = (await store.list('argus/replica/')).objects[0]?.key ?? '';
  expect(await store.get(key)).toBeDefined();
  await expect(store.put(key, Buffer.from('x'))).rejects.toThrow();
  await expect(store.delete(key)).rejects.toThrow();
  await expect(store.put('argus/other', Buffer.from('x'))).rejects.toThrow();
  expect(await store.get(key)).toBeDefined();
  await store.close();
});

test('by the broker`s and the stores` own logs the drill wrote in its bubble alone, and nobody there but Argus', () => {
  const [broker, stores] = [writtenToBroker(lab.info), writtenToStores(lab.info)];
  const kinds = ['topic', 'group', 'transactionalId', 'object'] as const;
  const inBubble = (name: string) => kinds.some((kind) => isOfSomeDrill(kind, name));
  const drills = [...broker, ...stores].filter(({ by }) => ['User:drill', 'lab-drill'].includes(by));
  expect(drills.filter(({ name }) => !inBubble(name)).map(({ by, what }) => `${by} ${what}`)).toEqual([]);
  for (const sort of ['WRITE Topic', 'WRITE TransactionalId', 'COMMIT Group', 's3_PutObject'])
    expect(
      drills.some(({ what }) => what.startsWith(sort)),
      sort,
    ).toBe(true);
  const others = [...broker, ...stores].filter(({ by }) => !['User:drill', 'lab-drill'].includes(by));
  const there = new Set(others.filter(({ name }) => inBubble(name)).map(({ by }) => by));
  expect([...there].sort()).toEqual(['User:argus', 'lab-singapore']);
});
