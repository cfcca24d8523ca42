import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FaultName } from '../../domain/fault-config.ts';
import { type DaemonProcess, startDaemon } from '../../lab/demo/argus-command.ts';
import type { Lab } from '../../lab/lab.ts';
import { names } from '../../lab/lab-info.ts';
import { type BrokerFaults, brokerFaults } from '../support/broker-faults.ts';
import { startTestLab } from '../support/whole-lab.ts';

// Two real brokers with their stores, the daemon that mirrors between them, and the lab's own controls as hooks;
// tests/full/fault-drills.test.ts has the whole.
let lab: Lab;
let daemon: DaemonProcess;
let faults: BrokerFaults;

beforeAll(async () => {
  lab = await startTestLab({ parts: 'brokers' });
  const settings = { configPath: lab.configPath, env: lab.processEnv('argus/daemon') };
  daemon = startDaemon(settings, join(lab.dir, 'argus-daemon.log'));
  faults = await brokerFaults(lab.configPath, { ...process.env, ...lab.env });
});

afterAll(async () => {
  await faults?.close();
  await daemon?.stop();
  await lab?.down();
});

test.each<FaultName>(['broker-down', 'objects-refusing', 'dns-api-down', 'link-slow', 'primary-dark'])(
  '%s: broken by the lab’s own controls, seen, healed',
  async (name) => {
    const report = await faults.drill(name, 'me');
    expect(report, JSON.stringify(report)).toMatchObject({ outcome: 'passed' });
    expect(report.faults?.filter((f) => !f.met || !f.healed)).toEqual([]);
    expect(await faults.notes.list(AbortSignal.timeout(10_000))).toEqual([]);
  },
);

test('killed with -9 while the broker is down: the daemon heals it', async () => {
  const broker = async () => (await lab.regions[names.primary].status()).find((c) => c.component === 'kafka');
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../support/fault-child.ts', import.meta.url)), lab.configPath, 'broker-down'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...lab.env } },
  );
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(await broker()).toMatchObject({ state: 'stopped' });
  expect(await faults.notes.list(AbortSignal.timeout(10_000))).toMatchObject([{ fault: 'broker-down', by: 'child' }]);
  for (const deadline = performance.now() + 150_000; performance.now() < deadline; await sleep(1_000))
    if ((await faults.notes.list(AbortSignal.timeout(10_000))).length === 0) break;
  expect(await faults.notes.list(AbortSignal.timeout(10_000))).toEqual([]);
  expect(await broker()).toMatchObject({ state: 'running', answers: true });
});
