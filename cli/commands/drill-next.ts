import { comingDrills } from '../../drills/schedule/coming.ts';
import type { CommandContext } from '../context.ts';
import { readSlots, scheduleOf } from '../drill/read-slots.ts';
import { comingLine } from '../render-schedule.ts';
import { withState } from '../session.ts';

/** `argus drill next`: the drill that begins next, or waits. Exit code 1 when none is scheduled. */
export async function run(context: CommandContext): Promise<number> {
  return withState(context, async (state, { config }) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(10_000)]);
    const nowMs = context.clock.now();
    const slots = await readSlots(state, signal);
    const [next] = comingDrills({ nowMs, schedule: scheduleOf(config), slots, count: 1 });
    if (context.json) context.print(JSON.stringify({ next: next ?? null }));
    else context.print(next === undefined ? 'no drill is scheduled' : comingLine(next, nowMs));
    return next === undefined ? 1 : 0;
  });
}
