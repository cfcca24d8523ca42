import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../../cli/commands/drill-clean.ts';
import type { CommandContext } from '../../../cli/context.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../../regions/objects/file-object-store.ts';
import { drillState } from '../../../state/drills.ts';
import { listFaultNotes, putFaultNote } from '../../../state/fault-notes.ts';

const note = { run: '20261122T000000Z-drill-0001', atMs: 1, by: 'me', heal: 'heal it' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-test-clean-'));
  for (const fault of ['broker-down', 'link-slow'] as const) await putFaultNote(drills(), { ...note, fault });
});
afterEach(() => rm(folder, { recursive: true }));

const drills = () => drillState(fileObjectStore(folder));
const noted = async () => (await listFaultNotes(drills())).map(({ fault }) => fault).sort();

/** A person at a terminal who answers so, or nobody. */
function context(answers?: readonly string[]) {
  const given = [...(answers ?? [])];
  const printed: string[] = [];
  const made = {
    ...{ env: {}, json: false, interactive: answers !== undefined, who: 'asha@host', clock: wallClock },
    signal: new AbortController().signal,
    print: (text: string) => void printed.push(text),
    tell: () => undefined,
    ask: async () => given.shift(),
    loadConfig: async () => ({ config: { state: `file:${folder}`, roles: { primary: 'a', standby: 'b' } }, folder }),
  } as unknown as CommandContext;
  return { context: made, printed };
}

test('--healed forgets what a person names, and only when he says so', async () => {
  const healed = ['broker-down'];
  const never = { code: 'NotConfirmed' };
  await expect(run(context().context, { healed })).rejects.toMatchObject({ ...never, exitCode: 4 });
  await expect(run(context(['yes']).context, { healed })).rejects.toMatchObject({ ...never, exitCode: 3 });
  expect(await noted()).toEqual(['broker-down', 'link-slow']);
  const { context: asha, printed } = context(['broker-down', 'restarted by hand']);
  expect(await run(asha, { healed })).toBe(0);
  expect(printed).toEqual([expect.stringMatching(/^broker-down counts as healed, on your word: .*-drill-/)]);
  expect(await noted()).toEqual(['link-slow']);
  expect(await run(context().context, { healed: ['link-slow', 'link-slow'], yes: true })).toBe(0);
  expect(await noted()).toEqual([]);
});

test('--healed of what is not noted is bad input, and forgets nothing', async () => {
  const healed = ['link-slow', 'dns-api-down'];
  const refused = { code: 'FaultNotNoted', exitCode: 2, message: expect.stringContaining('dns-api-down') };
  await expect(run(context().context, { healed, yes: true })).rejects.toMatchObject(refused);
  expect(await noted()).toEqual(['broker-down', 'link-slow']);
});

test.each([{ yes: true }, { reason: 'mended' }, { healed: ['link-slow'], dryRun: true }])(
  '%j is refused',
  async (o) => {
    await expect(run(context().context, o)).rejects.toMatchObject({ code: 'Usage', exitCode: 2 });
  },
);
