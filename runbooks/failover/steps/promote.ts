import { ArgusError } from '../../../domain/errors.ts';
import { offsetToJson } from '../../../domain/offsets.ts';
import type { Roles } from '../../../domain/roles.ts';
import { readRoles, writeRoles } from '../../../state/roles.ts';
import { rolesChanged } from '../../engine/failures.ts';
import type { FailoverContext } from '../context.ts';
import { evidence, type FailoverStep, type StepWords } from '../failover-step.ts';

/**
 * Writes the new roles: the standby is primary. `suspended`: nothing is mirrored until a failback. `active`: the old
 * primary is mirrored to from now on; only where both sides' logs are known to be the same.
 */
export function promote(words: StepWords, replication: Roles['replication'] = 'suspended'): FailoverStep {
  return {
    id: 'promote',
    ...words,
    timeoutMs: 30_000,
    pointOfNoReturn: true,
    onFailure: { kind: 'stop', hint: 'is the state reachable? then run `argus failover` again' },
    async observe(context, _facts, io) {
      const roles = await readRoles(context.state, io);
      if (roles?.epoch === context.roles.epoch) return { kind: 'todo' };
      if (roles !== undefined && isPromotion(context, roles)) return promoted(roles);
      return { kind: 'refused', error: rolesChanged(roles) };
    },
    async act(context, facts, io) {
      if (facts.promotedAt === undefined) throw new ArgusError('NotFrozen', 'it is not known where mirrored data ends');
      const { roles, standby, primary, clock, by, run, state } = context;
      const next: Roles = {
        epoch: roles.epoch + 1,
        primary: standby.name,
        standby: primary.name,
        replication,
        atMs: clock.now(),
        by,
        run,
        promotedAt: facts.promotedAt.map(offsetToJson),
      };
      await writeRoles(state, next, io);
    },
    async verify(context, _facts, io) {
      const roles = await readRoles(context.state, io);
      if (roles !== undefined && isPromotion(context, roles)) return promoted(roles);
      return { kind: 'failed', error: rolesChanged(roles) };
    },
  };
}

const isPromotion = (context: FailoverContext, roles: Roles) =>
  roles.epoch === context.roles.epoch + 1 && roles.primary === context.standby.name;

const promoted = (roles: Roles) =>
  ({ kind: 'done', evidence: evidence(roles), facts: { rolesEpoch: roles.epoch } }) as const;
