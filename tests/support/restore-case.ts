import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { argus } from '../../lab/demo/argus-command.ts';
import { type DemoResult, disagreements } from '../../lab/demo/result.ts';
import { playScenario } from '../../lab/demo/scenario.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { type FlinkChoice, type FlinkVersion, withFlink } from '../../lab/setup/flink-releases.ts';
import type { RestoreCase } from './restore-cases.ts';
import { destroyBucket, type FoundMetadata, mentionsOfPrimary, metadataIn, restoredPoint } from './restore-evidence.ts';
import { startTestLab } from './whole-lab.ts';

/** What was seen while a primary was destroyed and its job restored on the standby. */
interface RestoreOutcome {
  readonly result: DemoResult;
  /** The newest checkpoints that the primary's Flink wrote, and those in the standby's bucket in the end. */
  readonly written: readonly FoundMetadata[];
  readonly onStandby: readonly FoundMetadata[];
  readonly restored: FoundMetadata;
  /** Checkpoints that the restored job had completed while traffic went on. */
  readonly checkpointsSince: number;
  /** The job's state after the audit, in Flink's words. */
  readonly stateInTheEnd: string;
  readonly logs: ReturnType<typeof mentionsOfPrimary>;
}

async function ask<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  return (await response.json()) as T;
}

async function until<T>(what: string, forMs: number, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + forMs; ; await sleep(500)) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${forMs / 1000} s`);
  }
}

const jobsOf = async (rest: string): Promise<readonly { readonly id: string; readonly status: string }[]> =>
  (await ask<{ jobs: { id: string; status: string }[] }>(`${rest}/jobs`)).jobs;

/** How many checkpoints the standby's job has completed, once there are so many of its own. */
async function untilCheckpoints(rest: string, count: number): Promise<number> {
  return until(`${count} checkpoints of the restored job`, 120_000, async () => {
    const running = (await jobsOf(rest)).find((job) => job.status === 'RUNNING');
    if (running === undefined) return undefined;
    const { counts } = await ask<{ counts: { completed: number } }>(`${rest}/jobs/${running.id}/checkpoints`);
    return counts.completed >= count ? counts.completed : undefined;
  });
}

const settingsOf = (lab: Lab) => ({ configPath: lab.configPath, env: lab.processEnv('argus') });

async function untilReplicated(lab: Lab, count: number): Promise<void> {
  await until(`${count} checkpoints on the replica`, 90_000, async () => {
    const list = await argus(settingsOf(lab), ['--json', 'checkpoints', 'list']);
    const { jobs } = JSON.parse(list.stdout) as { jobs: { points: unknown[] }[] };
    return (jobs[0]?.points.length ?? 0) >= count ? true : undefined;
  });
}

/** Installs what a case needs where it is missing: the first time some 140 MB are fetched. */
export async function installFlink(flink: FlinkChoice): Promise<void> {
  await withFlink(await ensureArtifacts(), flink, undefined, () => undefined);
}

/**
 * Plays one disaster for a Flink with these settings: under load, and when three checkpoints are replicated, the
 * primary is killed and its bucket deleted; `argus failover`; three more checkpoints; then the audit.
 */
export async function playRestore(flink: FlinkChoice): Promise<RestoreOutcome> {
  const lab = await startTestLab({ flink });
  const { rest } = lab.info.regions[names.standby].flink;
  const said: string[] = [];
  let written: readonly FoundMetadata[] = [];
  const run = playScenario(lab, {
    scenario: 'kill',
    rate: 300,
    warmupMs: 10_000,
    afterMs: 0,
    distanceMs: 20,
    async afterOutage() {
      written = destroyBucket(lab);
    },
    say: (line) => said.push(`${line}\n`),
    onArgusOutput: (text) => said.push(text),
  });
  try {
    await run.warmUp();
    await untilReplicated(lab, 3);
    await run.failOver();
    const checkpointsSince = await untilCheckpoints(rest, 3);
    const result = await run.account();
    return {
      result,
      written,
      onStandby: metadataIn(lab, names.standby),
      restored: restoredPoint(lab),
      checkpointsSince,
      stateInTheEnd: (await jobsOf(rest)).map((job) => job.status).join(),
      logs: mentionsOfPrimary(lab),
    };
  } catch (error) {
    const points = await argus(settingsOf(lab), ['recovery-points', '--explain']).catch(() => undefined);
    const daemon = readFileSync(join(lab.dir, 'argus-daemon.log'), 'utf8').slice(-4_000);
    const flinkLog = readFileSync(join(lab.dir, 'logs', `${names.standby}-jobmanager.log`), 'utf8');
    const warnings = flinkLog.split('\n').filter((line) => /WARN|ERROR|Caused by|switched from/.test(line));
    const told = [said.join(''), points?.stdout, points?.stderr, daemon, ...warnings.slice(-30)];
    throw new Error([(error as Error).message, ...told].join('\n'), { cause: error });
  } finally {
    await run.stop();
    await lab.down();
  }
}

/** The version of `_metadata` that each Flink writes. */
const metadataVersions: Readonly<Record<FlinkVersion, number>> = { '1.20': 4, '2.2': 6 };

/** What each restore must have been, and that the case was what its name says. */
export function expectRestored(outcome: RestoreOutcome, version: FlinkVersion, each: RestoreCase): void {
  const { written, restored, logs } = outcome;
  expect(disagreements(outcome.result)).toEqual([]);
  expect(logs.mentions).toEqual([]);
  expect(logs.atHome).toBeGreaterThan(100);
  expect(outcome.checkpointsSince).toBeGreaterThanOrEqual(3);
  expect(outcome.stateInTheEnd).toBe('RUNNING');
  expectKinds(written, each);
  expect([...written, ...outcome.onStandby].filter((found) => !found.roundTrips)).toEqual([]);
  expect(new Set([restored, ...written].map((found) => found.version))).toEqual(new Set([metadataVersions[version]]));
  // In the replica every reference is absolute.
  expect(restored.kinds).not.toContain('stream 6');
  expect([...restored.kinds]).toEqual(expect.arrayContaining(each.has.filter((kind) => kind !== 'stream 6')));
}

/** That checkpoints are made of what the case says. */
export function expectKinds(written: readonly FoundMetadata[], each: RestoreCase): void {
  expect(written.length).toBeGreaterThan(0);
  for (const { kinds } of written) {
    expect([...kinds]).toEqual(expect.arrayContaining([...each.has]));
    expect(each.hasNot.filter((kind) => kinds.has(kind))).toEqual([]);
  }
}
