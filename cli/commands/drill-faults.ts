import { allFaults } from '../../drills/faults/catalogue.ts';
import { drillState } from '../../state/drills.ts';
import { listFaultNotes } from '../../state/fault-notes.ts';
import type { CommandContext } from '../context.ts';
import { notHealedLine } from '../drill/heal-left.ts';
import { faultNamed } from '../drill/open-faults.ts';
import { withState } from '../session.ts';

/** `argus drill faults`: what can be broken, what has to come of it, and what is broken still. Exit code 1 while something is. */
export async function run(context: CommandContext): Promise<number> {
  return withState(context, async (state, { config }) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(10_000)]);
    const open = await listFaultNotes(drillState(state), { signal });
    const faults = allFaults.map(({ name }) => ({
      ...faultNamed(name, config),
      configured: config.drill.faults[name] !== undefined,
    }));
    if (context.json) {
      context.print(JSON.stringify({ faults, broken: open }));
      return open.length === 0 ? 0 : 1;
    }
    for (const { name, configured, breaks, behaviour, hook, during, after } of faults) {
      context.print(`${name}${configured ? '' : '  (no hooks in drill.faults)'}`);
      context.print(`  breaks  ${breaks}`);
      if (!configured) context.print(`  hook    ${hook}`);
      context.print(`  then    ${behaviour}`);
      for (const { says, withinMs } of during) context.print(`  during  ${says}, within ${withinMs / 1_000} s`);
      for (const { says, withinMs } of after) context.print(`  after   ${says}, within ${withinMs / 1_000} s`);
    }
    for (const note of open) context.print(notHealedLine(note));
    return open.length === 0 ? 0 : 1;
  });
}
