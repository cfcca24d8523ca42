import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { playScenario, type ScenarioRun } from '../../lab/demo/scenario.ts';
import type { Lab } from '../../lab/lab.ts';
import { openTerminal, type Terminal, terminalMissing } from '../support/terminal.ts';
import { startTestLab } from '../support/whole-lab.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

let lab: Lab;
let scenario: ScenarioRun;
const terminals: Terminal[] = [];

beforeAll(async () => {
  lab = await startTestLab();
  scenario = playScenario(lab, {
    scenario: 'kill',
    rate: 400,
    warmupMs: 10_000,
    afterMs: 0,
    distanceMs: 30,
    say: () => undefined,
  });
});

afterAll(async () => {
  for (const terminal of terminals) await terminal.close();
  await scenario?.stop();
  await lab?.down();
});

async function argus(columns: number, rows: number, ...args: readonly string[]): Promise<Terminal> {
  const command = [process.execPath, main, '--config', lab.configPath, ...args];
  const terminal = await openTerminal({ columns, rows }, command, { ...lab.processEnv('argus') });
  terminals.push(terminal);
  return terminal;
}

/** Where captures are kept, to be looked at or made into pictures; nowhere when it isn't set. */
const captures = process.env.ARGUS_CAPTURES;
let taken = 0;
async function capture(terminal: Terminal, name: string): Promise<string> {
  if (captures !== undefined) {
    await mkdir(captures, { recursive: true });
    const file = `${`${taken++}`.padStart(3, '0')}-${name}.ansi`;
    await writeFile(join(captures, file), await terminal.screen(true));
  }
  return terminal.screen();
}

test.skipIf(terminalMissing())('a failover is carried out and followed at terminals of both sizes', async () => {
  await scenario.warmUp();
  const watch = await argus(80, 24, 'watch');
  await watch.until(/✓ kafka.*✓ objects.*✓ flink/, 60);
  await watch.until(/● (green|yellow)/, 90);
  await sleep(10_000);
  await capture(watch, 'watch-80');
  await watch.resize(200, 50);
  await watch.until(/─ regions ─+ {2}─ mirror/);
  await sleep(3_000);
  expect(await capture(watch, 'watch-200')).toMatch(/counts +checkpoint \d+/);
  await watch.resize(110, 32);
  await sleep(3_000);
  await capture(watch, 'watch-110');
  await watch.resize(80, 24);

  await lab.regions.mumbai.kill();
  const dark = await watch.until(/mumbai \(primary\) +[✗?] kafka/, 60);
  expect(dark).toMatch(/singapore \(standby\)/);
  await capture(watch, 'dark-80');

  const failover = await argus(200, 50, 'failover', '--accept-unfenced');
  await failover.until(/type the standby's name to go on \(singapore\): ?$/m, 60);
  await capture(failover, 'asks-200');
  await failover.press('singapore', 'Enter');
  await failover.until(/why\? \(kept in the journal\)/, 60);
  await failover.press('mumbai is gone', 'Enter');
  await failover.until(/steps \d+ of \d+/, 60);
  const frames: string[] = [];
  let followed = false;
  for (let ended = false; !ended; ) {
    // Larger and smaller while it goes on.
    if (frames.length === 3) await failover.resize(110, 32);
    if (frames.length === 12) await failover.resize(200, 50);
    frames.push(await capture(failover, 'failover'));
    const beside = await watch.screen();
    if (!followed && /r follows the run/.test(beside)) {
      await watch.press('r');
      followed = true;
    }
    if (followed) await capture(watch, 'follow-80');
    ended = /exit \d/.test(frames.at(-1) ?? '');
    await sleep(300);
  }
  expect(frames.filter((f) => /steps \d+ of \d+/.test(f)).length).toBeGreaterThan(3);
  expect(frames.some((f) => /── from here on there is no way back ─/.test(f) && /▸ /.test(f))).toBe(true);
  expect(frames.some((f) => /past the point of no return/.test(f))).toBe(true);
  expect(frames.some((f) => /freeze-mirror: .*end offsets events-0 at \d+/.test(f))).toBe(true);
  const after = await failover.scrollback();
  expect(after).toMatch(/exit 0/);
  expect(after).toMatch(/✓ Start counts on singapore \(done/);
  expect(after).toMatch(/failover \S+: done, mumbai → singapore\nRTO \d/);
  expect(after, 'the screen is as before').not.toMatch(/─ evidence ─/);
  await capture(failover, 'report-200');

  if (!followed) {
    await watch.until(/20\d{6}T\d{6}Z-failover-\w{4} {2}done/, 60);
    await watch.press('q');
  }
  await watch.until(/exit 0/, 60);
});
