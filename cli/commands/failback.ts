import { ArgusError } from '../../domain/errors.ts';
import type { Roles } from '../../domain/roles.ts';
import { type InSync, watchReturn } from '../../runbooks/failback/in-sync.ts';
import { failbackRefusal } from '../../runbooks/failback/plan.ts';
import {
  type FailbackReport,
  failbackRunbook,
  prepareFailback,
  runFailback,
} from '../../runbooks/failback/run-failback.ts';
import { joinReplication } from '../../runbooks/failover/join-replication.ts';
import { exitCodeOf } from '../../runbooks/failover/report.ts';
import type { Rescued } from '../../state/rescued.ts';
import { agree } from '../agree.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { failbackContext } from '../failback-context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { occasionOf } from '../occasion.ts';
import { openHooks } from '../open-hooks.ts';
import { renderFailback, renderFailbackPlan } from '../render-failback.ts';
import { renderEvent } from '../render-failover.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

interface Options {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly to: Rescued['to'];
  readonly acceptUnfenced?: boolean;
  readonly reason?: string;
  readonly wait: boolean;
}

const lookEveryMs = 1_000;

/**
 * `argus failback`: keeps what only the old primary has, begins anew what diverged there, mirrors back to it, and waits
 * until it follows. Nothing is changed before the plan was agreed to. Run again it goes on where it was.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config } = composition;
    requireOwnMirror(
      config,
      'failback',
      'turn MirrorMaker round by its own configuration, after looking at what diverged',
    );
    const { signal, who } = context;
    const hooks = await openHooks(config, 'failback', { folder: composition.folder, env: context.env });
    const roles = await rolesNow(context, composition);
    const { primary, standby } = await sidesOf(context, composition, roles);
    if (roles.replication === 'active' && roles.run?.includes(`-${failbackRunbook}-`)) {
      context.tell(`mirroring back to ${standby.name} since ${new Date(roles.atMs).toISOString()} (${roles.run})`);
      const inSync = options.wait && !options.dryRun ? await follow(context, composition, roles) : undefined;
      context.print(context.json ? JSON.stringify({ run: roles.run, inSync }) : ready(roles, inSync));
      return 0;
    }
    const refusal = failbackRefusal(roles);
    if (refusal) throw refused(refusal);
    const target = failbackContext(context, composition, {
      roles,
      primary,
      standby,
      acceptUnfenced: options.acceptUnfenced ?? false,
      keepIn: options.to,
    });
    const plan = await prepareFailback(target, signal);
    if (options.dryRun) {
      context.print(context.json ? JSON.stringify({ ...plan, hooks }, bigintAsText) : renderFailbackPlan(plan, hooks));
      return plan.blockers.length > 0 ? 3 : 0;
    }
    context.tell(renderFailbackPlan(plan, hooks));
    const blocker = plan.blockers[0];
    if (blocker) throw refused(blocker);
    if (!options.yes) await agree(context, plan.region);
    const occasion = await occasionOf(context, options);
    const report = await runFailback({
      context: target,
      plan,
      hooks,
      holder: who,
      processes: context.processes,
      occasion,
      signal,
      onEvent: (event) => context.tell(renderEvent(event)),
      onWaiting: (message) => context.tell(message),
    });
    const inSync =
      report.outcome === 'done' && options.wait
        ? await follow(context, composition, await rolesNow(context, composition))
        : undefined;
    print(context, report, inSync);
    return exitCodeOf(report);
  });
}

function print(context: CommandContext, report: FailbackReport, inSync: InSync | undefined): void {
  context.print(context.json ? JSON.stringify({ ...report, inSync }) : renderFailback(report, inSync));
}

/** Looks until the old primary follows. No lease is held meanwhile: should the primary die now, a failover may act. */
async function follow(context: CommandContext, { config, regions }: Composition, roles: Roles): Promise<InSync> {
  const { clock, signal } = context;
  const { regionOf } = await import('../../daemon/region-of.ts');
  const [primary, standby] = [regionOf(regions, roles.primary), regionOf(regions, roles.standby)];
  const { chooseRecoveryPoints } = joinReplication(primary, standby, config.topics);
  const watch = watchReturn({ config, primary, standby, chooseRecoveryPoints, clock });
  for (let said = ''; ; ) {
    const seen = await watch.look(signal);
    if (seen.kind === 'ready') return seen;
    if (seen.why !== said) context.tell(`    waiting: ${seen.why}`);
    said = seen.why;
    await clock.sleep(lookEveryMs, signal);
  }
}

function ready({ standby }: Roles, inSync: InSync | undefined): string {
  if (inSync?.kind !== 'ready') return `${standby} is mirrored to; whether it follows was not waited for`;
  return `${standby} follows: ready to switch back with \`argus switchover\``;
}

const refused = ({
  code,
  message,
  hint,
}: {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}) => new ArgusError(code, message, { exitCode: 3, ...(hint === undefined ? {} : { hint }) });
