import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DrillReport } from '../../drills/drill-report.ts';
import { clusterPrerequisites } from '../../lab/cluster-lab/start-cluster.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import { configWithRights } from '../support/cluster-account.ts';
import { beginStory, type LabStory } from '../support/lab-story.ts';
import { differences, type Picture, pictureOfProduction } from '../support/production-picture.ts';

const missing = clusterPrerequisites();
const title =
  missing.length === 0 ? 'a drill with pods' : `a drill with pods (skipped, it needs ${missing.join('; ')})`;
const limit = { timeout: 420_000 };

// One lab for the whole story: each test goes on where the one before it ended.
describe.skipIf(missing.length > 0)(title, () => {
  let lab: Lab;
  let story: LabStory;
  /** In which Argus has at the standby the rights of the documents, and no others. */
  let configPath: string;
  let before: Picture;
  /** `argus --json drill run`, with its progress on our stderr: pods take their time. */
  const drill = async (...args: readonly string[]): Promise<DrillReport> => {
    const settings = { configPath, env: lab.processEnv('argus') };
    const onStderr = (text: string) => process.stderr.write(text);
    const done = await argus(settings, ['--json', 'drill', 'run', '--yes', ...args], { timeoutMs: 400_000, onStderr });
    expect([0, 1], done.stderr).toContain(done.exitCode);
    return JSON.parse(done.stdout) as DrillReport;
  };
  const left = async () => differences(before, await pictureOfProduction(lab.info));

  beforeAll(async () => {
    const setup = progressLines((line) => process.stderr.write(`${line}\n`), 15_000);
    lab = await startLab({
      flavour: 'cluster',
      drills: true,
      dir: mkdtempSync(join(tmpdir(), 'argus-cluster-')),
      progress: (event) => {
        if (event.kind === 'setup') setup(event.event);
        else if (event.state === 'ready') process.stderr.write(`${event.part} ready after ${event.ms} ms\n`);
      },
    });
    configPath = await configWithRights(lab.info, names.standby, ['rbac-standby.yaml', 'rbac-drill.yaml']);
    story = await beginStory(lab, 100);
    before = await pictureOfProduction(lab.info);
  }, 45 * 60_000);
  afterAll(async () => {
    await story?.stop();
    await lab?.down();
  }, 120_000);

  test(
    'it brings the job up in pods of its own from the replica, and its output is what production wrote',
    limit,
    async () => {
      const report = await drill();
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
      expect(compared?.kind === 'compared' && compared.records).toBeGreaterThan(10);
    },
  );

  test('production`s objects and pods are the very ones of before, and nothing is left in the namespace', async () => {
    expect([...before.keys()].filter((what) => /^mumbai Pod argus-data\//.test(what))).toHaveLength(2);
    expect(await left()).toEqual([]);
  });

  test(
    'killed (-9) amidst it: pods, topic and files are left, and `argus drill clean` removes them',
    limit,
    async () => {
      await story.killedAt(['drill', 'run', '--yes'], /RUNNING, without a checkpoint/);
      const there = (await left()).join('\n');
      for (const thing of [
        /FlinkDeployment argus-drills\//,
        /Pod argus-drills\//,
        /topic argus\.drill\./,
        /\/argus\/drills\//,
      ])
        expect(there).toMatch(thing);
      await story.json(['drill', 'clean']);
      expect(await left()).toEqual([]);
    },
  );
});
