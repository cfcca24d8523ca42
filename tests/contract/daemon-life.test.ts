import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realDaemons } from '../support/real-daemons.ts';

const receiver = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`;
const lacking = ['systemd-notify', 'python3'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);

let world: Awaited<ReturnType<typeof realDaemons>>;
beforeAll(async () => {
  world = await realDaemons();
});
afterAll(() => world?.stop());

/** What systemd would be told, message by message. */
async function systemdSocket() {
  const path = join(world.folder, 'notify');
  const child = spawn('python3', ['-c', receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await once(child.stdout, 'data');
  return { path, told: () => text.split('\n').slice(1), close: () => child.kill('SIGKILL') };
}

const title = `a daemon that systemd runs${lacking.length > 0 ? ` (skipped, lacks ${lacking.join(', ')})` : ''}`;
describe.skipIf(lacking.length > 0)(title, () => {
  test('tells that it is ready, alive, reloading and at its end; what SIGHUP can not change stays', async () => {
    const socket = await systemdSocket();
    try {
      const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '1000000' };
      const daemon = await world.start(env);
      const said = () => daemon.lines().map((l) => `${l.level} ${l.msg}`);
      const patience = { timeout: 60_000 };
      await expect.poll(socket.told, patience).toContainEqual(expect.stringContaining('READY=1'));
      await expect.poll(socket.told, patience).toContainEqual(expect.stringContaining('WATCHDOG=1'));
      await expect.poll(daemon.health, patience).toMatchObject({ ok: true, replication: 'run' });
      const replicating = 'STATUS=replicates mumbai to singapore';
      await expect.poll(socket.told, patience).toContainEqual(expect.stringContaining(replicating));

      await world.configure('probes: { concurrency: 16 }');
      daemon.process.kill('SIGHUP');
      await expect.poll(said, patience).toContain('info reloaded: probes');
      const reloading = () => socket.told().findIndex((line) => /RELOADING=1 MONOTONIC_USEC=\d+/.test(line));
      expect(reloading()).toBeGreaterThan(0);
      await expect
        .poll(() => socket.told().slice(reloading()), patience)
        .toContainEqual(expect.stringMatching(/^READY=1/));

      await world.configure('probes: { everyy: 16 }');
      daemon.process.kill('SIGHUP');
      const kept = /^error not reloaded, the old configuration stays in force: .*unknown key "everyy"/;
      await expect.poll(said, patience).toContainEqual(expect.stringMatching(kept));

      await world.configure('probes: { concurrency: 17 }', '[events, others]');
      daemon.process.kill('SIGHUP');
      const hard = /^error not reloaded: topics can't change while the daemon runs\. Nothing of the new/;
      await expect.poll(said, patience).toContainEqual(expect.stringMatching(hard));
      expect(await daemon.health()).toMatchObject({ ok: true, replication: 'run' });

      const from = Date.now();
      expect(await daemon.end('SIGTERM')).toBe(0);
      // Behind it systemd (TimeoutStopSec) and Kubernetes (the grace period of deploy/) end it by SIGKILL.
      expect(Date.now() - from).toBeLessThan(30_000);
      expect(socket.told()).toContainEqual(expect.stringContaining('STOPPING=1'));
    } finally {
      socket.close();
      await world.configure();
    }
  });
});
