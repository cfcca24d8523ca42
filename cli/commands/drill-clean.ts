import { randomBytes } from 'node:crypto';
import { bubbleOf } from '../../domain/bubble.ts';
import { ArgusError } from '../../domain/errors.ts';
import { bubbleRegion } from '../../drills/bubble-region.ts';
import { drillThings } from '../../drills/isolated/inventory.ts';
import { drillRunbook } from '../../drills/isolated/run-isolated-drill.ts';
import { sweepUnderLease } from '../../drills/isolated/run-sweep.ts';
import { listDrillNotes } from '../../state/drill-notes.ts';
import { drillState } from '../../state/drills.ts';
import { listFaultNotes } from '../../state/fault-notes.ts';
import { runId } from '../../state/journal.ts';
import type { CommandContext } from '../context.ts';
import { drillSites } from '../drill/drill-sites.ts';
import { healLeftFaults, notHealedLine } from '../drill/heal-left.ts';
import { renderEvent } from '../render-failover.ts';
import { rolesNow, withComposition } from '../session.ts';

interface Options {
  readonly dryRun?: boolean;
  readonly healed?: readonly string[];
  readonly yes?: boolean;
  readonly reason?: string;
}

/**
 * `argus drill clean [--dry-run]`: heals what fault drills left broken, and removes what drills left that ended without
 * cleaning up; `--dry-run` only tells of both. A drill that is at work is `LeaseHeld` (exit code 3); exit code 4 when
 * something could not be removed. With `--healed <fault>` it does nothing but forget that fault, on a person's word.
 */
export async function run(context: CommandContext, options: Options): Promise<number> {
  const { healed, dryRun, yes, reason } = options;
  if (healed === undefined ? yes !== undefined || reason !== undefined : dryRun === true) {
    const message = healed ? '--healed has no --dry-run' : '--yes and --reason are for --healed';
    throw new ArgusError('Usage', message, { exitCode: 2, hint: '`argus drill faults` tells what is noted as broken' });
  }
  if (healed) return (await import('../drill/told-healed.ts')).toldHealed(context, { ...options, healed });
  return withComposition(context, async (composition) => {
    const { state } = composition;
    const { clock, signal, who } = context;
    const { standby } = await rolesNow(context, composition);
    const sites = await drillSites(composition);
    const name = runId(clock.now(), drillRunbook, randomBytes(2).toString('hex'));
    if (options.dryRun) {
      const site = sites.get(standby);
      const things = site ? await drillThings(bubbleRegion(site, bubbleOf(name)), signal) : [];
      const [notes, faults] = await Promise.all([
        listDrillNotes(state, { signal }),
        listFaultNotes(drillState(state), { signal }),
      ]);
      const open = notes.map(({ run: of, region, by, atMs }) => ({ run: of, region, by, atMs }));
      if (context.json) context.print(JSON.stringify({ things, notes: open, faults }));
      else {
        for (const { kind, name: of } of things.filter((thing) => thing.kind !== 'object'))
          context.print(`${kind}  ${of}`);
        for (const [of, count] of countObjects(things)) context.print(`${count} objects of ${of}`);
        for (const { run: of, region, by } of open) context.print(`note of ${of} in ${region}, by ${by}`);
        for (const note of faults) context.print(notHealedLine(note));
        if (things.length + open.length + faults.length === 0) context.print('nothing is left of any drill');
        else context.print('what a drill that is at work has made is among these, and is left to it');
      }
      return 0;
    }
    const faults = await healLeftFaults(context, state, composition);
    const swept = await sweepUnderLease({
      state,
      clock,
      run: name,
      by: who,
      region: standby,
      sites,
      processes: context.processes,
      signal,
      onEvent: (event) => context.tell(renderEvent(event)),
      onWaiting: (message) => context.tell(message),
    });
    if (context.json) context.print(JSON.stringify({ ...swept, faults }));
    else {
      for (const [of, things] of Object.entries(swept.removed)) context.print(`removed ${things} things of ${of}`);
      if (Object.keys(swept.removed).length === 0) context.print('nothing was left of any drill');
      for (const { run: of, region, why } of swept.left) context.print(`NOT looked at: ${of} in ${region}: ${why}`);
      if (swept.error !== undefined) context.print(`NOT all removed: ${swept.error.message}`);
    }
    const broken = faults.some((f) => f.kind === 'left');
    return swept.left.length > 0 || swept.error !== undefined || broken ? 4 : 0;
  });
}

/** How many objects there are of each drill: a job's state may have thousands. */
function countObjects(things: Awaited<ReturnType<typeof drillThings>>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { run: of } of things.filter(({ kind }) => kind === 'object')) counts.set(of, (counts.get(of) ?? 0) + 1);
  return counts;
}
