import type { Component, StatusView } from './status-view.ts';

/** `950 ms`, `2.4 s`, `3 min 20 s`, `2 h 5 min` */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const count = (n: number) => n.toString().replace(/\B(?=(\d{3})+$)/g, ',');
const instant = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

type Colour = 'green' | 'red' | 'yellow' | 'bold' | 'dim';
const codes: Record<Colour, number> = { green: 32, red: 31, yellow: 33, bold: 1, dim: 2 };

/** The status as text for people, with colours only when asked. Ends with a line break. Pure. */
export function renderStatus(view: StatusView, options: { readonly colours: boolean }): string {
  const paint = (colour: Colour, text: string) => (options.colours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text);
  const mark = (status: Component['status']) =>
    paint(status === 'ok' ? 'green' : status === 'failed' ? 'red' : 'yellow', status.padEnd(7));
  const out: string[] = [];
  const { roles } = view;
  const epoch = roles.epoch === undefined ? 'as configured, not started yet' : `epoch ${roles.epoch}`;
  out.push(
    paint('bold', `primary ${roles.primary}, standby ${roles.standby}`) +
      paint('dim', `  (${epoch}; replication ${roles.replication})`),
    '',
  );

  for (const region of view.regions) {
    out.push(paint('bold', `${region.name} (${region.role})`));
    const width = Math.max(...region.components.map((c) => c.component.length));
    for (const c of region.components) {
      out.push(
        `  ${c.component.padEnd(width)}  ${mark(c.status)}  ${formatMs(c.latencyMs).padStart(8)}  ${c.detail ?? ''}`.trimEnd(),
      );
    }
  }
  out.push(paint('bold', 'names'));
  for (const n of view.names) {
    const answer =
      n.status === 'ok'
        ? `${n.addresses.join(', ') || 'no address'}${n.region ? ` (${n.region})` : ''}`
        : (n.detail ?? '');
    out.push(`  ${n.name} at ${n.resolver}  ${mark(n.status)}  ${answer}`.trimEnd());
  }

  if (view.mirror.length > 0) {
    const rows = view.mirror.map((lag, i) => {
      const loss = view.wouldLose[i];
      return [
        lag.topic,
        lag.lagRecords === undefined ? 'unknown' : count(lag.lagRecords),
        lag.lagMs === undefined ? 'unknown' : formatMs(lag.lagMs),
        lag.basis === 'last-seen' ? 'when last seen' : lag.basis,
        loss?.records === undefined
          ? 'unknown'
          : `${loss.estimated ? 'about ' : ''}${count(loss.records)} records${loss.ms === undefined ? '' : `, ${formatMs(loss.ms)}`}${loss.unseenMs === undefined ? '' : ' (last seen long before)'}`,
      ];
    });
    out.push(
      '',
      ...table(['topic', 'lag records', 'lag', '', 'would be lost now'], rows, (head) => paint('bold', head)),
    );
  }
  if (view.readiness) {
    const { status, sentence, ageMs } = view.readiness;
    const age = paint('dim', ` (${formatMs(ageMs)} ago)`);
    out.push(`readiness: ${paint(status, status)}, ${sentence}${age}`);
  }
  for (const p of view.recoveryPoints) {
    const what =
      p.checkpointId === undefined
        ? paint('red', p.detail ?? 'none')
        : `checkpoint ${p.checkpointId}, ${formatMs(p.ageMs ?? 0)} old`;
    out.push(`recovery point of ${p.job}: ${what}`);
    const refused = p.newestRefused;
    if (refused && p.checkpointId !== undefined) {
      const others = (p.refusedCount ?? 1) > 1 ? ` and ${(p.refusedCount ?? 1) - 1} more newer ones` : '';
      out.push(
        `  newer checkpoint ${refused.checkpointId}${others} can't be used: ${refused.code}: ${refused.message}`,
      );
    }
  }
  const { daemon, runs } = view;
  const seen =
    daemon.ageMs === undefined ? 'never seen' : `${daemon.seen ? 'seen' : 'last seen'} ${formatMs(daemon.ageMs)} ago`;
  const dark =
    daemon.primaryDarkSinceMs === undefined
      ? ''
      : paint('red', `; the primary is dark since ${instant(daemon.primaryDarkSinceMs)}`);
  out.push(`daemon: ${seen}${dark}`);
  if (runs.running) out.push(`run ${runs.running.id}: ${paint('yellow', runs.running.state)}`);
  else if (runs.last) out.push(`last run ${runs.last.id}: ${runs.last.state}`);

  out.push('');
  if (view.blockers.length === 0) out.push(paint('green', 'nothing blocks a failover'));
  for (const b of view.blockers) out.push(`${paint('red', 'blocker')}  ${b.code}: ${b.sentence}`);
  for (const w of view.warnings) out.push(`${paint('yellow', 'warning')}  ${w.code}: ${w.sentence}`);
  return `${out.join('\n')}\n`;
}

/** Rows below a head, columns as wide as their widest cell. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paintHead: (text: string) => string,
): string[] {
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((r) => (r[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((c, i) => c.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd();
  return [paintHead(line(head)), ...rows.map(line)];
}
