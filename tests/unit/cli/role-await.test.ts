import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../../cli/commands/role-await.ts';
import { run as show } from '../../../cli/commands/role-show.ts';
import { loadConfig } from '../../../cli/config/load.ts';
import type { CommandContext } from '../../../cli/context.ts';
import { fileObjectStore } from '../../../regions/objects/file-object-store.ts';
import { writeRoles } from '../../../state/roles.ts';
import { virtualClock } from '../state/virtual-clock.ts';
import { sampleYaml } from './sample-config.ts';

let folder: string;
const roles = { epoch: 1, primary: 'mumbai', standby: 'singapore', replication: 'active', atMs: 1, by: 'me' } as const;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-role-'));
  await writeFile(join(folder, 'argus.yaml'), sampleYaml);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A command's surroundings; no secret but the state's own is there, and that one needs none. */
function contextOf(onSleep: (n: number) => Promise<unknown> = async () => undefined) {
  const printed: string[] = [];
  const told: string[] = [];
  const clock = virtualClock();
  let slept = 0;
  const context = {
    env: {},
    json: true,
    signal: new AbortController().signal,
    clock: {
      ...clock,
      async sleep(ms: number, signal?: AbortSignal) {
        await onSleep(++slept);
        return clock.sleep(ms, signal);
      },
    },
    print: (text: string) => printed.push(text),
    tell: (text: string) => told.push(text),
    loadConfig: () => loadConfig(join(folder, 'argus.yaml')),
  } as unknown as CommandContext;
  return { context, printed, told };
}

const state = () => fileObjectStore(join(folder, 'state'));

test('waits until the state gives the region the role, and tells why it waits', async () => {
  const { context, printed, told } = contextOf(async (n) => {
    if (n === 3) await writeRoles(await state(), roles);
    if (n === 6) {
      await writeRoles(await state(), { ...roles, epoch: 2, primary: 'singapore', standby: 'mumbai' });
    }
  });
  expect(await run(context, { region: 'singapore', timeout: 0 })).toBe(0);
  expect(printed.map((text) => JSON.parse(text))).toEqual([
    { region: 'singapore', epoch: 2, by: 'roles', why: 'singapore is primary (roles epoch 2)' },
  ]);
  expect(told).toEqual([
    'singapore waits: the state holds no roles',
    'singapore waits: mumbai is primary (roles epoch 1)',
  ]);
});

test('--once and a time-out end with the reason, exit code 3', async () => {
  await writeRoles(await state(), roles);
  const refused = { code: 'NotPrimary', exitCode: 3, message: expect.stringContaining('mumbai is primary') };
  await expect(run(contextOf().context, { region: 'singapore', timeout: 0, once: true })).rejects.toMatchObject(
    refused,
  );
  await expect(run(contextOf().context, { region: 'singapore', timeout: 5_000 })).rejects.toMatchObject(refused);
  expect(await run(contextOf().context, { region: 'mumbai', timeout: 0, once: true })).toBe(0);
});

test('a state that can not be read, or is damaged, is no yes', async () => {
  await writeRoles(await state(), roles);
  await writeFile(join(folder, 'state/roles/0000000001'), '{');
  const asked = run(contextOf().context, { region: 'mumbai', timeout: 0, once: true });
  await expect(asked).rejects.toMatchObject({ code: 'RoleUnknown', exitCode: 3 });
});

test('a region that is in no configuration is exit code 2', async () => {
  const asked = run(contextOf().context, { region: 'tokyo', timeout: 0 });
  await expect(asked).rejects.toMatchObject({ code: 'RegionUnknown', exitCode: 2 });
});

test('role show tells it of each region', async () => {
  const { context, printed } = contextOf();
  await writeRoles(await state(), roles);
  expect(await show(context)).toBe(0);
  expect(JSON.parse(printed[0]!)).toMatchObject({
    roles: { epoch: 1 },
    regions: [
      { region: 'mumbai', kind: 'granted', epoch: 1 },
      { region: 'singapore', kind: 'withheld', code: 'NotPrimary' },
    ],
  });
});
