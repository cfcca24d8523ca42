import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEvents } from '../../lab/auditor/audit.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { FailbackPlan } from '../../runbooks/failback/plan.ts';
import { killedAtStep, killPoints } from '../support/kill-at-entry.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { returnWithOrphans } from '../support/old-primary-back.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for all points: a failback that has ended leaves nothing to fail back.
let lab: Lab;
let story: LabStory;
let plan: FailbackPlan;
let orphans: ReadonlySet<string>;

beforeAll(async () => {
  lab = await startTestLab();
  story = await beginStory(lab, 100);
  orphans = await returnWithOrphans(lab, story, 5_000);
  plan = (await story.json(['failback', '--dry-run'])) as unknown as FailbackPlan;
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

const failback = ['failback', '--yes', '--no-wait'];

/** What is said inside the acts that keep records and delete them. */
const said: Readonly<Record<string, readonly RegExp[]>> = {
  'rescue-orphans': [/records kept in/, /reading back/],
  'begin-topics-anew': [/comparing /],
};

test('a failback that is killed at each of its steps is gone on with', { timeout: 1_800_000 }, async () => {
  // Each run goes on where the one before it was killed.
  for (const { id } of plan.steps.slice(0, -1)) {
    for (const words of said[id] ?? []) {
      await story.killedAt(failback, words);
      console.log(`failback, ${id} says ${words}`);
    }
    for (const point of killPoints()) await killedAtStep(lab, story, failback, id, point, console.log);
  }
});

test('the last one ends it: every orphan is kept once', async () => {
  const report = await story.json(['failback', '--yes']);
  expect(report).toMatchObject({ outcome: 'done', orphans: orphans.size, inSync: { kind: 'ready' } });
  const kept = await readEvents({
    bootstrap: story.auditor('singapore'),
    topic: `argus.orphans.${names.events.topic}`,
  });
  expect(kept).toHaveLength(orphans.size);
  expect(new Set(kept.map((e) => e.id))).toEqual(orphans);
});
