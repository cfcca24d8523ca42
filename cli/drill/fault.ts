import { ArgusError } from '../../domain/errors.ts';
import type { DrillReport } from '../../drills/drill-report.ts';
import type { Fault } from '../../drills/faults/catalogue.ts';
import type { FaultHooks } from '../../drills/faults/ports.ts';
import { runFaultDrill } from '../../drills/faults/run.ts';
import { deadManMs } from '../../drills/faults/steps.ts';
import { waitCalm } from '../../drills/faults/wait-calm.ts';
import { lookAtVersions } from '../../health/look-at-versions.ts';
import { refusal } from '../../runbooks/engine/failures.ts';
import { drillState } from '../../state/drills.ts';
import { agree } from '../agree.ts';
import { begunWith } from '../begun-with.ts';
import type { CommandContext } from '../context.ts';
import { followRun } from '../follow-run.ts';
import { occasionOf } from '../occasion.ts';
import { aboutDrill } from '../run-about.ts';
import { rolesNow, withComposition } from '../session.ts';
import type { DrillRunOptions } from './drill-options.ts';
import { faultEyes } from './fault-eyes.ts';
import { faultNamed, faultNotesIn, openFaultHooks } from './open-faults.ts';

/** `argus drill run --fault <name>`: breaks one thing by its hook, sees what comes of it, heals it. Asks first. */
export async function drill(context: CommandContext, options: DrillRunOptions): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config, state } = composition;
    const fault = faultNamed(options.fault ?? '', config);
    const hooks = await openFaultHooks(composition, context.env, fault.name);
    if (hooks === undefined) {
      throw new ArgusError('FaultNotConfigured', `drill.faults.${fault.name} is not configured`, {
        exitCode: 2,
        hint: `give it an inject and a heal: ${fault.hook}`,
      });
    }
    const versions = lookAtVersions(composition.regions.values(), context);
    const roles = await rolesNow(context, composition);
    const eyes = faultEyes(context, composition, roles);
    const calm = {
      automatic: config.automatic,
      kubernetes: config.regions[roles.primary]?.kubernetes !== undefined,
    };
    const { why } = await waitCalm(eyes, { fault, ...calm }, context.clock, context.signal);
    if (why) throw refusal(why);
    context.tell(planText(fault, hooks, roles.primary));
    if (options.yes !== true) await agree(context, fault.name, "the fault's name");
    const occasion = await occasionOf(context, options, begunWith(composition, await versions.whole));
    const drills = drillState(state);
    const { clock, signal, who: holder, processes } = context;
    const report = await followRun(context, aboutDrill('fault', roles, {}), (listeners) =>
      runFaultDrill(
        { ...{ state: drills, clock, signal, holder, processes }, ...listeners },
        {
          ...{ fault, hooks, eyes, calm, occasion },
          notes: faultNotesIn(drills),
          about: { trigger: options.trigger ?? { kind: 'person' }, from: roles.primary, to: roles.standby },
        },
      ),
    );
    context.print(context.json ? JSON.stringify(report) : reportText(report));
    return report.outcome === 'passed' ? 0 : 1;
  });
}

function planText(fault: Fault, hooks: FaultHooks, primary: string): string {
  const expected = (list: Fault['during']) => list.map((e) => `  ${e.says}, within ${e.withinMs / 1_000} s`);
  const seconds = (ms: number) => Math.round(ms / 1_000);
  return [
    `fault drill ${fault.name} in ${primary}: ${fault.breaks}, for ${seconds(fault.leastMs)} to ${seconds(fault.holdMs)} s`,
    `broken by: ${hooks.manual.inject}`,
    `healed by: ${hooks.manual.heal}`,
    `a hook that can heals by itself after ${seconds(deadManMs(fault, hooks))} s`,
    'expected while it is broken:',
    ...expected(fault.during),
    `  ${fault.looksDead ? 'nothing is promoted' : 'no failover is begun, and no verdict allows one'}`,
    'expected behind the heal:',
    ...expected(fault.after),
    '  both sides hold the same records',
  ].join('\n');
}

function reportText({ run, outcome, verdict, faults = [] }: DrillReport): string {
  const lines = faults.map((f) => `  ${f.met ? 'met    ' : 'NOT MET'}  ${f.expected}: ${f.seen}`);
  return [`${run}: ${outcome}: ${verdict}`, ...lines].join('\n');
}
