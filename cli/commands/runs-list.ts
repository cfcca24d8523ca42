import { type Occasion, occasionIn } from '../../runbooks/occasion.ts';
import { listRuns, readRun } from '../../state/journal.ts';
import { foldRun } from '../../state/run-record.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

/** `argus runs list`: newest first. */
export async function run(context: CommandContext): Promise<number> {
  return withState(context, async (state) => {
    const { signal } = context;
    const ids = [...(await listRuns(state, { signal }))].reverse();
    const runs = (await Promise.all(ids.map(async (id) => foldRun(await readRun(state, id, { signal }))))).filter(
      (r) => r !== undefined,
    );
    if (context.json) {
      const rows = runs.map(({ run: id, runbook, status, by, startedAtMs, lastAtMs, details }) => ({
        run: id,
        runbook,
        status,
        by,
        startedAtMs,
        lastAtMs,
        ...occasionIn(details),
      }));
      context.print(JSON.stringify({ runs: rows }));
    } else if (runs.length === 0) context.print('no runs yet');
    else
      for (const r of runs) context.print(`${r.run}  ${r.status.padEnd(11)}  by ${r.by}${told(occasionIn(r.details))}`);
    return 0;
  });
}

const told = ({ reason, startedFrom }: Occasion) =>
  `${startedFrom === undefined ? '' : ` from ${startedFrom}`}${reason === undefined ? '' : `: ${reason}`}`;
