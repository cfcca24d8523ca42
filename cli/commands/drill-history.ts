import { pastDrill } from '../../drills/schedule/past.ts';
import { drillState } from '../../state/drills.ts';
import { inspectRuns } from '../../state/inspect-runs.ts';
import { listRuns } from '../../state/journal.ts';
import { foldRun } from '../../state/run-record.ts';
import type { CommandContext } from '../context.ts';
import { readSlots } from '../drill/read-slots.ts';
import { leftOutLine, pastLine } from '../render-schedule.ts';
import { withState } from '../session.ts';

/** `argus drill history`: the drills that were, and those that were due and did not take place; the newest first. */
export async function run(context: CommandContext, options: { readonly limit?: number }): Promise<number> {
  return withState(context, async (state) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(30_000)]);
    const limit = options.limit ?? 20;
    const drills = drillState(state);
    const [names, slots] = await Promise.all([listRuns(drills, { signal }), readSlots(state, signal)]);
    const newest = names.slice(-limit).reverse();
    const past = (await inspectRuns(newest, () => drills, { signal })).flatMap(({ entries }) => {
      const record = foldRun(entries);
      return record === undefined ? [] : [pastDrill(record)];
    });
    const leftOut = slots.filter((s) => s.status === 'skipped' || (s.status === 'ended' && s.end?.run === undefined));
    if (context.json) {
      context.print(JSON.stringify({ drills: past, leftOut: leftOut.slice(0, limit) }));
      return 0;
    }
    const lines = [
      ...past.map((drill) => ({ atMs: drill.startedAtMs, text: pastLine(drill) })),
      ...leftOut.map((slot) => ({ atMs: slot.dueAtMs, text: leftOutLine(slot) })),
    ].toSorted((a, b) => b.atMs - a.atMs);
    if (lines.length === 0) context.print('no drill yet: `argus drill run --plan-only` is the smallest');
    for (const { text } of lines.slice(0, limit)) context.print(text);
    return 0;
  });
}
