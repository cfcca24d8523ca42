import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DrillReport } from '../../drills/drill-report.ts';
import type { StatusView } from '../../health/status-view.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { FaultNote } from '../../state/fault-notes.ts';
import { untilWatched } from '../support/automatic-lab.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { startTestLab } from '../support/whole-lab.ts';

// One lab, in which one thing after the other is broken by its own controls, as hooks.
let lab: Lab;
let story: LabStory;

beforeAll(async () => {
  lab = await startTestLab({ observers: true });
  story = await beginStory(lab, 100);
  await untilWatched(lab);
});

afterAll(async () => {
  await story?.stop();
  await lab?.down();
});

const settings = () => ({ configPath: lab.configPath, env: lab.processEnv('argus') });

const drill = (fault: string) =>
  argus(settings(), ['--json', 'drill', 'run', '--fault', fault, '--yes', '--reason', 'try']);

/** What is told to be broken. */
async function broken(): Promise<readonly FaultNote[]> {
  const { broken: notes } = (await story.json(['drill', 'faults'], [0, 1])) as unknown as {
    readonly broken: readonly FaultNote[];
  };
  return notes;
}

async function identical(): Promise<void> {
  expect(await story.json(['mirror', 'verify'])).toMatchObject({ identical: true, firstDifference: null });
}

async function calm(): Promise<void> {
  let seen = 'nothing';
  const healthy = async () => {
    const { healthy: well, regions } = (await story.json(['status'], [0, 1])) as unknown as StatusView;
    seen = JSON.stringify(regions.map(({ name, components }) => [name, components.filter((c) => c.status !== 'ok')]));
    return well || undefined;
  };
  await story.until('a calm platform', healthy, 300_000).catch((error) => {
    throw new Error(`${error.message}: ${seen}`);
  });
  await untilWatched(lab, 300_000);
}

test.each(['broker-down', 'objects-refusing', 'taskmanager-lost', 'dns-api-down', 'link-slow', 'primary-dark'])(
  '%s: seen as expected, healed, and nothing is lost',
  async (fault) => {
    await calm();
    const { stdout, stderr, exitCode } = await drill(fault);
    expect(exitCode, stdout + stderr).toBe(0);
    const report = JSON.parse(stdout) as DrillReport;
    expect(report).toMatchObject({ kind: 'fault', outcome: 'passed' });
    expect(report.faults?.filter((f) => !f.met || !f.healed)).toEqual([]);
    expect(await broken()).toEqual([]);
    await identical();
    const { runs } = (await story.json(['runs', 'list'])) as unknown as { readonly runs: readonly { run: string }[] };
    expect(runs.filter(({ run }) => !/-drill-/.test(run))).toEqual([]);
  },
);

test('killed while the broker is down: the daemon heals it', async () => {
  await calm();
  await story.killedAt(['drill', 'run', '--fault', 'broker-down', '--yes'], /See what comes of it/);
  expect(await broken()).toMatchObject([{ fault: 'broker-down' }]);
  await story.until('the daemon’s heal', async () => (await broken()).length === 0 || undefined, 120_000);
  const kafka = (await lab.regions[names.primary].status()).find((c) => c.component === 'kafka');
  expect(kafka).toMatchObject({ state: 'running', answers: true });
  await identical();
});
