import { describe, expect, test } from 'vitest';
import { run as failover } from '../../../cli/commands/failover.ts';
import { run as check } from '../../../cli/commands/mirror-check.ts';
import { run as offsets } from '../../../cli/commands/mirror-offsets.ts';
import { run as render } from '../../../cli/commands/mirror-render.ts';
import { run as mirrorRun } from '../../../cli/commands/mirror-run.ts';
import { run as verify } from '../../../cli/commands/mirror-verify.ts';
import { parseConfig } from '../../../cli/config/parse.ts';
import type { CommandContext } from '../../../cli/context.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { quietLog } from '../daemon/quiet-log.ts';
import { mirrorMakerYaml } from '../replication/mirrormaker/mirrormaker-sample.ts';
import { sampleYaml } from './sample-config.ts';

/** Of a command whose configuration is this text; secrets have a value, the state is a folder that isn't there. */
function contextOf(yaml: string, printed: string[] = []): CommandContext {
  const names = ['MUMBAI_KEY', 'MUMBAI_SECRET', 'SINGAPORE_KEY', 'SINGAPORE_SECRET', 'CLOUDFLARE_TOKEN', 'SECRET'];
  return {
    env: Object.fromEntries(names.map((name) => [name, 'hidden'])),
    json: false,
    verbose: false,
    signal: AbortSignal.timeout(20_000),
    clock: wallClock,
    terminal: false,
    interactive: false,
    who: 'test@host',
    print: (text) => printed.push(text),
    tell: () => undefined,
    ask: async () => undefined,
    loadConfig: async () => ({ file: 'argus.yaml', folder: '/nonexistent', config: parseConfig(yaml, 'argus.yaml') }),
    openLog: async () => quietLog(),
  };
}

describe('with mirror.engine: mirrormaker2', () => {
  const commands: [string, (context: CommandContext) => Promise<number>][] = [
    ['failover', (context) => failover(context, { dryRun: true })],
    ['mirror run', (context) => mirrorRun(context, {})],
    ['mirror check', (context) => check(context)],
    ['mirror verify', (context) => verify(context, {})],
  ];
  test.each(commands)('argus %s is refused by name, with exit code 3', async (command, run) => {
    await expect(run(contextOf(mirrorMakerYaml()))).rejects.toMatchObject({
      code: 'EngineIsMirrorMaker',
      exitCode: 3,
      message: `argus ${command} is not offered with mirror.engine: mirrormaker2`,
      hint: expect.any(String),
    });
  });

  test('argus mirror render prints the connectors and no secret', async () => {
    const printed: string[] = [];
    await render(contextOf(mirrorMakerYaml(), printed), {});
    expect(Object.keys(JSON.parse(printed.join('')))).toHaveLength(3);
    await render(contextOf(mirrorMakerYaml(), printed), { dedicated: true });
    expect(printed.at(-1)).toContain('clusters = mumbai, singapore');
    expect(printed.join('')).not.toContain('hidden');
  });
});

test("MirrorMaker's commands are refused where Argus mirrors itself", async () => {
  for (const run of [
    (context: CommandContext) => render(context, {}),
    (context: CommandContext) => offsets(context, { topic: 'events', partition: 0, offset: 1n }),
  ])
    await expect(run(contextOf(sampleYaml))).rejects.toMatchObject({ code: 'EngineIsArgus', exitCode: 2 });
});
