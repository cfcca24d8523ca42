import { type Occasion, occasionIn } from '../../runbooks/occasion.ts';
import { listAttempts } from '../../state/attempts.ts';
import { drillState, stateOfRun } from '../../state/drills.ts';
import { inspectRuns } from '../../state/inspect-runs.ts';
import { listRuns } from '../../state/journal.ts';
import { foldRun } from '../../state/run-record.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

/** How many refused attempts are listed. */
const attemptsShown = 50;

/** How many runs, unless told otherwise. */
const runsShown = 100;

/** `argus runs list`: newest first, and the attempts that were refused before their run began. */
export async function run(context: CommandContext, options: { readonly limit?: number } = {}): Promise<number> {
  return withState(context, async (state) => {
    const { signal } = context;
    const [own, drills] = await Promise.all([listRuns(state, { signal }), listRuns(drillState(state), { signal })]);
    const all = [...own, ...drills].toSorted().reverse();
    const ids = all.slice(0, options.limit ?? runsShown);
    const older = all.length - ids.length;
    const [attempts, inspected] = await Promise.all([
      listAttempts(state, attemptsShown, { signal }),
      inspectRuns(ids, (id) => stateOfRun(state, id), { signal }),
    ]);
    const runs = inspected.flatMap(({ entries, fault }) => {
      const record = foldRun(entries);
      return record ? [{ ...record, tampered: fault !== undefined }] : [];
    });
    const unreadable = ids.filter((id) => !runs.some((r) => r.run === id));
    if (context.json) {
      const rows = runs.map(({ run: id, runbook, status, by, startedAtMs, lastAtMs, details, tampered }) => ({
        run: id,
        runbook,
        status,
        by,
        startedAtMs,
        lastAtMs,
        ...occasionIn(details),
        ...(tampered ? { tampered } : {}),
      }));
      const more = { ...(unreadable.length === 0 ? {} : { unreadable }), ...(older === 0 ? {} : { older }) };
      context.print(JSON.stringify({ runs: rows, attempts, ...more }));
      return 0;
    }
    const lines = [
      ...runs.map(({ run: id, status, by, details, startedAtMs: atMs, tampered }) => ({
        atMs,
        text: `${id}  ${status.padEnd(11)}  by ${by}${told(occasionIn(details))}${tampered ? '  JOURNAL TAMPERED WITH' : ''}`,
      })),
      ...attempts.map(({ atMs, what, by, code, message, ...occasion }) => ({
        atMs,
        text: `${new Date(atMs).toISOString()}  ${what} refused  by ${by}${told(occasion)}  (${code}: ${message})`,
      })),
    ].toSorted((a, b) => b.atMs - a.atMs);
    for (const { text } of lines) context.print(text);
    for (const id of unreadable)
      context.print(`${id}  JOURNAL TAMPERED WITH: it can't be read (argus runs show ${id})`);
    if (lines.length + unreadable.length === 0) context.print('no runs yet');
    if (older > 0) context.tell(`${older} older ones are not shown: --limit ${all.length}`);
    return 0;
  });
}

const told = ({ reason, startedFrom }: Occasion) =>
  `${startedFrom === undefined ? '' : ` from ${startedFrom}`}${reason === undefined ? '' : `: ${reason}`}`;
