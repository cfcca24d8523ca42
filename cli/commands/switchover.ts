import { randomBytes } from 'node:crypto';
import { ArgusError } from '../../domain/errors.ts';
import { directionOf } from '../../runbooks/failover/direction.ts';
import { joinReplication } from '../../runbooks/failover/join-replication.ts';
import { exitCodeOf } from '../../runbooks/failover/report.ts';
import { readEarlier } from '../../runbooks/switchover/earlier.ts';
import { joinSavepoints } from '../../runbooks/switchover/join-savepoints.ts';
import { joinWriters } from '../../runbooks/switchover/join-writers.ts';
import { prepareSwitchover, runSwitchover } from '../../runbooks/switchover/run-switchover.ts';
import { runId } from '../../state/journal.ts';
import { agree } from '../agree.ts';
import { pathFrom } from '../config/load.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { occasionOf } from '../occasion.ts';
import { renderEvent } from '../render-failover.ts';
import { renderSwitchover, renderSwitchoverPlan } from '../render-switchover.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';

export interface SwitchoverOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly producersStopped?: boolean;
  readonly reason?: string;
}

/** How long the mirror may take for what is left when the producers are stopped. */
const drainMs = 30_000;
/** How long the jobs may take to read it. */
const catchUpMs = 15_000;

/** `argus switchover`: looks, plans, asks, acts, reports. Nothing is changed before the plan was agreed to. */
export async function run(context: CommandContext, options: SwitchoverOptions): Promise<number> {
  return withComposition(context, async (composition, loaded) => {
    const { config, names, state } = composition;
    requireOwnMirror(config, 'switchover', "offsets in savepoints don't hold on MirrorMaker's copy");
    const { clock, signal, who } = context;
    const inForce = await rolesNow(context, composition);
    const { roles, resumes } = await directionOf(state, inForce, { signal, runbook: 'switchover' });
    const sides = await sidesOf(context, composition, roles);
    const run = runId(clock.now(), 'switchover', randomBytes(2).toString('hex'));
    const { primary, standby } = sides;
    const rolesEpoch = roles.epoch;
    const target = {
      config,
      ...sides,
      names,
      state,
      clock,
      jobs: config.jobs.map((job) => ({
        config: job,
        jarPath: job.submit === undefined ? '' : pathFrom(loaded.folder, job.submit.jar),
      })),
      roles,
      run,
      by: who,
      acceptUnfenced: false,
      producersStopped: options.producersStopped ?? false,
      drainMs,
      catchUpMs,
      ...joinReplication(primary, standby, config.topics),
      ...joinWriters({ config, primary, state, by: run, now: () => clock.now() }),
      ...joinSavepoints({
        jobs: config.jobs,
        primary,
        standby,
        rolesEpoch,
        clock,
        parallelism: config.checkpoints.parallelism,
      }),
      ...(await readEarlier(state, rolesEpoch, { signal })),
    };
    const plan = await prepareSwitchover(target, { signal, ...(resumes ? { resumes: resumes.run } : {}) });
    if (options.dryRun) {
      context.print(context.json ? JSON.stringify(plan) : renderSwitchoverPlan(plan));
      return plan.blockers.length > 0 ? 3 : 0;
    }
    context.tell(renderSwitchoverPlan(plan));
    const [blocker] = plan.blockers;
    if (blocker) {
      const { code, message, hint } = blocker;
      throw new ArgusError(code, message, { exitCode: 3, ...(hint === undefined ? {} : { hint }) });
    }
    if (!options.yes) await agree(context, plan.to);
    const report = await runSwitchover({
      context: target,
      plan,
      occasion: await occasionOf(context, options),
      holder: who,
      signal,
      onEvent: (event) => context.tell(renderEvent(event)),
      onWaiting: (message) => context.tell(message),
    });
    context.print(context.json ? JSON.stringify(report) : renderSwitchover(report));
    return exitCodeOf(report);
  });
}
