import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bubbleOf } from '../../domain/bubble.ts';
import type { DrillReport } from '../../drills/drill-report.ts';
import { isolatedSteps } from '../../drills/isolated/steps.ts';
import type { Swept } from '../../drills/isolated/sweep.ts';
import type { Lab } from '../../lab/lab.ts';
import { killedAtStep, killPoints } from '../support/kill-at-entry.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { differences, type Picture, pictureOfProduction } from '../support/production-picture.ts';
import { startTestLab } from '../support/whole-lab.ts';

const bubble = bubbleOf('20260101T000000Z-drill-0000');
const steps = isolatedSteps({ from: '', to: '', bubble, jobs: [], storeUri: '' }).map(({ id }) => id);

let lab: Lab;
let story: LabStory;
let before: Picture;

beforeAll(async () => {
  lab = await startTestLab({ drills: true });
  story = await beginStory(lab, 200);
  before = await pictureOfProduction(lab.info);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

/** Whether a drill that is killed at a step has made all that it makes, and removed nothing yet. */
const leaves = (step: string) =>
  steps.indexOf(step) >= steps.indexOf('start-jobs') && steps.indexOf(step) < steps.indexOf('tear-down');

describe.each(killPoints())('argus drill run, killed at a step: %s', (point) => {
  test.each(steps)('%s: what it left is found and removed, and nothing of production has changed', async (step) => {
    await killedAtStep(lab, story, ['drill', 'run', '--yes'], step, point, console.log);
    const { removed, left } = (await story.json(['drill', 'clean'])) as unknown as Swept;
    expect(left).toEqual([]);
    if (leaves(step)) expect(Object.values(removed)).toEqual([expect.any(Number)]);
    expect(differences(before, await pictureOfProduction(lab.info))).toEqual([]);
  });
});

test('a drill that begins behind a killed one removes what that left, and passes', async () => {
  await killedAtStep(lab, story, ['drill', 'run', '--yes'], 'await-checkpoints', 'inside', console.log);
  const report = (await story.json(['drill', 'run', '--yes'])) as unknown as DrillReport;
  expect(report).toMatchObject({ outcome: 'passed', leaks: [] });
  expect(differences(before, await pictureOfProduction(lab.info))).toEqual([]);
});
