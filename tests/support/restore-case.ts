import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { accessLogPath } from '../../lab/components/versitygw.ts';
import { argus } from '../../lab/demo/argus-command.ts';
import { type DemoResult, disagreements } from '../../lab/demo/result.ts';
import { playScenario } from '../../lab/demo/scenario.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import type { FlinkChoice, FlinkVersion } from '../../lab/setup/flink-releases.ts';
import { readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import { handleKinds } from './handle-kinds.ts';
import type { RestoreCase } from './restore-cases.ts';
import { startTestLab } from './whole-lab.ts';

/** What was seen while a primary was destroyed and its job restored on the standby. */
interface RestoreOutcome {
  readonly result: DemoResult;
  /** What the auditor and Argus don't agree on. */
  readonly disagreements: readonly string[];
  /** Handles of the newest checkpoints that the primary's Flink wrote. */
  readonly written: readonly ReadonlySet<string>[];
  /** The checkpoint that Flink says it restored, as Argus wrote its `_metadata`. */
  readonly restored: { readonly version: number; readonly kinds: ReadonlySet<string>; readonly uri: string };
  /** Checkpoints that the restored job completed while traffic went on. */
  readonly checkpointsSince: number;
  /** Lines that name the primary's bucket: requests to the standby's store, and what its Flink logged. */
  readonly mentionsOfPrimary: readonly string[];
  /** Requests to the standby's store, to show that there was a log to look into. */
  readonly requestsSeen: number;
  /** `_metadata` files that Flink and Argus wrote, and those among them that are not written back byte for byte. */
  readonly metadataFiles: number;
  readonly notRoundTripped: readonly string[];
}

const bucketFolder = (lab: Lab, region: 'mumbai' | 'singapore'): string =>
  join(lab.dir, region, 'objects', 'buckets', lab.info.regions[region].objects.bucket);

/** The paths of all `_metadata` below a folder. */
function metadataBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/_metadata'))
    .map((path) => join(folder, path));
}

/** Whether a file can be read and written back as it is. */
function roundTrips(path: string): boolean {
  const bytes = readFileSync(path);
  return writeMetadata(readMetadata(bytes)).equals(bytes);
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

interface JobCheckpoints {
  readonly counts: { readonly completed: number };
  readonly latest: { readonly restored: { readonly id: number; readonly external_path: string } | null };
}

/**
 * Lines of the standby's logs that name the primary's bucket: its store's requests, and its Flink's own words. The
 * replica's keys repeat those of the primary's bucket, never its name.
 */
function mentionsOfPrimary(lab: Lab): { readonly requests: number; readonly mentions: readonly string[] } {
  const { bucket } = lab.info.regions[names.primary].objects;
  const named = new RegExp(`${bucket}(?![\\w.-])`);
  const requests = readFileSync(accessLogPath(lab.info, names.standby), 'utf8').trim().split('\n');
  const flink = ['jobmanager', 'taskmanager'].flatMap((which) =>
    readFileSync(join(lab.dir, 'logs', `${names.standby}-${which}.log`), 'utf8').split('\n'),
  );
  return { requests: requests.length, mentions: [...requests, ...flink].filter((line) => named.test(line)) };
}

/** The job that runs on the standby, once it was restored and completed so many checkpoints of its own. */
async function untilCheckpoints(lab: Lab, count: number): Promise<JobCheckpoints> {
  const { rest } = lab.info.regions[names.standby].flink;
  return until(`${count} checkpoints of the restored job`, 120_000, async () => {
    const { jobs } = await ask<{ jobs: { id: string; status: string }[] }>(`${rest}/jobs`);
    const running = jobs.find((job) => job.status === 'RUNNING');
    if (running === undefined) return undefined;
    const seen = await ask<JobCheckpoints>(`${rest}/jobs/${running.id}/checkpoints`);
    return seen.counts.completed >= count && seen.latest.restored !== null ? seen : undefined;
  });
}

/** A restored checkpoint's `_metadata`, read from the standby's disk. */
function restoredMetadata(lab: Lab, seen: JobCheckpoints): RestoreOutcome['restored'] {
  const uri = seen.latest.restored?.external_path ?? '';
  const { bucket } = lab.info.regions[names.standby].objects;
  const key = uri.replace(/^s3:\/\/[^/]+\//, '').replace(/\/_metadata$/, '');
  if (!uri.startsWith(`s3://${bucket}/`)) throw new Error(`restored from ${uri}, which is not the replica`);
  const metadata = readMetadata(readFileSync(join(bucketFolder(lab, names.standby), key, '_metadata')));
  return { version: metadata.version, kinds: handleKinds(metadata), uri };
}

/**
 * Plays one disaster for a Flink with these settings: under load, and when three checkpoints are replicated, the
 * primary is killed and its bucket deleted; `argus failover`; three more checkpoints; then the audit.
 */
export async function playRestore(flink: FlinkChoice): Promise<RestoreOutcome> {
  const lab = await startTestLab({ flink });
  const said: string[] = [];
  const roundTripped: string[] = [];
  const notRoundTripped: string[] = [];
  let written: readonly ReadonlySet<string>[] = [];
  const tryFiles = (paths: readonly string[]): void => {
    for (const path of paths) (roundTrips(path) ? roundTripped : notRoundTripped).push(path);
  };
  const run = playScenario(lab, {
    scenario: 'kill',
    rate: 300,
    warmupMs: 10_000,
    afterMs: 0,
    distanceMs: 20,
    async afterOutage() {
      // Nobody shall be able to read it again, not even by another way to the same files.
      const bucket = bucketFolder(lab, names.primary);
      const paths = metadataBelow(bucket);
      tryFiles(paths);
      written = paths.map((path) => handleKinds(readMetadata(readFileSync(path))));
      rmSync(bucket, { recursive: true });
    },
    say: (line) => said.push(`${line}\n`),
    onArgusOutput: (text) => said.push(text),
  });
  try {
    await run.warmUp();
    const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
    await until('three checkpoints on the replica', 90_000, async () => {
      const list = await argus(settings, ['--json', 'checkpoints', 'list']);
      const { jobs } = JSON.parse(list.stdout) as { jobs: { points: unknown[] }[] };
      return (jobs[0]?.points.length ?? 0) >= 3 ? true : undefined;
    });
    await run.failOver();
    const seen = await untilCheckpoints(lab, 3);
    const restored = restoredMetadata(lab, seen);
    const result = await run.account();
    tryFiles(metadataBelow(bucketFolder(lab, names.standby)));
    const { requests, mentions } = mentionsOfPrimary(lab);
    return {
      result,
      disagreements: disagreements(result),
      written,
      restored,
      checkpointsSince: seen.counts.completed,
      mentionsOfPrimary: mentions,
      requestsSeen: requests,
      metadataFiles: roundTripped.length + notRoundTripped.length,
      notRoundTripped,
    };
  } catch (error) {
    const flinkLog = readFileSync(join(lab.dir, 'logs', `${names.standby}-jobmanager.log`), 'utf8').slice(-6_000);
    throw new Error(`${(error as Error).message}\n${said.join('')}\n${flinkLog}`, { cause: error });
  } finally {
    await run.stop();
    await lab.down();
  }
}

/** The version of `_metadata` that each Flink writes. */
const metadataVersions: Readonly<Record<FlinkVersion, number>> = { '1.20': 4, '2.2': 6 };

/** What each restore must have been, and that the case was what its name says. */
export function expectRestored(outcome: RestoreOutcome, version: FlinkVersion, each: RestoreCase): void {
  expect(outcome.disagreements).toEqual([]);
  expect(outcome.mentionsOfPrimary).toEqual([]);
  expect(outcome.requestsSeen).toBeGreaterThan(100);
  expect(outcome.checkpointsSince).toBeGreaterThanOrEqual(3);
  expect(outcome.notRoundTripped).toEqual([]);
  expect(outcome.metadataFiles).toBeGreaterThanOrEqual(6);
  expect(outcome.restored.version).toBe(metadataVersions[version]);
  expect(outcome.written.length).toBeGreaterThan(0);
  for (const kinds of outcome.written) {
    expect([...kinds]).toEqual(expect.arrayContaining([...each.has]));
    expect(each.hasNot.filter((kind) => kinds.has(kind))).toEqual([]);
  }
  // In the replica every reference is absolute.
  expect(each.has.filter((kind) => kind !== 'stream 6' && !outcome.restored.kinds.has(kind))).toEqual([]);
  expect(outcome.restored.kinds.has('stream 6')).toBe(false);
}
