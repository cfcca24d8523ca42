import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { bubbleOf } from '../../domain/bubble.ts';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import { auditorClient } from '../../lab/auditor/read-topic.ts';
import { ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { gatherBubbleCopy } from '../../replication/checkpoints/bubble-copy.ts';
import { lackingOf, makeCopy } from '../../replication/checkpoints/restore-copy.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';

/** A whole Flink in a process, whose job writes with the prefix `production`, on a broker of its own. */
const program = fileURLToPath(new URL('../support/java/SinkJob.java', import.meta.url));
const bubble = bubbleOf('20261122T033000Z-drill-ab12');
const prefix = bubble.transactionalIdPrefix('copy');
const clock = { now: Date.now, monotonic: () => performance.now(), sleep: async () => undefined };

let folder: string;
let broker: TestBroker;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-test-restore-'));
  broker = await startTestBroker({
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
  });
  const client = auditorClient(broker.address);
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  const topics = ['in', 'out', bubble.topic('out'), bubble.topic('control')];
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 1 })), waitForLeaders: true });
  feeding = setInterval(() => {
    producer.send({ topic: 'in', messages: [{ value: `record ${fed++}` }] }).catch(() => undefined);
  }, 20);
  stopFeeding = async () => {
    clearInterval(feeding);
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  };
}, 60_000);
let feeding: NodeJS.Timeout;
let fed = 0;
let stopFeeding: () => Promise<void>;

afterEach(() => Promise.all([...children].map(kill)));
afterAll(async () => {
  await stopFeeding?.();
  await broker?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function flags(): Promise<readonly [string, readonly string[]]> {
  const { java, flinkLibs } = await ensureArtifacts({});
  const opens = ['java.lang', 'java.util', 'java.net', 'java.lang.reflect', 'java.time', 'java.util.concurrent'];
  const open = opens.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
  return [
    java,
    [
      '-Xmx256m',
      `-Djava.io.tmpdir=${folder}`,
      '-XX:TieredStopAtLevel=1',
      ...open,
      '-Dlog4j2.level=ERROR',
      '-cp',
      `${flinkLibs}/*`,
      program,
    ],
  ];
}

/** Runs the job until so many checkpoints of its own are complete, and kills it. Gives their folders, oldest first. */
async function runJob(
  job: { readonly out: string; readonly prefix: string; readonly folder: string; readonly from?: string },
  count: number,
): Promise<readonly string[]> {
  const [java, args] = await flags();
  const checkpoints = join(folder, job.folder);
  await mkdir(checkpoints, { recursive: true });
  const from = job.from === undefined ? [] : [job.from];
  const own = [
    'run',
    broker.address,
    'in',
    job.out,
    `${job.prefix}-group`,
    job.prefix,
    `file://${checkpoints}`,
    ...from,
  ];
  const child = spawn(java, [...args, ...own], { stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  let complete: readonly string[] = [];
  for (const end = Date.now() + 60_000; complete.length < count; ) {
    if (child.exitCode !== null || Date.now() > end)
      throw new Error(`no ${count} checkpoints: ${errors.slice(0, 4_000)}`);
    await new Promise((r) => setTimeout(r, 200));
    complete = await completeIn(checkpoints);
  }
  await kill(child);
  return complete;
}

async function completeIn(root: string): Promise<readonly string[]> {
  const found: { path: string; id: number }[] = [];
  for (const path of await readdir(root, { recursive: true })) {
    const [, chk, id] = /^(.*chk-(\d+))\/_metadata$/.exec(path) ?? [];
    if (chk !== undefined && (await stat(join(root, path))).size > 0)
      found.push({ path: join(root, chk), id: Number(id) });
  }
  return found.sort((a, b) => a.id - b.id).map(({ path }) => path);
}

/** What the broker knows of the transactions whose ids begin so: id, state, producer and epoch. */
async function transactions(of: string): Promise<readonly string[]> {
  const [java, args] = await flags();
  const { stdout } = await promisify(execFile)(java, [...args, 'transactions', broker.address], { timeout: 60_000 });
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line.startsWith(of));
}

test('a drill’s job aborts nothing of production’s; restored from the point as it is, it would', async () => {
  const complete = await runJob({ out: 'out', prefix: 'production', folder: 'primary/checkpoints' }, 3);
  const before = await transactions('production');
  // Killed amidst its work: what it had not committed stands open.
  expect(before.some((line) => / Ongoing /i.test(line))).toBe(true);

  const [source, target] = [fileObjectStore(join(folder, 'primary')), fileObjectStore(join(folder, 'replica'))];
  const sync = createCheckpointSync({ job: 'copy', prefix: 'checkpoints', source, target, clock });
  const manifest = (await sync.step()).replicated as CheckpointManifest;
  expect(complete.at(-1)).toMatch(new RegExp(`chk-${manifest.checkpointId}$`));
  expect(manifest.sourceOffsets).toMatchObject([{ topic: 'in', partition: 0 }]);

  const place = { folder: bubble.restore('copy'), transactionalIdPrefix: prefix, muted: false };
  const copy = await gatherBubbleCopy(target, manifest, place);
  expect(copy.sinks).toMatchObject([{ operator: 'out: Writer', from: 'production', to: prefix }]);
  const lacking = await lackingOf(target, copy);
  if (lacking === undefined) throw new Error('nothing to write');
  await makeCopy(target, copy, lacking);

  await runJob({ out: bubble.topic('out'), prefix, folder: 'drill', from: copy.uri }, 2);
  expect(await transactions('production')).toEqual(before);
  expect((await transactions(prefix)).length).toBeGreaterThan(0);

  await runJob(
    { out: bubble.topic('control'), prefix: `${prefix}-control`, folder: 'control', from: manifest.replicaUri },
    1,
  );
  expect(await transactions('production')).not.toEqual(before);
});
