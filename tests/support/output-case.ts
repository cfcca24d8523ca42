import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { auditRegions, readMetrics } from '../../lab/auditor/audit.ts';
import { waitUntilSettled } from '../../lab/auditor/settled.ts';
import { argus, startDaemon } from '../../lab/demo/argus-command.ts';
import { startTraffic } from '../../lab/demo/traffic.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { flinkRestJobs } from '../../regions/flink/flink-rest-jobs.ts';
import { startTestLab } from './whole-lab.ts';

/** What a failover reported of the job's output. */
interface ReportedOutput {
  readonly recoveryPoint: { readonly checkpointId: number };
  readonly rejected: readonly { readonly checkpointId: number; readonly code: string }[];
  readonly droppedTransactions: readonly unknown[];
  readonly outputGap: readonly {
    readonly topic: string;
    readonly abortedRecords: number | null;
    readonly recordsAtMost: number | null;
  }[];
  readonly doubledOutput: readonly { readonly topic: string; readonly records: number; readonly basis: string }[];
  readonly outputNotes: readonly unknown[];
}

/** What the auditor counted in the standby's output: each count of each key should be there once. */
interface CountedOutput {
  readonly missing: number;
  readonly doubled: number;
  /** By partition: the offsets between which the doubled ones stand, the first time and again. */
  readonly where: readonly unknown[];
  /** Keys whose last count is not the number of their events. */
  readonly wrongCounts: number;
}

interface OutputOutcome {
  readonly report: ReportedOutput;
  readonly counted: CountedOutput;
  /** The newest checkpoint on the replica when the preparation began. */
  readonly newestBefore: number;
}

interface OutputCase {
  /** While the job runs and is replicated; the primary is destroyed when it is done. */
  readonly prepare: (lab: OutputLab) => Promise<void>;
  readonly flags?: readonly string[];
}

/** What a preparation may do and see. */
export interface OutputLab {
  argus(...args: string[]): Promise<void>;
  /** Lets everything vanish between Argus and the primary's bucket. */
  cutObjects(): Promise<void>;
  newestReplicated(): Promise<number>;
  newestCompleted(): Promise<number>;
}

/** Asks until it is so. */
export async function until(what: string, forMs: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + forMs; ; await sleep(500)) {
    if (await isSo().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${forMs / 1_000} s`);
  }
}

/**
 * A job with an exactly-once sink whose output is mirrored: under load, after the preparation, the primary is destroyed
 * and `argus failover` restores the job; then the standby's output is counted with another client.
 */
export async function playOutput({ prepare, flags = [] }: OutputCase): Promise<OutputOutcome> {
  const lab = await startTestLab();
  declareOutput(lab.configPath);
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus') };
  const said: string[] = [];
  const run = async (args: readonly string[]) => {
    const done = await argus(settings, args, { onStderr: (text) => said.push(text) });
    if (done.exitCode !== 0) throw new Error(`argus ${args.join(' ')}: ${done.exitCode}\n${done.stdout}`);
    return done.stdout;
  };
  const flink = flinkRestJobs({ region: names.primary, url: lab.info.regions[names.primary].flink.rest });
  const view: OutputLab = {
    argus: async (...args) => void (await run(args)),
    cutObjects: () => cutProxy(lab, `${names.standby}-${names.primary}-objects`),
    newestReplicated: async () => {
      const { jobs } = JSON.parse(await run(['--json', 'checkpoints', 'list']));
      return jobs[0].points[0]?.checkpointId ?? 0;
    },
    newestCompleted: async () => {
      const [job] = await flink.list();
      return (job && (await flink.checkpoints(job.id)).latestCompleted?.id) ?? 0;
    },
  };
  // Brokers that have just started, on a busy machine, answer late; a daemon would be refused.
  const answers = async () => (await argus(settings, ['mirror', 'check'])).exitCode === 0;
  await until('both Kafkas to answer', 120_000, answers).catch(async (error: unknown) => {
    await lab.down();
    throw error;
  });
  const daemon = startDaemon({ ...settings, env: lab.processEnv('argus/daemon') }, join(lab.dir, 'argus-daemon.log'));
  const ledgerPath = join(lab.dir, 'ledger.jsonl');
  const { resolver, env } = { resolver: lab.info.dns.server, env: lab.processEnv('outside/traffic') };
  const where = { resolver, name: lab.info.ingestName, port: lab.info.ingestPort };
  const traffic = startTraffic({ ...where, rate: 200, keys: 50, ledgerPath, env });
  try {
    // The job's output needs traffic: from here on checkpoints have transactions.
    const first = await view.newestCompleted();
    await until('three checkpoints with output', 150_000, async () => (await view.newestReplicated()) >= first + 3);
    const newestBefore = await view.newestReplicated();
    await prepare(view);
    await lab.regions[names.primary].kill();
    const told = await run(['--json', 'failover', '--yes', '--accept-unfenced', ...flags]);
    const by = async () => traffic.stats()?.by === names.standby;
    await until('events that the standby takes', 60_000, by);
    await traffic.stop();
    return { report: JSON.parse(told) as ReportedOutput, counted: await countOutput(lab, ledgerPath), newestBefore };
  } catch (error) {
    const points = await argus(settings, ['recovery-points', '--explain']).catch(() => undefined);
    const log = readFileSync(join(lab.dir, 'argus-daemon.log'), 'utf8').slice(-4_000);
    throw new Error([(error as Error).message, ...said.slice(-60), points?.stdout, log].join('\n'), { cause: error });
  } finally {
    await traffic.stop();
    await daemon.stop();
    await lab.down();
  }
}

/** The lab mirrors only what the job reads. */
function declareOutput(configPath: string): void {
  const config = parse(readFileSync(configPath, 'utf8'));
  config.topics.push(names.metrics.topic);
  config.jobs[0].writes = [names.metrics.topic];
  writeFileSync(configPath, stringify(config, { aliasDuplicateObjects: false }));
}

async function cutProxy(lab: Lab, name: string): Promise<void> {
  const answer = await fetch(`${lab.info.toxiproxy}/proxies/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ enabled: false }),
  });
  if (!answer.ok) throw new Error(`toxiproxy: ${answer.status}`);
}

async function countOutput(lab: Lab, ledgerPath: string): Promise<CountedOutput> {
  const bootstrap = lab.info.regions[names.standby].kafka.auditor;
  const [eventsTopic, metricsTopic] = [names.events.topic, names.metrics.topic];
  if (!(await waitUntilSettled({ bootstrap, topics: [eventsTopic, metricsTopic], stillMs: 10_000 }))) {
    throw new Error("the standby's job did not drain");
  }
  const client = lab.info.artifacts;
  const audit = await auditRegions({ standbyBootstrap: bootstrap, eventsTopic, metricsTopic, ledgerPath, client });
  // By key, each count with the offset where it was read first.
  const seen = new Map<string, Map<number, number>>();
  const again: { readonly partition: number; readonly first: number; readonly offset: number }[] = [];
  for (const { key, count, partition, offset } of await readMetrics({ bootstrap, topic: metricsTopic, client })) {
    const counts = seen.get(key) ?? new Map<number, number>();
    const first = counts.get(count);
    if (first === undefined) counts.set(count, offset);
    else again.push({ partition, first, offset });
    seen.set(key, counts);
  }
  const missing = [...seen.values()].reduce((n, counts) => n + Math.max(...counts.keys()) - counts.size, 0);
  const where = [...Map.groupBy(again, (a) => a.partition)].map(([partition, list]) => {
    const range = (offsets: readonly number[]) => [Math.min(...offsets), Math.max(...offsets)];
    return { partition, first: range(list.map((a) => a.first)), again: range(list.map((a) => a.offset)) };
  });
  return { missing, doubled: again.length, wrongCounts: audit.flink.wrongCounts, where };
}

/** That what was reported is what the auditor counted. */
export function expectAgreement({ report, counted }: OutputOutcome): void {
  expect(counted.wrongCounts).toBe(0);
  expect(report.outputNotes).toEqual([]);
  const least = report.outputGap.reduce((n, gap) => n + (gap.abortedRecords ?? 0), 0);
  const most = report.outputGap.reduce((n, gap) => n + (gap.recordsAtMost ?? Number.POSITIVE_INFINITY), 0);
  expect(counted.missing).toBeGreaterThanOrEqual(least);
  expect(counted.missing).toBeLessThanOrEqual(most);
  const doubled = { job: names.job, topic: names.metrics.topic, records: counted.doubled, basis: 'exact' };
  expect(report.doubledOutput, JSON.stringify({ where: counted.where, report })).toEqual([doubled]);
}
