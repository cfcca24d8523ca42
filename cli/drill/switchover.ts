import { randomBytes } from 'node:crypto';
import { ArgusError } from '../../domain/errors.ts';
import type { DrillTrigger } from '../../drills/drill-report.ts';
import { isOpen } from '../../drills/schedule/opening.ts';
import { type Begun, hasLeft, type Position, positionOf, standsAt } from '../../drills/switchover/position.ts';
import { readBroken } from '../../drills/switchover/read-legs.ts';
import { runSwitchoverDrill } from '../../drills/switchover/run-switchover-drill.ts';
import { lookAtVersions } from '../../health/look-at-versions.ts';
import { refusal } from '../../runbooks/engine/failures.ts';
import { drillState } from '../../state/drills.ts';
import { runId } from '../../state/journal.ts';
import { readReadiness } from '../../state/readiness.ts';
import { agree } from '../agree.ts';
import { begunWith } from '../begun-with.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { requireOwnMirror } from '../mirrormaker.ts';
import { occasionOf } from '../occasion.ts';
import { renderDrill } from '../render-drill.ts';
import { renderEvent } from '../render-failover.ts';
import { renderSwitchoverPlan } from '../render-switchover.ts';
import { withComposition } from '../session.ts';
import { planSwitchOver } from '../switch-over.ts';
import type { DrillRunOptions } from './drill-options.ts';
import { scheduleOf } from './read-slots.ts';
import { directionNow, joinSwitchovers } from './switchover-moves.ts';

/** A drill by switchover: looks, plans, asks, moves the platform, stays, moves it back, reports. */
export async function drill(context: CommandContext, options: DrillRunOptions): Promise<number> {
  return withComposition(context, async (composition) => {
    const { config, state } = composition;
    const { clock, signal, who } = context;
    const versions = lookAtVersions(composition.regions.values(), context);
    requireOwnMirror(config, 'drill run --switchover', "offsets in savepoints don't hold on MirrorMaker's copy");
    if (options.job !== undefined) throw allJobs();
    const trigger = options.trigger ?? { kind: 'person' as const };
    const { begun, position, resumes } = await whereItStands(context, composition, trigger);
    const outside = trigger.kind === 'person' && resumes === undefined && !inSomeWindow(config, clock.now());
    if (outside && options.outsideWindow !== true) throw outsideWindow();
    if (resumes === undefined) await requireGreen(context, composition, begun);
    if (resumes !== undefined) context.tell(`goes on with ${resumes}: ${standsAt(begun, position)}`);
    if (position === 'before' || position === 'going') {
      const { plan, hooks } = await planSwitchOver(context, composition, options);
      context.tell(renderSwitchoverPlan(plan, hooks));
      const [blocker] = plan.blockers;
      if (blocker !== undefined) throw refusal(blocker);
    }
    context.tell(`then back from ${begun.to} to ${begun.from}, by the same steps`);
    if (options.yes !== true) await agree(context, begun.to);
    const occasion = await occasionOf(context, options, begunWith(composition, await versions.whole));
    const run = runId(clock.now(), 'drill', randomBytes(2).toString('hex'));
    const { report, steps } = await runSwitchoverDrill({
      ...{ state, clock, run, resumes, trigger, occasion, signal },
      context: joinSwitchovers(context, composition, { begun, run, stayMs: options.stay }),
      outsideWindow: outside,
      by: who,
      processes: context.processes,
      objectives: config.objectives,
      onEvent: (event) => context.tell(renderEvent(event)),
      onWaiting: (message) => context.tell(message),
    });
    context.print(context.json ? JSON.stringify(report) : renderDrill(report, steps));
    if (report.outcome === 'passed') return 0;
    return report.causes[0]?.code === 'RolesChanged' ? 3 : 1;
  });
}

/** The drill that was cut off and has something left to do, or a new one. */
async function whereItStands(
  context: CommandContext,
  composition: Composition,
  trigger: DrillTrigger,
): Promise<{ readonly begun: Begun; readonly position: Position; readonly resumes?: string }> {
  const { state } = composition;
  const { clock, signal } = context;
  const direction = await directionNow(context, composition, signal);
  const broken = await readBroken(drillState(state), { signal });
  if (broken !== undefined) {
    const position = positionOf(broken.begun, direction);
    const heardMs = clock.now() - broken.lastAtMs;
    if (hasLeft(position, broken, { byPerson: trigger.kind === 'person', heardMs }))
      return { begun: broken.begun, position, resumes: broken.run };
  }
  const { epoch, primary, standby } = direction.roles;
  if (direction.resumes !== undefined) throw halfWay(direction.resumes.run);
  return { begun: { rolesEpoch: epoch, from: primary, to: standby }, position: 'before' };
}

/** The daemon's own word is asked for: it looks each minute, at more than a command does. */
async function requireGreen({ clock, signal }: CommandContext, { state }: Composition, { from, to }: Begun) {
  const word = await readReadiness(state, { signal });
  const old = word === undefined || Math.abs(clock.now() - word.atMs) > readinessMs || word.primary !== from;
  if (!old && word.status === 'green') return;
  throw new ArgusError(
    'NotReady',
    old
      ? `no daemon has worked out within ${readinessMs / 60_000} min whether ${to} is ready`
      : `readiness is ${word.status}: ${word.sentence}`,
    { exitCode: 3, hint: 'a drill moves production only while all is well: see `argus readiness`' },
  );
}

const readinessMs = 5 * 60_000;

function inSomeWindow(config: Composition['config'], nowMs: number): boolean {
  const entries = scheduleOf(config).filter((e) => e.kind === 'switchover' && e.enabled);
  return entries.length === 0 || entries.some((entry) => isOpen(entry, nowMs));
}

const outsideWindow = () =>
  new ArgusError('OutsideWindow', 'the schedule has no window for a drill by switchover now; nothing was changed', {
    exitCode: 3,
    hint: '`argus drill next` tells when; --outside-window begins it all the same, and is recorded',
  });

const allJobs = () =>
  new ArgusError('Usage', '--job and --switchover: a switchover moves all jobs', {
    exitCode: 2,
    hint: 'leave --job out, or --switchover for an isolated drill',
  });

const halfWay = (run: string) =>
  new ArgusError('SwitchoverHalfWay', `${run} is half way, and no drill's`, {
    exitCode: 3,
    hint: 'go on with it first (`argus switchover`), or take it back (`argus runs abort`)',
  });
