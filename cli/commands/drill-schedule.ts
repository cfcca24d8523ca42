import { comingDrills } from '../../drills/schedule/coming.ts';
import type { CommandContext } from '../context.ts';
import { readSlots, scheduleOf } from '../drill/read-slots.ts';
import { comingLine, leftOutLine } from '../render-schedule.ts';
import { withState } from '../session.ts';

/** `argus drill schedule`: the coming drills with what they wait for, and those that were left out lately, with why. */
export async function run(context: CommandContext, options: { readonly count?: number }): Promise<number> {
  return withState(context, async (state, { config }) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(10_000)]);
    const slots = await readSlots(state, signal);
    const schedule = scheduleOf(config);
    const count = options.count ?? 3;
    const nowMs = context.clock.now();
    const coming = comingDrills({ nowMs, schedule, slots, count });
    const leftOut = slots.filter((s) => s.status === 'skipped' || s.end?.outcome === 'refused').slice(0, 10);
    if (context.json) {
      const told = leftOut.map(({ slot, kind, dueAtMs, skipped, end }) => {
        const { code = 'Refused', message = 'it was refused' } = skipped ?? end ?? {};
        return { slot, kind, dueAtMs, code, message };
      });
      context.print(JSON.stringify({ coming, leftOut: told }));
      return 0;
    }
    if (coming.length === 0) context.print('no drill is scheduled: see drill.schedule in docs/configuration.md');
    for (const drill of coming) context.print(comingLine(drill, nowMs));
    if (leftOut.length > 0) context.print('left out:');
    for (const slot of leftOut) context.print(leftOutLine(slot));
    return 0;
  });
}
