import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseConfig } from '../../../cli/config/parse.ts';
import type { CommandContext } from '../../../cli/context.ts';
import { automaticActions } from '../../../cli/daemon/automatic.ts';
import { inForce } from '../../../cli/daemon/in-force.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../../regions/objects/file-object-store.ts';
import { listAttempts } from '../../../state/attempts.ts';
import { writeRoles } from '../../../state/roles.ts';
import { quietLog } from '../daemon/quiet-log.ts';
import { sampleYaml } from './sample-config.ts';

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'argus-automatic-'));
afterAll(() => rmSync(folder, { recursive: true }));
const loaded = { file: 'argus.yaml', folder, config: parseConfig(sampleYaml, 'argus.yaml') };
const secrets = ['MUMBAI_KEY', 'MUMBAI_SECRET', 'SINGAPORE_KEY', 'SINGAPORE_SECRET', 'CLOUDFLARE_TOKEN'];
const context = {
  env: Object.fromEntries(secrets.map((name) => [name, 'x'])),
  clock: wallClock,
  signal,
  async loadConfig() {
    throw new Error('the file is half written');
  },
} as unknown as CommandContext;
const order = { from: 'mumbai', to: 'singapore', reason: 'it is dead', acceptUnfenced: true };

test('a run of the daemon goes by the configuration in force, and only in the direction that was decided', async () => {
  const state = fileObjectStore(join(folder, 'state'));
  const roles = { replication: 'active', atMs: 1, by: 'asha' } as const;
  await writeRoles(state, { ...roles, epoch: 2, primary: 'singapore', standby: 'mumbai' });
  const actions = automaticActions(inForce(context, loaded).context, quietLog(), 'argus automatic on test');
  const message = 'a failover from mumbai to singapore was decided; what is due now is one from singapore to mumbai';
  expect(await actions.failover(order, signal)).toEqual({ kind: 'refused', code: 'RolesChanged', message });
  expect(await actions.propose(order, signal)).toEqual([{ code: 'RolesChanged', message }]);
  expect(await listAttempts(state, 5, { signal })).toMatchObject([{ what: 'failover', code: 'RolesChanged' }]);
});

test('what a reload takes over is in force for the next run', async () => {
  const standing = inForce(context, loaded);
  const next = { ...loaded, config: { ...loaded.config, contacts: [] } };
  standing.takeOver(next);
  expect(await standing.context.loadConfig()).toBe(next);
  expect(standing.now()).toBe(next);
});
