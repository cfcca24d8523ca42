import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterPrerequisites } from '../../lab/cluster-lab/start-cluster.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import { disagreements } from '../../lab/demo/result.ts';
import { playScenario, type ScenarioRun } from '../../lab/demo/scenario.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { ensureNodeTools, type NodeTools } from '../../lab/setup/debian.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import { settledDifference } from '../support/machine-difference.ts';
import { type MachineState, machineState } from '../support/machine-state.ts';

const missing = clusterPrerequisites();
const title = missing.length === 0 ? 'a lab with pods' : `a lab with pods (skipped, it needs ${missing.join('; ')})`;

// One lab for the whole story: each test goes on where the one before it ended.
describe.skipIf(missing.length > 0)(title, () => {
  let tools: NodeTools;
  let before: MachineState;
  let lab: Lab;
  let run: ScenarioRun;
  const settings = () => ({ configPath: lab.configPath, env: lab.processEnv('argus') });
  const json = async (args: readonly string[]) => {
    const done = await argus(settings(), ['--json', ...args]);
    return { exitCode: done.exitCode, value: JSON.parse(done.stdout), stderr: done.stderr };
  };

  beforeAll(async () => {
    const setup = progressLines((line) => process.stderr.write(`${line}\n`), 15_000);
    tools = await ensureNodeTools(AbortSignal.timeout(600_000), setup);
    before = machineState(tools);
    lab = await startLab({
      flavour: 'cluster',
      dir: mkdtempSync(join(tmpdir(), 'argus-cluster-')),
      progress: (event) => {
        if (event.kind === 'setup') setup(event.event);
        else if (event.state === 'ready') process.stderr.write(`${event.part} ready after ${event.ms} ms\n`);
      },
    });
    run = playScenario(lab, {
      scenario: 'kill',
      rate: 100,
      warmupMs: 8_000,
      afterMs: 4_000,
      distanceMs: 10,
      say: (line) => process.stderr.write(`${line}\n`),
      onArgusOutput: (text) => process.stderr.write(text),
    });
  }, 45 * 60_000);
  afterAll(async () => {
    await run?.stop();
    await lab?.down();
  }, 120_000);

  test('the job runs in pods of the primary, Argus sees both clusters', async () => {
    expect(await lab.jobState(10_000)).toBe('RUNNING');
    const components = await lab.regions[names.standby].status();
    expect(components.filter((c) => !c.answers)).toEqual([]);
    await run.warmUp();
  });

  test('the primary is killed under load, and argus failover brings the job up in the other cluster', async () => {
    await run.failOver();
    const { exitCode, value } = await json(['status']);
    expect([0, 1]).toContain(exitCode);
    expect(value.roles).toMatchObject({ primary: names.standby, standby: names.primary });
  });

  test('the auditor counts what Argus counted: nothing doubled, nothing misordered, no wrong count', async () => {
    const result = await run.account();
    expect(disagreements(result)).toEqual([]);
    expect(result.rtoMs).toBeGreaterThan(0);
  });

  test('after the lab is down the machine is as it was', async () => {
    await run.stop();
    await lab.down();
    expect(await settledDifference(before, tools)).toEqual([]);
  });
});
