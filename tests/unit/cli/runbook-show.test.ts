import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../cli/commands/runbook-show.ts';
import { parseConfig } from '../../../cli/config/parse.ts';
import type { CommandContext } from '../../../cli/context.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import type { RunbookDocument } from '../../../runbooks/document/document.ts';
import { sampleYaml } from './sample-config.ts';

/** The sample, with ports at which nobody listens. */
const nowhere = sampleYaml
  .replaceAll(/127\.0\.[12]\.1:(19092|9000|8081)/g, '127.0.0.1:1')
  .replace('127.0.0.1:5353', '127.0.0.1:1')
  .replace('token: env:CLOUDFLARE_TOKEN', 'token: env:CLOUDFLARE_TOKEN\n    apiUrl: http://127.0.0.1:1');
const names = ['MUMBAI_KEY', 'MUMBAI_SECRET', 'SINGAPORE_KEY', 'SINGAPORE_SECRET', 'CLOUDFLARE_TOKEN'];
const secrets = Object.fromEntries(names.map((name) => [name, 'very-secret']));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'argus-runbook-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function show(runbook: string, env: Readonly<Record<string, string>>, markdown = false) {
  let printed = '';
  const context: CommandContext = {
    env,
    json: !markdown,
    verbose: false,
    signal: new AbortController().signal,
    clock: wallClock,
    terminal: false,
    interactive: false,
    who: 'me@here (pid 1)',
    print: (text) => {
      printed += text;
    },
    tell: () => undefined,
    ask: async () => undefined,
    loadConfig: async () => ({ file: 'argus.yaml', folder, config: parseConfig(nowhere, 'argus.yaml') }),
    openLog: () => Promise.reject(new Error('not asked for')),
  };
  const exitCode = await run(context, { runbook, markdown });
  return { exitCode, printed };
}

describe('argus runbook show, while nothing answers', () => {
  test.each(['failover', 'switchover', 'failback'])(
    'tells the steps of a %s, and what is unknown',
    { timeout: 60_000 },
    async (runbook) => {
      const { exitCode, printed } = await show(runbook, secrets);
      const document = JSON.parse(printed) as RunbookDocument;
      expect(exitCode).toBe(0);
      expect(document).toMatchObject({ runbook, objectives: { rtoMs: 900_000, rpoMs: 60_000 } });
      expect(document.steps.length).toBeGreaterThan(4);
      expect(document.unknown.length).toBeGreaterThan(0);
      expect(document.refusals.some((r) => r.now !== undefined)).toBe(true);
      expect(printed).not.toContain('very-secret');
    },
  );

  test('works without a secret as well, and so without the state', async () => {
    for (const runbook of ['switchover', 'failback']) expect((await show(runbook, {})).exitCode).toBe(0);
    const { exitCode, printed } = await show('failover', {}, true);
    expect(exitCode).toBe(0);
    expect(printed).toContain('- **Unknown:** the secret env:MUMBAI_KEY has no value');
    expect(printed).toContain('Start counts on singapore');
  });

  test('knows three runbooks: another name is exit code 2', async () => {
    await expect(show('fail-over', secrets)).rejects.toMatchObject({ code: 'RunbookMissing', exitCode: 2 });
  });
});
