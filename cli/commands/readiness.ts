import { dayOf } from '../../health/readiness-history.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { listReadinessDays, type ReadinessMoment, readReadiness, readReadinessDay } from '../../state/readiness.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

const dayMs = 86_400_000;
/** A daemon works it out each minute. */
const freshMs = 180_000;

/** `argus readiness`: the daemon's newest word, and with `--history` what it was. Exit code 1 unless it is fresh and not red. */
export async function run(
  context: CommandContext,
  options: { readonly history?: true; readonly days?: number },
): Promise<number> {
  return withState(context, async (state) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(10_000)]);
    const now = await readReadiness(state, { signal });
    const nowMs = context.clock.now();
    const ageMs = now && Math.max(0, nowMs - now.atMs);
    const days = options.days ?? 1;
    const history = options.history ? await readHistory(state, nowMs - days * dayMs, signal) : undefined;
    if (context.json) context.print(JSON.stringify({ now: now ?? null, ...(history && { history }) }));
    else {
      if (!now) context.print('no daemon has worked out readiness yet');
      else {
        const old =
          (ageMs ?? 0) > freshMs ? ` (of ${Math.round((ageMs ?? 0) / 60_000)} min ago: no daemon at work?)` : '';
        context.print(`${now.status}: ${now.sentence}${old}`);
        for (const { code, sentence } of now.blockers) context.print(`  blocker ${code}: ${sentence}`);
        for (const { code, sentence } of now.warnings) context.print(`  warning ${code}: ${sentence}`);
      }
      for (const line of history ? changesOf(history) : []) context.print(line);
    }
    return now && now.status !== 'red' && (ageMs ?? 0) <= freshMs ? 0 : 1;
  });
}

async function readHistory(
  state: ObjectStore,
  fromMs: number,
  signal: AbortSignal,
): Promise<readonly ReadinessMoment[]> {
  const names = (await listReadinessDays(state, { signal })).filter((name) => name >= dayOf(fromMs));
  const days = await Promise.all(names.map((name) => readReadinessDay(state, name, { signal })));
  return days.flatMap((d) => d?.moments ?? []).filter((m) => m.atMs >= fromMs);
}

/** A line for each change of colour or blockers. */
function changesOf(history: readonly ReadinessMoment[]): readonly string[] {
  const same = (a: ReadinessMoment | undefined, b: ReadinessMoment) =>
    a?.status === b.status && a.blockers.join() === b.blockers.join();
  return history
    .filter((m, i) => !same(history[i - 1], m))
    .map((m) => {
      const rpo = m.rpoMs === undefined ? '' : `, RPO ${(m.rpoMs / 1_000).toFixed(1)} s`;
      const why = m.blockers.length === 0 ? '' : `: ${m.blockers.join(', ')}`;
      return `${new Date(m.atMs).toISOString().slice(0, 16).replace('T', ' ')}  ${m.status}${why}${rpo}`;
    });
}
