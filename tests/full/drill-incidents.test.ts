import { afterAll, beforeAll, expect, test } from 'vitest';
import { isOfSomeDrill } from '../../domain/bubble.ts';
import type { DrillReport } from '../../drills/drill-report.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { auditAfterFailover, failover } from '../support/kill-failover.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { pictureOfProduction } from '../support/production-picture.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab for the whole story: each test goes on where the one before it ended.
let lab: Lab;
let story: LabStory;

beforeAll(async () => {
  lab = await startTestLab({ drills: true });
  story = await beginStory(lab, 200);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

const drill = async () => (await story.json(['drill', 'run', '--yes'], [0, 1])) as unknown as DrillReport;

test('a drill while the mirror lags passes, and tells how far it was behind', async () => {
  await story.json(['mirror', 'pause']);
  await new Promise((r) => setTimeout(r, 5_000));
  const report = await drill();
  await story.json(['mirror', 'resume']);
  expect(report, JSON.stringify(report)).toMatchObject({ outcome: 'passed', leaks: [], rpo: { certainty: 'counted' } });
  expect(report.rpo?.records).toBeGreaterThan(500);
});

test('a drill while the primary is down passes, and estimates what is lost', async () => {
  await story.until('the mirror to have caught up', caughtUpSince(Date.now()), 120_000);
  await lab.regions[names.primary].kill();
  await new Promise((r) => setTimeout(r, 3_000));
  const report = await drill();
  expect(report, JSON.stringify(report)).toMatchObject({
    outcome: 'passed',
    leaks: [],
    rpo: { certainty: 'estimated' },
  });
});

test('a failover that begins amidst a drill ends that, and comes up as without it', async () => {
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  let running = (): void => undefined;
  const atWork = new Promise<void>((resolve) => {
    running = resolve;
  });
  const drilling = argus(settings, ['--json', 'drill', 'run', '--yes'], {
    onStderr: (text) => /RUNNING, without a checkpoint/.test(text) && running(),
  });
  await Promise.race([atWork, drilling]);
  const began = performance.now();
  const report = await story.json(failover);
  const tookMs = performance.now() - began;
  expect(report).toMatchObject({ outcome: 'done', to: names.standby });
  const { stdout, stderr } = await drilling;
  expect(JSON.parse(stdout || '{}'), stderr).toMatchObject({ outcome: 'stopped', leaks: [] });
  const left = [...(await pictureOfProduction(lab.info, [names.standby])).keys()].filter(isDrills);
  expect(left).toEqual([]);
  console.log(`a failover amidst a drill: ${(tookMs / 1_000).toFixed(1)} s`);
  await story.acknowledgedBy(names.standby);
  await story.takes(names.standby, 100);
});

// Events that the killed primary had written and never answered may lie in its log alone: nobody was promised these.
test('and the auditor finds nothing doubled, nothing misordered, and every count right', async () => {
  expect(await auditAfterFailover(lab, story)).toMatchObject({
    oldPrimaryRead: true,
    vanished: 0,
    duplicated: 0,
    misordered: 0,
    flink: { wrongCounts: 0 },
  });
});

/** Whether a checkpoint of after an instant can be restored: then the mirror is as far as that. */
function caughtUpSince(atMs: number) {
  return async () => {
    const { jobs } = (await story.json(['recovery-points'], [0, 1, 2])) as unknown as {
      readonly jobs?: readonly { readonly points: readonly { verdict: string; completedAtMs: number }[] }[];
    };
    const chosen = jobs?.[0]?.points.find((p) => p.verdict === 'chosen');
    return (chosen !== undefined && chosen.completedAtMs > atMs) || undefined;
  };
}

/** Where jobs, jars, objects and notes are of drills alone. */
const inPlaceOfDrills = / drill flink (job|jar) |\/argus\/drills\/|\/drills\/open\//;

/** Whether a line of a picture is about something of a drill. */
function isDrills(line: string): boolean {
  const name = line.split(' ')[2] ?? '';
  return isOfSomeDrill('topic', name) || isOfSomeDrill('group', name) || inPlaceOfDrills.test(line);
}
