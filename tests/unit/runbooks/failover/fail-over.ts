import type { ObjectStore } from '../../../../regions/objects/object-store.ts';
import type { FailoverContext } from '../../../../runbooks/failover/context.ts';
import { prepareFailover, runFailover } from '../../../../runbooks/failover/run-failover.ts';
import { confirmFreeze, freezeInForce } from '../../../../state/freeze.ts';
import { writeRoles } from '../../../../state/roles.ts';
import { at, newWorld, roles, type World } from './world.ts';

/** Plans a failover and carries it out. */
export async function failOver(
  world: World,
  context: Omit<FailoverContext, 'epoch'> = world.context,
  signal?: AbortSignal,
) {
  const outage = { atMs: world.clock.now() - 5_000, source: 'first-failed-probe' as const };
  const plan = await prepareFailover(context, outage);
  return runFailover({ context, outage, plan, holder: context.run, ...(signal ? { signal } : {}) });
}

/** A mirror that confirms whatever freeze it is asked for, at the standby's ends. */
export function confirming(world: World, drained = true): Omit<FailoverContext, 'epoch'> {
  const { kafka } = world.context.standby;
  const state: ObjectStore = {
    ...world.store,
    list: async (prefix, options) => world.store.list(prefix, options),
    put: async (key, body, options) => {
      const result = await world.store.put(key, body, options);
      if (key.startsWith('freeze/') && result.kind === 'written') {
        const request = (await freezeInForce(world.store, 1))!;
        const ranges = await kafka.logRanges(at(0n, 0n));
        const endOffsets = ranges.map((r) => ({ topic: r.topic, partition: r.partition, offset: r.logEndOffset }));
        await confirmFreeze(world.store, { epoch: request.epoch, atMs: 1, drained, by: 'mirror', endOffsets });
      }
      return result;
    },
  };
  return { ...world.context, state };
}

export async function started(options: Parameters<typeof newWorld>[0] = {}): Promise<World> {
  const world = newWorld(options);
  await writeRoles(world.store, roles);
  return world;
}
