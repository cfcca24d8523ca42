import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, type ExpectStatic, test } from 'vitest';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { openTerminal, terminalMissing } from '../support/terminal.ts';
import { sampleYaml } from '../unit/cli/sample-config.ts';

const root = join(import.meta.dirname, '../..');
const main = join(root, 'cli/main.ts');
const secrets = {
  MUMBAI_KEY: 'a',
  MUMBAI_SECRET: 'b',
  SINGAPORE_KEY: 'a',
  SINGAPORE_SECRET: 'b',
  CLOUDFLARE_TOKEN: 'c',
};
const run = '20261122T032903Z-failover-fbb8';
/** A failover of the lab, entry by entry. */
const entries = (await readFile(join(root, 'fixtures/journal/failover.jsonl'), 'utf8')).trimEnd().split('\n');

/** A folder with a configuration and a state, and a terminal in it; all is gone when the test has ended. */
async function openWorld(onTestFinished: (clean: () => Promise<void>) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'argus-tui-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'argus.yaml'), sampleYaml);
  const store = fileObjectStore(join(folder, 'state'));
  return {
    folder,
    /** Appends the entries from one to another, counted from 1, as the run's own process would. */
    async append(from: number, to: number): Promise<void> {
      for (let seq = from; seq <= to; seq++)
        await store.put(`journal/${run}/${`${seq}`.padStart(6, '0')}`, Buffer.from(entries[seq - 1] ?? ''), {});
    },
    async open(columns: number, rows: number, command: readonly string[], env: Record<string, string> = {}) {
      const terminal = await openTerminal({ columns, rows }, [process.execPath, ...command], { ...secrets, ...env });
      onTestFinished(terminal.close);
      return terminal;
    },
    argus: (...args: readonly string[]) => [main, '--config', join(folder, 'argus.yaml'), ...args],
  };
}

/** Every line as wide as the terminal at most, and as many as it has. */
function fits(expect: ExpectStatic, screen: string, columns: number, rows: number): void {
  const lines = screen.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(rows);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
}

describe.skipIf(terminalMissing())(
  `at a terminal${terminalMissing() === undefined ? '' : ` (${terminalMissing()})`}`,
  () => {
    test.concurrent('a run of somebody else is followed to its end, on 80×24 and 200×50, and its report stays', async ({
      expect,
      onTestFinished,
    }) => {
      const w = await openWorld(onTestFinished);
      await w.append(1, 13);
      const t = await w.open(80, 24, w.argus('watch', '--run', run));
      await t.until(/steps 8 of 14/);
      await w.append(14, 14);
      const small = await t.until(/▸ Start counts on singapore/);
      fits(expect, small, 80, 24);
      expect(small).toMatch(/^ failover mumbai → singapore +20261122T032903Z-failover-fbb8/);
      expect(small).toMatch(/RTO .* of 15 min/);
      expect(small).toMatch(/── from here on there is no way back ─+\n {2}▸ Start counts/);
      expect(small).toMatch(/release-acls: ALLOW User:ingest WRITE on topic events/);
      expect(small).toMatch(/past the point of no return/);
      expect(await t.screen(true)).toContain('\u001b[32m');

      await t.resize(200, 50);
      const large = await t.until(/freeze-mirror: by mirror; not drained; end offsets events-0 at 407/);
      fits(expect, large, 200, 50);
      expect(large).toMatch(/─ steps 8 of 14 ─.*─ evidence ─/);

      // Nobody is at work on it: the lease says so.
      await t.until(/nobody is at work on this run any more/);
      await w.append(15, 25);
      await t.until(/exit 0/);
      const after = await t.scrollback();
      expect(after).toMatch(/failover 20261122T032903Z-failover-fbb8: done, mumbai → singapore\nRTO 8\.9 s/);
      expect(after, 'the screen is as before').not.toMatch(/─ evidence ─/);
    });

    test.concurrent('how things stand, with both regions dark, without colours, until q', async ({
      expect,
      onTestFinished,
    }) => {
      const w = await openWorld(onTestFinished);
      await w.append(1, 25);
      const t = await w.open(80, 24, w.argus('watch', '--every', '200ms'), { NO_COLOR: '1' });
      const seen = await t.until(/blocker /);
      fits(expect, seen, 80, 24);
      expect(seen).toMatch(/mumbai \(primary\) +[✗?] kafka/);
      expect(seen).toMatch(/singapore \(standby\) +[✗?] kafka/);
      expect(seen).toMatch(/20261122T032903Z-failover-fbb8 {2}done/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there.
      expect(await t.screen(true)).not.toMatch(/\u001b\[[0-9;]*3[0-9]m/);
      await t.press('q');
      expect(await t.until(/exit 0/)).not.toMatch(/regions/);
    });

    test.concurrent('a terminal without room is told lines', async ({ expect, onTestFinished }) => {
      const w = await openWorld(onTestFinished);
      await w.append(1, 25);
      const t = await w.open(79, 24, w.argus('watch', '--run', run));
      await t.until(/exit 0/);
      const told = await t.scrollback();
      expect(told).toMatch(/✓ Start counts on singapore \(done, 1\.8 s\)/);
      expect(told).toMatch(/the run ended: done/);
    });

    test.concurrent('a terminal that takes nothing more holds nothing up', async ({ expect, onTestFinished }) => {
      const w = await openWorld(onTestFinished);
      const notes = join(w.folder, 'notes');
      const child = fileURLToPath(new URL('../support/drawing-child.ts', import.meta.url));
      const terminal = await w.open(200, 50, [child, notes]);
      await terminal.until(/\d{100}/);
      process.kill(terminal.serverPid, 'SIGSTOP');
      try {
        await sleep(5_000);
      } finally {
        process.kill(terminal.serverPid, 'SIGCONT');
      }
      const beats = (await readFile(notes, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((l) => l.split(' ').map(Number));
      const late = beats.slice(1).map(([at = 0], i) => at - (beats[i]?.[0] ?? 0));
      expect(beats.length).toBeGreaterThan(20);
      expect(Math.max(...late)).toBeLessThan(4_000);
      // It stopped making frames, rather than to keep them all.
      const [first, last] = [beats.at(-20)?.[1] ?? 0, beats.at(-1)?.[1] ?? 0];
      expect(last - first).toBeLessThan(10);
    });
  },
);
