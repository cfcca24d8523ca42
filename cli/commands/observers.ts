import type { ObserverConfig } from '../../domain/automatic-config.ts';
import type { ObserverReport } from '../../domain/observation.ts';
import { readObserverReports } from '../../state/observers.ts';
import type { CommandContext } from '../context.ts';
import { withState } from '../session.ts';

/** `argus observers`: who watches, when each was heard last, and what it saw. Exit code 1 while one of them is silent. */
export async function run(context: CommandContext): Promise<number> {
  return withState(context, async (state, { config }) => {
    const { observers, stale } = config.automatic;
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(5_000)]);
    const names = observers.map((o) => o.name);
    const reports = await readObserverReports(state, names, { signal });
    const nowMs = context.clock.now();
    const rows = observers.map((o) => rowOf(o, reports.get(o.name), nowMs, stale));
    context.print(context.json ? JSON.stringify({ observers: rows }) : render(rows));
    return rows.every((r) => r.heard) ? 0 : 1;
  });
}

interface Row {
  readonly name: string;
  readonly place: string;
  /** Its newest report is not too old; by this machine's clock and its own. */
  readonly heard: boolean;
  readonly ageMs?: number;
  readonly ok?: number;
  readonly failed?: readonly string[];
  readonly unknown?: readonly string[];
}

function rowOf(
  { name, place }: ObserverConfig,
  report: ObserverReport | undefined,
  nowMs: number,
  staleMs: number,
): Row {
  if (!report) return { name, place, heard: false };
  const ageMs = Math.max(0, nowMs - report.atMs);
  const of = (status: 'failed' | 'unknown') =>
    report.seen
      .filter((s) => s.status === status)
      .map(({ probe, region, subject }) => [probe, region, subject].filter((p) => p !== undefined).join(' '));
  const ok = report.seen.filter((s) => s.status === 'ok').length;
  return { name, place, heard: ageMs <= staleMs, ageMs, ok, failed: of('failed'), unknown: of('unknown') };
}

function render(rows: readonly Row[]): string {
  if (rows.length === 0) return 'no observers are configured (automatic.observers)';
  const wide = (pick: (row: Row) => string) => Math.max(...rows.map((r) => pick(r).length));
  const [names, places] = [wide((r) => r.name), wide((r) => r.place)];
  return rows
    .map((r) => {
      const who = `${r.name.padEnd(names)}  ${r.place.padEnd(places)}`;
      if (r.ageMs === undefined) return `${who}  never heard`;
      const when = `${r.heard ? 'heard' : 'SILENT'} ${(r.ageMs / 1_000).toFixed(1)} s ago`;
      const bad = [...(r.failed ?? []).map((f) => `${f} failed`), ...(r.unknown ?? []).map((u) => `${u} unknown`)];
      return `${who}  ${when}, ${r.ok} ok${bad.length === 0 ? '' : `; ${bad.join(', ')}`}`;
    })
    .join('\n');
}
