import { expect, test } from 'vitest';
import type { Composition } from '../../../cli/compose.ts';
import type { CommandContext } from '../../../cli/context.ts';
import { requireSameRoles, rolesNow } from '../../../cli/session.ts';
import { memoryObjectStore } from '../../../regions/objects/memory-object-store.ts';
import { writeRoles } from '../../../state/roles.ts';
import { virtualClock } from '../state/virtual-clock.ts';

test('what was agreed to under other roles is refused', async () => {
  const first = { primary: 'mumbai', standby: 'singapore' };
  const composition = { state: memoryObjectStore('state'), config: { roles: first } } as unknown as Composition;
  const { signal } = new AbortController();
  const context = { clock: virtualClock(), who: 'me', signal } as unknown as CommandContext;
  const roles = await rolesNow(context, composition);
  await requireSameRoles(context, composition, roles);
  await writeRoles(composition.state, roles);
  await requireSameRoles(context, composition, roles);
  const turned = { ...roles, epoch: 2, primary: 'singapore', standby: 'mumbai' };
  await writeRoles(composition.state, turned);
  const refused = { code: 'RolesChanged', exitCode: 3, message: expect.stringContaining('primary singapore') };
  await expect(requireSameRoles(context, composition, roles)).rejects.toMatchObject(refused);
  await requireSameRoles(context, composition, turned);
});
