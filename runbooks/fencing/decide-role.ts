import type { Roles } from '../../domain/roles.ts';
import type { RoleGrant } from '../../state/role-grant.ts';
import type { RunRecord } from '../../state/run-record.ts';

/** What the state says, all of it read at one look. */
export interface RoleView {
  readonly region: string;
  /** In force; read last, so that nothing else here is newer. Undefined: none were ever written. */
  readonly roles: Pick<Roles, 'epoch' | 'primary' | 'standby'> | undefined;
  /** The newest grant. */
  readonly grant?: Pick<RoleGrant, 'epoch' | 'region' | 'run'>;
  /** The highest roles epoch for which a failover claims the region from its guard. */
  readonly claimedEpoch?: number;
  /** Failovers and switchovers that are to change the roles in force and are not done, oldest first. */
  readonly open: readonly Pick<RunRecord, 'run' | 'runbook' | 'status' | 'pastReturn' | 'takingBack'>[];
}

/** Whether a region's ingress and jobs may start. */
export type RoleVerdict =
  | {
      readonly kind: 'granted';
      /** Of the roles in which it is primary. */
      readonly epoch: number;
      /** `grant`: a run gives it the role, and writes the roles next. */
      readonly by: 'roles' | 'grant';
      readonly why: string;
    }
  | {
      readonly kind: 'withheld';
      readonly code: 'RolesUnknown' | 'NotPrimary' | 'RoleLeaves' | 'RoleClaimed';
      readonly why: string;
      readonly hint: string;
    };

/**
 * Whether a region holds the role of primary. Pure. The roles in force say so, or a run behind its point of no return
 * that changes just these; and nobody is about to take it away: no run that is open, unless it is on its way back, and
 * no claim. A grant for other roles than the next is void: the region has had that role, and lost it.
 */
export function decideRole(view: RoleView): RoleVerdict {
  const { region, roles, grant, claimedEpoch, open } = view;
  if (roles === undefined) {
    return withheld('RolesUnknown', 'the state holds no roles', '`argus daemon` writes those of the first start');
  }
  const { epoch, primary, standby } = roles;
  const next = grant?.epoch === epoch + 1 ? grant : undefined;
  const given = next !== undefined && next.region === region && standby === region;
  if (primary !== region && !given) {
    return withheld(
      'NotPrimary',
      `${primary} is primary (roles epoch ${epoch})`,
      `\`argus switchover\` or \`argus failover\` makes ${region} the primary`,
    );
  }
  const own = given ? epoch + 1 : epoch;
  if (claimedEpoch !== undefined && claimedEpoch >= own) {
    const what = `a failover claims ${region} (roles epoch ${claimedEpoch})`;
    return withheld('RoleClaimed', what, 'see `argus runs list`: go on with it, or abort it');
  }
  if (given) {
    return { kind: 'granted', epoch: own, by: 'grant', why: `${next.run} makes ${region} the primary` };
  }
  if (next !== undefined) {
    return withheld('RoleLeaves', `${next.run} makes ${next.region} the primary`, 'let it end, or go on with it');
  }
  const leaving = runThatLeaves(open);
  if (leaving !== undefined) {
    const { run, runbook } = leaving;
    return withheld(
      'RoleLeaves',
      `${run} takes the role from ${region}`,
      `let it end; when it is dead, go on with it (\`argus ${runbook}\`) or take it back (\`argus runs abort ${run}\`)`,
    );
  }
  return { kind: 'granted', epoch, by: 'roles', why: `${region} is primary (roles epoch ${epoch})` };
}

/**
 * The run by which the role is about to go: one behind its point of no return, or under way. Not one that is on its way
 * back, nor those that it takes back with itself: the jobs that are started again here wait for this very answer.
 */
function runThatLeaves(open: RoleView['open']) {
  for (const runs of Map.groupBy(open, (r) => r.runbook).values()) {
    const back = runs.findLastIndex((r) => r.takingBack === true);
    const leaves = runs.findLast((r, i) => r.pastReturn === true || (r.status === 'running' && i > back));
    if (leaves !== undefined) return leaves;
  }
  return undefined;
}

const withheld = (
  code: Extract<RoleVerdict, { kind: 'withheld' }>['code'],
  why: string,
  hint: string,
): RoleVerdict => ({
  kind: 'withheld',
  code,
  why,
  hint,
});
