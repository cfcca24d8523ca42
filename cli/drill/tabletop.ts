import { randomBytes } from 'node:crypto';
import { runTabletop } from '../../drills/tabletop/run-tabletop.ts';
import { lookAtVersions } from '../../health/look-at-versions.ts';
import { runId } from '../../state/journal.ts';
import { begunWith } from '../begun-with.ts';
import { chosenJobs } from '../chosen-jobs.ts';
import type { CommandContext } from '../context.ts';
import { occasionOf } from '../occasion.ts';
import { renderDrill } from '../render-drill.ts';
import { renderEvent } from '../render-failover.ts';
import { rolesNow, withComposition } from '../session.ts';
import type { DrillRunOptions } from './drill-options.ts';
import { tabletopChecks } from './tabletop-checks.ts';

/** A tabletop: every check and the plan of a failover. Nothing is started, so nobody is asked. */
export async function drill(context: CommandContext, options: DrillRunOptions): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config, state } = composition;
    const { clock, signal, who } = context;
    const versions = lookAtVersions(composition.regions.values(), context);
    const roles = await rolesNow(context, composition);
    const jobs = options.job === undefined ? config.jobs : options.job.flatMap((name) => chosenJobs(config.jobs, name));
    const { report, steps, findings } = await runTabletop({
      ...{ state, clock, roles, signal },
      run: runId(clock.now(), 'drill', randomBytes(2).toString('hex')),
      by: who,
      processes: context.processes,
      checks: tabletopChecks(context, composition, roles, jobs),
      trigger: options.trigger ?? { kind: 'person' },
      occasion: await occasionOf(
        { ...context, interactive: false },
        options,
        begunWith(composition, await versions.whole),
      ),
      onEvent: (event) => context.tell(renderEvent(event)),
      onWaiting: (message) => context.tell(message),
    });
    const warnings = findings.filter((f) => f.severity === 'warning');
    if (context.json) context.print(JSON.stringify({ ...report, warnings }));
    else {
      context.print(renderDrill(report, steps));
      for (const { code, message } of warnings) context.print(`warning: ${code}: ${message}`);
    }
    return report.outcome === 'passed' ? 0 : 1;
  });
}
