import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { newestSlots } from '../../state/drill-slots.ts';
import { drillState } from '../../state/drills.ts';
import { listRuns } from '../../state/journal.ts';
import { writeRoles } from '../../state/roles.ts';
import { startTestBroker, type TestBroker } from '../support/kafka-broker.ts';

// Real daemons over a state on disk, whose clock is wrong. Of the regions only the primary's Kafka answers.
const folder = mkdtempSync(join(tmpdir(), 'argus-drills-'));
const state = fileObjectStore(join(folder, 'state'));
const drills = drillState(state);
const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const shiftClock = fileURLToPath(new URL('../support/shift-clock.ts', import.meta.url));
const daemons: ChildProcess[] = [];
const config = join(folder, 'argus.yaml');
const secrets = { S3_ID: 'x', S3_KEY: 'x', NO_COLOR: '1' };
const env = (at: string) => ({
  ...process.env,
  ...secrets,
  NODE_OPTIONS: `--import ${shiftClock}`,
  SHIFT_CLOCK_MS: String(Date.parse(at) - Date.now()),
});

const region = (address: string, bucket: string, kafka = '127.0.0.1:9') =>
  `{ address: ${address}, kafka: { bootstrap: ["${kafka}"] }, flink: { rest: "http://127.0.0.1:9" }, objects: { endpoint: "http://127.0.0.1:9", region: us-east-1, bucket: ${bucket}, accessKeyId: env:S3_ID, secretAccessKey: env:S3_KEY } }`;

beforeAll(async () => {
  broker = await startTestBroker();
  writeFileSync(join(folder, 'counts.jar'), 'jar');
  writeFileSync(
    config,
    `regions:
  mumbai: ${region('127.0.1.1', 'primary', broker.address)}
  singapore: ${region('127.0.2.1', 'replica')}
roles: { primary: mumbai, standby: singapore }
topics: [events]
jobs:
  - name: counts
    checkpoints: { prefix: checkpoints }
    consumerGroup: counts
    submit: { jar: counts.jar, entryClass: a.Counts, parallelism: 1, args: { mumbai: [], singapore: [] } }
dns:
  cloudflare: { zone: argus.test, token: env:S3_ID, apiUrl: "http://127.0.0.1:9" }
  records: [{ name: ingest.argus.test }]
  resolvers: ["127.0.0.1:9"]
state: file:./state
daemon: { port: 0 }
drill:
  schedule:
    - { kind: tabletop, cron: "0 0 1 * *" }
    - { kind: switchover, cron: "0 10 * * 2", announce: 240h, windows: [{ days: [tue], from: "10:00", to: "11:00" }] }
`,
  );
  // A daemon begins in the dark only where nothing is to be replicated.
  await replication('suspended');
});

afterAll(async () => {
  for (const child of daemons) child.kill('SIGKILL');
  await Promise.all(
    daemons.map((child) => child.exitCode ?? child.signalCode ?? new Promise((r) => child.on('exit', r))),
  );
  await Promise.all([state.close(), broker.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

let broker: TestBroker;
let epoch = 0;
async function replication(now: 'active' | 'suspended'): Promise<void> {
  epoch += 1;
  const sides = { primary: 'mumbai', standby: 'singapore' };
  await writeRoles(state, { epoch, ...sides, replication: now, atMs: epoch, by: 'x' });
}

function daemonAt(at: string): ChildProcess {
  const child = spawn(process.execPath, [main, '--config', config, 'daemon'], { stdio: 'ignore', env: env(at) });
  daemons.push(child);
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => child.on('exit', resolve));
  child.kill(signal);
  await gone;
}

/** `argus --json …` at that time: exit code, and what it printed. */
const argus = (at: string, args: readonly string[]) =>
  new Promise<{ readonly code: number; readonly json: Record<string, never> }>((resolve) => {
    execFile(process.execPath, [main, '--config', config, '--json', ...args], { env: env(at) }, (error, out, err) => {
      const text = out.trim() === '' ? err.trim().split('\n').at(-1) : out;
      resolve({ code: Number(error?.code ?? 0), json: JSON.parse(text === '' ? '{}' : (text ?? '{}')) });
    });
  });

const tabletops = async () => (await newestSlots(drills, 'tabletop', 9)).map((s) => s.value);
/** Beside other runs. */
const slow = { timeout: 180_000 };
const poll = { timeout: 60_000, interval: 100 };

test(
  'a real daemon that was away over the end of a month catches its drill up once, when the incident is over',
  slow,
  async () => {
    const before = daemonAt('2027-01-31T23:30:00Z');
    await expect.poll(() => existsSync(join(folder, 'state/drills/schedule')), poll).toBe(true);
    await ended(before, 'SIGTERM');
    expect(await tabletops()).toEqual([]);
    const after = daemonAt('2027-02-01T00:30:00Z');
    // Nothing is replicated: an incident.
    await expect.poll(async () => (await tabletops())[0]?.putOff?.code, poll).toBe('ReplicationSuspended');
    expect(await listRuns(drills)).toEqual([]);
    await replication('active');
    const end = async () =>
      (await tabletops()).map(({ slot, status, late, end: how }) => ({ slot, status, late, end: how?.outcome }));
    const one = [{ slot: 'tabletop-20270201T000000Z', status: 'ended', late: true, end: 'failed' }];
    await expect.poll(end, poll).toEqual(one);
    expect(await listRuns(drills)).toHaveLength(1);
    const { json } = await argus('2027-02-01T00:41:00Z', ['drill', 'history', '--limit', '5']);
    expect(json.drills).toMatchObject([{ kind: 'tabletop', outcome: 'failed', late: true }]);
    await ended(after, 'SIGTERM');
  },
);

test('what is to come, a word for it, and what is refused', slow, async () => {
  const now = '2027-02-01T00:45:00Z';
  const slot = 'switchover-20270202T100000Z';
  const drill = ['drill', 'run', '--switchover', '--stay', '5m', '--yes'];
  const [coming, next, unknown, outside, notReady] = await Promise.all([
    argus(now, ['drill', 'schedule', '--count', '1']),
    argus(now, ['drill', 'next']),
    argus(now, ['drill', 'approve', 'switchover-20270209T100000Z']),
    argus(now, drill),
    // Nothing is ready here, at any time.
    argus(now, [...drill, '--outside-window']),
  ]);
  expect(coming.json).toMatchObject({ coming: [{ slot, needsApproval: true }, { kind: 'tabletop' }], leftOut: [] });
  expect(next.json).toMatchObject({ next: { slot } });
  expect(unknown.code).toBe(2);
  expect(outside).toMatchObject({ code: 3, json: { error: { code: 'OutsideWindow' } } });
  expect(notReady).toMatchObject({ code: 3, json: { error: { code: 'NotReady' } } });
  expect((await argus(now, ['drill', 'approve', slot, '--reason', 'agreed in the weekly'])).code).toBe(0);
  expect((await argus(now, ['drill', 'next'])).json).toMatchObject({ next: { slot, approvedBy: expect.any(String) } });
});
