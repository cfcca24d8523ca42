import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labProcesses } from '../../lab/components/process-table.ts';
import { siblingEntry } from '../../lab/entry.ts';
import { attachLab, type Lab, startLab } from '../../lab/lab.ts';
import { readClaim } from '../../lab/lab-folder.ts';
import { hostPort } from '../../lab/lab-info.ts';
import { statusOf } from '../../lab/lab-status.ts';

const cli = siblingEntry(import.meta.url, '../../lab/cli');
const root = mkdtempSync(join(tmpdir(), 'argus-lab-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function until(what: string, check: () => boolean | Promise<boolean>, forMs = 30_000): Promise<void> {
  for (const deadline = Date.now() + forMs; !(await check()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${forMs} ms`);
  }
}

/** Runs the command; its exit code and what it wrote. */
function lab(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

describe('a lab', () => {
  const dir = join(root, 'whole');
  let up: Lab;
  const health = async (url: string): Promise<string> => {
    try {
      return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(700) })).ok ? 'ok' : 'refused';
    } catch (error) {
      return (error as Error).name === 'TimeoutError' ? 'hangs' : 'fails';
    }
  };

  beforeAll(async () => {
    up = await startLab({ dir });
  });
  afterAll(() => up?.down());

  test('has every component of both regions serving and its job running when it is up', async () => {
    const view = await statusOf(up);
    expect(view.job.state).toBe('RUNNING');
    expect(
      Object.values(view.regions)
        .flat()
        .filter((c) => c.state !== 'running' || !c.answers),
    ).toEqual([]);
    expect(view.outside.map((c) => c.component).sort()).toEqual(['outside/cloudflare', 'outside/toxiproxy']);
    expect(view.residentMiB).toBeLessThan(4096);
  });

  test('completes checkpoints of its job', async () => {
    const { rest } = up.info.regions.mumbai.flink;
    await until('a completed checkpoint', async () => {
      const response = await fetch(`${rest}/jobs/${up.info.flinkJobId}/checkpoints`);
      return ((await response.json()) as { counts: { completed: number } }).counts.completed > 0;
    });
  });

  test('is refused a second time in the same folder, with exit code 3', async () => {
    const second = await lab('up', '--dir', dir);
    expect(second.code).toBe(3);
    expect(second.stderr).toContain(`a lab is up or starting in ${dir}`);
  });

  test('lets connections hang while a link is cut, ends them at its restoration, and takes new ones', async () => {
    const { public: url } = up.info.regions.mumbai.ingest;
    const link = up.link('outside', 'mumbai');
    const open = createConnection(hostPort(url));
    const closed = new Promise<void>((resolve) => open.on('close', () => resolve()));
    let received = 0;
    open
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        received += bytes.length;
      });
    open.write('GET /healthz HTTP/1.1\r\nHost: lab\r\n\r\n');
    await until('an answer', () => received > 0);
    await link.cut();
    await link.cut();
    const before = received;
    open.write('GET /healthz HTTP/1.1\r\nHost: lab\r\n\r\n');
    expect(await health(url)).toBe('hangs');
    expect(open.destroyed).toBe(false);
    await link.restore();
    await closed;
    expect(received).toBe(before);
    expect(await health(url)).toBe('ok');
    expect(await health(up.info.regions.singapore.ingest.public)).toBe('ok');
  });

  test('slows a link down by the delay in each direction', async () => {
    const link = up.link('outside', 'singapore');
    await link.delay(100);
    const startedAt = performance.now();
    await health(up.info.regions.singapore.ingest.public);
    expect(performance.now() - startedAt).toBeGreaterThan(195);
    await link.delay(0);
    expect((await link.state()).delayMs).toBe(0);
  });

  test('freezes a region where it is, and thaws it', async () => {
    const { mumbai } = up.regions;
    await mumbai.freeze();
    expect((await mumbai.status()).map((c) => c.state)).toEqual(Array(5).fill('frozen'));
    expect(await health(mumbai.info.ingest.direct)).toBe('hangs');
    await expect(mumbai.start()).rejects.toMatchObject({ code: 'ComponentFrozen', exitCode: 3 });
    await mumbai.thaw();
    await until('an answer', async () => (await health(mumbai.info.ingest.direct)) === 'ok');
  });

  test('controls a region from another process: kill all, start the broker alone', async () => {
    const killed = await lab('region', 'mumbai', 'kill', '--dir', dir, '--json');
    expect(killed.code).toBe(0);
    expect(await health(up.info.regions.mumbai.ingest.direct)).toBe('fails');
    await attachLab(dir).regions.mumbai.start('kafka');
    const states = (await up.regions.mumbai.status()).map((c) => `${c.component} ${c.state}`);
    expect(states).toContain('kafka running');
    expect(states).toContain('objects stopped');
  });

  test('is gone, with all of its files, when it was taken down', async () => {
    await up.down();
    expect(labProcesses(up.info.id)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
    expect((await lab('status', '--dir', dir)).code).toBe(3);
  });
});

describe('a start that is interrupted leaves nothing', () => {
  async function starting(name: string): Promise<{ child: ChildProcess; dir: string; id: string }> {
    const dir = join(root, name);
    const child = spawn(process.execPath, [cli, 'up', '--dir', dir], { stdio: 'ignore' });
    await until('the first components', () => labProcesses(readClaim(dir)?.id ?? '-').length >= 4);
    return { child, dir, id: readClaim(dir)?.id ?? '' };
  }

  test.each(['SIGINT', 'SIGKILL'] as const)('%s', async (signal) => {
    const { child, dir, id } = await starting(signal);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    child.kill(signal);
    expect(await ended).toBe(signal === 'SIGINT' ? 130 : null);
    await until('the end of all processes', () => labProcesses(id).length === 0, 10_000);
    await until('the end of the folder', () => !existsSync(dir), 10_000);
  });
});
