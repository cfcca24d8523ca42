import { formatMs } from '../../health/render-status.ts';
import type { CommandContext } from '../context.ts';
import { hasRoom } from '../screen.ts';
import { withComposition } from '../session.ts';
import { type Look, look } from './look.ts';

/** How a watch ended: a person left it, or wants to follow a run instead. */
export type WatchEnd = { readonly kind: 'left' } | { readonly kind: 'follow'; readonly run: string };

/** Looks again and again until a person leaves: on the whole screen, else a line or an object for each look. */
export async function watchStatus(context: CommandContext, everyMs: number): Promise<WatchEnd> {
  const leave = new AbortController();
  const signal = AbortSignal.any([context.signal, leave.signal]);
  const { clock, screen } = context;
  let end: WatchEnd = { kind: 'left' };
  const leaveFor = (chosen: WatchEnd) => {
    end = chosen;
    leave.abort();
  };
  try {
    await withComposition(context, async (composition) => {
      const shown =
        screen !== undefined && hasRoom(screen)
          ? await (await import('../tui/show-standing.ts')).showStanding(context, screen, leaveFor)
          : undefined;
      try {
        for (let before: Look | undefined; ; ) {
          before = await look({ clock, signal }, composition, before);
          if (shown !== undefined) shown.show(before);
          else context.print(context.json ? JSON.stringify(before) : lookLine(before));
          await clock.sleep(everyMs, signal);
        }
      } finally {
        await shown?.close();
      }
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return end;
}

/** One look as a line: what is not ok, lag, readiness, the run at work. Pure. */
export function lookLine({ status, stateAway }: Look): string {
  const { roles, regions, mirror, readiness, runs, blockers } = status;
  const troubled = regions.flatMap((r) =>
    r.components.filter((c) => c.status !== 'ok').map((c) => `${r.name} ${c.component} ${c.status}`),
  );
  const lags = mirror.map(
    (m) => `${m.topic} ${m.lagRecords ?? 'unknown'} behind${m.lagMs === undefined ? '' : ` (${formatMs(m.lagMs)})`}`,
  );
  return [
    new Date(status.atMs).toISOString().slice(0, 19).concat('Z'),
    `primary ${roles.primary}, standby ${roles.standby}`,
    ...(stateAway === undefined ? [] : [`the state can't be read: ${stateAway}`]),
    troubled.length === 0 ? 'all ok' : troubled.join(', '),
    ...lags,
    ...(readiness === undefined ? [] : [`readiness ${readiness.status}`]),
    ...(blockers.length === 0 ? [] : [`blockers ${blockers.map((b) => b.code).join(', ')}`]),
    ...(runs.running === undefined ? [] : [`${runs.running.id} ${runs.running.state}`]),
  ].join('; ');
}
