import type { Roles } from '../../../domain/roles.ts';
import { readRoles, writeRoles } from '../../../state/roles.ts';
import { rolesChanged } from '../../engine/failures.ts';
import { evidence, type StepWords } from '../../failover/failover-step.ts';
import type { FailbackContext, FailbackStep } from '../context.ts';

/** Writes roles of the next epoch: the same primary, and replication active again, towards the old primary. */
export function turnReplication(words: StepWords): FailbackStep {
  return {
    id: 'turn-replication',
    ...words,
    timeoutMs: 30_000,
    pointOfNoReturn: true,
    onFailure: { kind: 'stop', hint: 'is the state reachable? then run `argus failback` again' },
    async observe(context, _facts, io) {
      const roles = await readRoles(context.state, io);
      if (roles?.epoch === context.roles.epoch) return { kind: 'todo' };
      if (roles !== undefined && isTurned(context, roles)) return turned(roles);
      return { kind: 'refused', error: rolesChanged(roles) };
    },
    async act(context, _facts, io) {
      const { roles, clock, by, run, state } = context;
      await context.letMirrorWrite(io.signal);
      io.check();
      await writeRoles(
        state,
        {
          epoch: roles.epoch + 1,
          primary: roles.primary,
          standby: roles.standby,
          replication: 'active',
          atMs: clock.now(),
          by,
          run,
        },
        io,
      );
    },
    async verify(context, _facts, io) {
      const roles = await readRoles(context.state, io);
      if (roles !== undefined && isTurned(context, roles)) return turned(roles);
      return { kind: 'failed', error: rolesChanged(roles) };
    },
  };
}

const isTurned = ({ roles: before }: FailbackContext, roles: Roles) =>
  roles.epoch === before.epoch + 1 && roles.primary === before.primary && roles.replication === 'active';

const turned = (roles: Roles) =>
  ({ kind: 'done', evidence: evidence(roles), facts: { rolesEpoch: roles.epoch } }) as const;
