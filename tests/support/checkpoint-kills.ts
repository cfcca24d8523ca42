import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { filesFolder } from '../../replication/checkpoints/locations.ts';
import { listReplica, verifyPoint } from '../../replication/checkpoints/replica.ts';
import { applyRetention, gatherRetention } from '../../replication/checkpoints/retention-prune.ts';
import { verifyCheckpoints } from '../../replication/checkpoints/verify.ts';
import { type FakeFlink, fakeFlink, seededRandom } from './fake-flink.ts';
import { startObjectProxy } from './object-proxy.ts';
import { startObjectServer } from './object-server.ts';

const JOB = 'counts';
const KEEP = 3;
/** Bytes a second of each connection to the primary's store. */
const [FAST, SLOW] = [8_000_000, 1_200_000];

export interface KillsResult {
  readonly kills: number;
  /** Kills that hit a copy: it had begun, and was not complete. */
  readonly hits: number;
  /** Manifests that were verified, and the bytes that were read for it. */
  readonly verified: number;
  readonly bytesVerified: number;
  readonly checkpointsMade: number;
  readonly replicated: number;
  readonly superseded: number;
  /** Kills amidst the copy of a checkpoint that Flink had removed already, in part at least. */
  readonly removedAmidst: number;
}

/**
 * Kills the sync that many times at random, while a job completes checkpoints and removes what is subsumed. After each
 * kill every manifest must be whole, byte for byte, by the product's verification and by what the job wrote. In the end
 * the newest checkpoint must come through.
 */
export async function playKills(options: { readonly kills: number; readonly seed: string }): Promise<KillsResult> {
  const { kills, seed } = options;
  const random = seededRandom(seed);
  const primary = await startObjectServer({ buckets: ['flink-primary'] });
  const standby = await startObjectServer({ buckets: ['replica'] });
  const line = await startObjectProxy(primary.endpoint);
  const access = { accessKeyId: 'tester', secretAccessKey: 'tester-secret', region: 'us-east-1', pathStyle: true };
  const source = s3ObjectStore({ ...access, endpoint: primary.endpoint, bucket: 'flink-primary' });
  const target = s3ObjectStore({ ...access, endpoint: standby.endpoint, bucket: 'replica' });
  const size = () => Math.floor(20_000 + random() ** 3 * 1_500_000);
  const flink = fakeFlink({
    store: source,
    seed,
    // More than are copied at once, so that Flink removes some before their turn.
    newFiles: () => Array.from({ length: 10 }, size),
    liveFiles: 14,
    retained: 1,
  });
  const settings = JSON.stringify({
    job: JOB,
    prefix: 'checkpoints',
    keep: KEEP,
    source: { ...access, endpoint: line.endpoint, bucket: 'flink-primary' },
    target: { ...access, endpoint: standby.endpoint, bucket: 'replica' },
  });
  let made = 0;
  let stop = false;
  const making = (async () => {
    while (!stop) {
      made = await flink.complete();
      await sleep(50 + random() * 200);
      await flink.subsume();
      await sleep(random() * 300);
    }
  })();
  // So that a failure is thrown where it is waited for.
  making.catch(() => undefined);
  const counts = { kills: 0, hits: 0, verified: 0, bytesVerified: 0, checkpointsMade: 0, replicated: 0 };
  const totals = { ...counts, superseded: 0, removedAmidst: 0 };
  let spare = startChild(settings);
  const end = async () => {
    stop = true;
    await spare.kill();
    await making.catch(() => undefined);
    await line.close();
    for (const store of [source, target]) await store.close();
    for (const server of [primary, standby]) await server.stop();
  };
  try {
    for (; totals.kills < kills; totals.kills++) {
      // On a slow line Flink removes checkpoints before their copies are complete, on a fast one copies win.
      line.bytesPerSecond = totals.kills % 2 === 0 ? FAST : SLOW;
      const child = spare;
      await child.ready;
      child.go();
      // The next one gets ready meanwhile: most of a life would be Node's start.
      spare = startChild(settings);
      // The first and some others live until a checkpoint is complete, some die in their first look.
      const until = random();
      if (totals.kills === 0) await Promise.race([child.completed, sleep(30_000)]);
      else if (until < 0.3) await Promise.race([child.superseded, child.completed, sleep(3_000)]);
      else if (until < 0.4) await Promise.race([child.completed, sleep(3_000)]);
      else if (until < 0.9) await Promise.race([child.copying, sleep(3_000)]);
      await sleep(random() * (line.bytesPerSecond === SLOW ? 1_500 : 700));
      await child.kill();
      if (child.state.copying) totals.hits++;
      if (child.state.copying && !flink.kept().includes(child.state.checkpointId)) totals.removedAmidst++;
      totals.replicated += child.state.replicated;
      totals.superseded += child.state.superseded;
      const checked = await expectWhole(target, flink);
      totals.verified += checked.verified;
      totals.bytesVerified += checked.bytes;
      const rules = { keep: KEEP, maxAgeMs: 3_600_000 };
      await applyRetention(target, await gatherRetention(target, JOB, rules, new Set(), { nowMs: Date.now() }));
    }
    stop = true;
    line.bytesPerSecond = FAST;
    await making;
    totals.checkpointsMade = made;
    await spare.ready;
    spare.go();
    for (const from = performance.now(); !(await newestIs(target, made)); await sleep(200)) {
      if (performance.now() - from > 20_000) throw new Error(`checkpoint ${made} does not come through`);
    }
    await expectWhole(target, flink);
    return totals;
  } finally {
    await end();
  }
}

async function newestIs(target: ObjectStore, checkpointId: number): Promise<boolean> {
  const { points } = await listReplica(target, JOB, { limit: 1 });
  return points[0]?.manifest.checkpointId === checkpointId;
}

/** Every manifest that is there, against every byte that the job wrote. */
async function expectWhole(target: ObjectStore, flink: FakeFlink) {
  const { points, problems, objects } = await listReplica(target, JOB, { hashMetadata: true });
  expect(problems.filter((p) => p.code !== 'HalfWritten')).toEqual([]);
  for (const point of points) expect(verifyPoint(point, objects)).toEqual([]);
  const manifests = points.map((p) => p.manifest);
  const result = await verifyCheckpoints({ store: target, manifests });
  expect(result.checkpoints.flatMap((c) => c.differences)).toEqual([]);
  const files = new Map(manifests.flatMap((m) => m.files.map((f) => [f.key, f] as const)));
  for (const file of files.values()) {
    const wrote = flink.written.get(file.key.slice(filesFolder(JOB).length));
    const { sha256 } = file.checksum ?? {};
    if (sha256 !== undefined) expect([file.key, sha256]).toEqual([file.key, wrote]);
    else {
      const body = (await target.get(file.key))?.body ?? new Uint8Array();
      expect([file.key, createHash('sha256').update(body).digest('hex')]).toEqual([file.key, wrote]);
    }
  }
  return { verified: points.length, bytes: result.bytesRead };
}

interface Child {
  readonly ready: Promise<void>;
  /** A copy has begun. */
  readonly copying: Promise<void>;
  /** Flink removed a checkpoint during its copy. */
  readonly superseded: Promise<void>;
  /** A checkpoint is on the replica. */
  readonly completed: Promise<void>;
  readonly state: { copying: boolean; checkpointId: number; replicated: number; superseded: number };
  go(): void;
  kill(): Promise<void>;
}

function startChild(settings: string): Child {
  const main = fileURLToPath(new URL('./checkpoint-child.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [main, settings], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-2_000);
  });
  const ready = Promise.withResolvers<void>();
  const copying = Promise.withResolvers<void>();
  const completed = Promise.withResolvers<void>();
  const superseded = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  const state = { copying: false, checkpointId: 0, replicated: 0, superseded: 0 };
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on('line', (text) => {
    const news = JSON.parse(text);
    if (news.ready) ready.resolve();
    if (news.progress?.totalFiles > 0) {
      state.copying = true;
      state.checkpointId = news.progress.checkpointId;
      copying.resolve();
    }
    if (news.ended || news.failed) state.copying = false;
    if (news.ended?.replicated !== undefined) {
      state.replicated++;
      completed.resolve();
    }
    if (news.ended?.superseded !== undefined) {
      state.superseded++;
      superseded.resolve();
    }
  });
  child.on('exit', () => ready.reject(new Error(`the sync's process ended: ${stderr}`)));
  child.stdin?.on('error', () => undefined);
  return {
    ready: ready.promise,
    copying: copying.promise,
    completed: completed.promise,
    superseded: superseded.promise,
    state,
    go: () => void child.stdin?.write('go\n'),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
      lines.close();
    },
  };
}
