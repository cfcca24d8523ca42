import type { Roles } from '../../domain/roles.ts';
import type { Direction } from '../../runbooks/failover/direction.ts';

/** Where a drill by switchover began. */
export interface Begun {
  readonly rolesEpoch: number;
  readonly from: string;
  readonly to: string;
}

/**
 * How far it is: `before` anything; `going` there, and not done with it; `there`; `returning`, and not done with it; at
 * `home` again; `elsewhere`: somebody else has changed the roles.
 */
export type Position = 'before' | 'going' | 'there' | 'returning' | 'home' | 'elsewhere';

/** Where a drill stands, from the roles alone: whoever made the changes, and however often he was killed. Pure. */
export function positionOf(
  { rolesEpoch, from, to }: Begun,
  { roles, resumes }: Pick<Direction, 'roles' | 'resumes'>,
): Position {
  const moves = roles.epoch - rolesEpoch;
  if (moves === 0 && roles.primary === from) return resumes === undefined ? 'before' : 'going';
  if (!bySwitchover(roles)) return 'elsewhere';
  if (moves === 1 && roles.primary === to) return resumes === undefined ? 'there' : 'returning';
  if (moves === 2 && roles.primary === from) return 'home';
  return 'elsewhere';
}

/** At home again so long after it was heard of, it was somebody else who moved things back. */
const reportWithinMs = 3_600_000;

/**
 * Whether a drill that was cut off has something left to do. At home that is its report alone, which only a person asks
 * for, and soon: later whoever wants a drill wants a new one. `heardMs`: how long ago it was heard of last. Pure.
 */
export function hasLeft(
  position: Position,
  { ended }: { readonly ended: boolean },
  { byPerson, heardMs }: { readonly byPerson: boolean; readonly heardMs: number },
): boolean {
  if (position === 'going' || position === 'there' || position === 'returning') return true;
  return position === 'home' && !ended && byPerson && heardMs < reportWithinMs;
}

const bySwitchover = ({ run, replication }: Roles) =>
  replication === 'active' && run?.includes('-switchover-') === true;

/** In words, with what a person types next. Pure. */
export function standsAt({ from, to }: Begun, position: Position): string {
  const again = '`argus drill run --switchover` goes on';
  switch (position) {
    case 'before':
      return `${from} is the primary, as before`;
    case 'going':
      return `the switchover from ${from} to ${to} is half way: ${again}, and so does \`argus switchover\``;
    case 'there':
      return `${to} is the primary, and ${from} follows: ${again} with the way back, \`argus switchover\` makes just that`;
    case 'returning':
      return `the switchover back from ${to} to ${from} is half way: ${again}, and so does \`argus switchover\``;
    case 'home':
      return `${from} is the primary again`;
    case 'elsewhere':
      return 'somebody else has changed the roles: `argus status`';
    default:
      return position satisfies never;
  }
}
