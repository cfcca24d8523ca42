import { randomBytes } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import { bubbleOf } from '../../domain/bubble.ts';
import type { JobConfig } from '../../domain/config.ts';
import { gatherSlots } from '../../drills/isolated/gather-slots.ts';
import { joinQuestions } from '../../drills/isolated/join-questions.ts';
import { planDrill } from '../../drills/isolated/plan.ts';
import { drillRunbook, runIsolatedDrill } from '../../drills/isolated/run-isolated-drill.ts';
import { isolatedSteps } from '../../drills/isolated/steps.ts';
import { requireNobodyActs } from '../../drills/isolated/watch-incidents.ts';
import { lookAtVersions } from '../../health/look-at-versions.ts';
import { manifestFile } from '../../regions/flink/flink-manifest-source.ts';
import { refusal } from '../../runbooks/engine/failures.ts';
import { suspendedRefusal } from '../../runbooks/failover/plan.ts';
import { drillState } from '../../state/drills.ts';
import { runId } from '../../state/journal.ts';
import { agree } from '../agree.ts';
import { begunWith } from '../begun-with.ts';
import { bigintAsText } from '../bigint-as-text.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import { pathFrom } from '../config/load.ts';
import type { CommandContext } from '../context.ts';
import { followRun } from '../follow-run.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { occasionOf } from '../occasion.ts';
import { noDrillFlink } from '../open-flink.ts';
import { renderDrill, renderDrillPlan } from '../render-drill.ts';
import { aboutDrill } from '../run-about.ts';
import { rolesNow, sidesOf, withComposition } from '../session.ts';
import { usualTimes } from '../usual-times.ts';
import type { DrillRunOptions } from './drill-options.ts';
import { drillSites } from './drill-sites.ts';

/** An isolated drill: looks, says what it will make, asks, carries it out, reports. */
export async function drill(context: CommandContext, options: DrillRunOptions): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config, state, folder, names } = composition;
    const { clock, signal, who } = context;
    const versions = lookAtVersions(composition.regions.values(), context);
    requireOwnMirror(config, 'drill run', "offsets in checkpoints don't hold on MirrorMaker's copy");
    const roles = await rolesNow(context, composition);
    if (roles.replication === 'suspended') throw refusal(suspendedRefusal(roles));
    await requireNobodyActs(state, signal);
    const { primary, standby, sighting } = await sidesOf(context, composition, roles);
    const sites = await drillSites(composition);
    const site = sites.get(roles.standby);
    if (site === undefined) throw noDrillFlink(roles.standby);
    const run = runId(clock.now(), drillRunbook, randomBytes(2).toString('hex'));
    const bubble = bubbleOf(run);
    for (const name of options.job ?? []) chosenJobs(config.jobs, name);
    const deployments = site.deployments !== undefined;
    const configured = await Promise.all(
      config.jobs.map((job) => configuredJob(job, roles.standby, folder, deployments)),
    );
    const plan = planDrill({
      bubble,
      region: roles.standby,
      storeUri: standby.objects.uri,
      configured,
      only: options.job,
      ownCluster: site.ownCluster,
      deployments,
      // FlinkDeployments bring theirs.
      slots: deployments ? undefined : await gatherSlots(site, state, signal),
      unreadableJars: await unreadable(configured),
    });
    context.tell(renderDrillPlan(plan, { run, from: roles.primary, to: roles.standby, storeUri: standby.objects.uri }));
    const [blocker] = plan.blockers;
    if (blocker !== undefined) throw refusal(blocker);
    if (options.yes !== true) await agree(context, roles.standby);
    const occasion = await occasionOf(context, options, begunWith(composition, await versions.whole));
    const scene = { from: roles.primary, to: roles.standby, bubble, jobs: plan.jobs, storeUri: site.objects.uri };
    const usual = context.screen === undefined ? new Map() : await usualTimes(drillState(state), drillRunbook, signal);
    const about = aboutDrill('isolated', roles, { run, steps: isolatedSteps(scene), usual });
    const { report, steps, exitCode } = await followRun(context, about, (listeners) =>
      runIsolatedDrill({
        context: {
          config,
          run,
          by: who,
          clock,
          roles,
          primary,
          records: names.records,
          state,
          jobs: plan.jobs,
          sighting,
          questions: joinQuestions({ config, primary, standby, clock }),
        },
        sites,
        holder: who,
        processes: context.processes,
        occasion,
        trigger: options.trigger ?? { kind: 'person' },
        signal,
        ...listeners,
      }),
    );
    context.print(context.json ? JSON.stringify(report, bigintAsText) : renderDrill(report, steps));
    return exitCode;
  });
}

/** A job with what it is started from. A manifest that can't be read is `ManifestInvalid` (exit code 2). */
async function configuredJob(config: JobConfig, region: string, folder: string, deployments: boolean) {
  const job = { config, jarPath: pathFrom(folder, config.submit?.jar ?? '') };
  const named = deployments ? config.drill?.kubernetes?.[region]?.manifest : undefined;
  return named === undefined ? job : { ...job, manifest: await manifestFile(pathFrom(folder, named)) };
}

/** The jars among them that can't be read here. */
async function unreadable(jobs: readonly { readonly jarPath: string }[]): Promise<ReadonlySet<string>> {
  const paths = [...new Set(jobs.map(({ jarPath }) => jarPath))];
  const tried = await Promise.allSettled(paths.map((path) => access(path, constants.R_OK)));
  return new Set(paths.filter((_, i) => tried[i]?.status === 'rejected'));
}
