import { formatMs } from '../../health/render-status.ts';
import type { Component } from '../../health/status-view.ts';
import type { Look } from '../watch/look.ts';
import {
  bar,
  cells,
  type Line,
  line,
  padded,
  padLeft,
  rule,
  type Span,
  span,
  sparkline,
  type Tone,
  widthOf,
  wrapped,
} from './line.ts';
import type { StandingHistory } from './standing-history.ts';

/** A part of the standing view: its title and its lines, the most telling first. */
export interface Section {
  readonly title: string;
  readonly lines: readonly Line[];
  /** So many lines are shown whatever else has room; 1 when absent. */
  readonly least?: number;
}

const marks: Readonly<Record<Component['status'], readonly [string, Tone]>> = {
  ok: ['✓', 'good'],
  failed: ['✗', 'bad'],
  unknown: ['?', 'warn'],
};
const count = (n: number) => n.toString().replace(/\B(?=(\d{3})+$)/g, ',');

/** Each region's parts in a row, and below what is not ok, and why. Pure. */
export function regionsSection({ status }: Look, width: number): Section {
  const { regions } = status;
  const nameWidth = Math.max(...regions.map((r) => cells(r.name) + r.role.length + 3), 0);
  const row = (region: (typeof regions)[number], timed: boolean): Line => [
    span(`  ${padded(`${region.name} (${region.role})`, nameWidth)}`, 'strong'),
    ...region.components.flatMap(({ component, status: is, latencyMs }): Span[] => [
      span(`  ${marks[is][0]} `, marks[is][1]),
      span(component),
      ...(is !== 'ok' ? [span(` ${is}`, marks[is][1])] : timed ? [span(` ${formatMs(latencyMs)}`, 'dim')] : []),
    ]),
  ];
  const timed = regions.every((region) => widthOf(row(region, true)) <= width);
  const rows = regions.map((region) => row(region, timed));
  const why = regions.flatMap((region) =>
    region.components
      .filter((c) => c.status !== 'ok' && c.detail !== undefined)
      .flatMap((c) =>
        wrapped(`${region.name} ${c.component}: ${c.detail}`, width - 6, 2).map(
          (text, i): Line => [span(`${i === 0 ? '    ' : '      '}${text}`, marks[c.status][1])],
        ),
      ),
  );
  return { title: 'regions', lines: [...rows, ...why], least: rows.length };
}

/** What each name answers. Pure. */
export function namesSection({ status }: Look): Section {
  const lines = status.names.map((n): Line => {
    const [mark, tone] = marks[n.status];
    const to = n.region ?? (n.addresses.join(', ') || 'no address');
    const wrong = n.status === 'ok' && n.region !== undefined && n.region !== status.roles.primary;
    return [
      span(`  ${mark} `, tone),
      span(n.name),
      span(
        n.status === 'ok' ? ` → ${to}` : ` ${n.detail ?? n.status}`,
        wrong ? 'warn' : n.status === 'ok' ? 'strong' : tone,
      ),
      span(`  at ${n.resolver}`, 'dim'),
    ];
  });
  return { title: 'names', lines };
}

/** Of what is told of a topic, behind its name. */
const columnWidths = [16, 13, 12] as const;

/** Lag of each topic, what would be lost, and how that went. Pure. */
export function mirrorSection({ status, objectives }: Look, history: StandingHistory, width: number): Section {
  const { mirror, wouldLose, roles } = status;
  if (mirror.length === 0) {
    const why = roles.replication === 'suspended' ? 'nothing is mirrored: replication is suspended' : 'not told';
    return { title: 'mirror', lines: [line(`  ${why}`, 'warn')] };
  }
  const topicWidth = Math.min(24, Math.max(...mirror.map((m) => cells(m.topic)), 5));
  const plotWidth = Math.max(8, width - topicWidth - 47);
  const lines = mirror.map((m, i): Line => {
    const loss = wouldLose[i];
    const records = loss?.records === undefined ? 'unknown' : `${loss.estimated ? '~' : ''}${count(loss.records)}`;
    const late = m.lagMs !== undefined && m.lagMs > objectives.rpo;
    return [
      span(`  ${padded(m.topic, topicWidth)}`),
      span(
        padLeft(m.lagRecords === undefined ? 'unknown' : count(m.lagRecords), columnWidths[0]),
        m.lagRecords === undefined ? 'warn' : undefined,
      ),
      span(
        padLeft(m.lagMs === undefined ? 'unknown' : formatMs(m.lagMs), columnWidths[1]),
        late ? 'bad' : m.lagMs === undefined ? 'warn' : undefined,
      ),
      span(`${padLeft(records, columnWidths[2])} `, loss?.records === undefined ? 'warn' : undefined),
      span(` ${m.basis === 'live' ? ' ' : m.basis === 'last-seen' ? '†' : '?'} `, 'warn'),
      span(sparkline(history.lagRecords.get(m.topic) ?? [], plotWidth), late ? 'bad' : 'accent'),
    ];
  });
  const note = mirror.some((m) => m.basis === 'last-seen') ? [line('  † as the daemon saw it last', 'dim')] : [];
  const head = ['records behind', 'time behind', 'would lose'].map((text, i) => padLeft(text, columnWidths[i] ?? 0));
  return { title: padded('mirror', topicWidth) + head.join(''), lines: [...lines, ...note] };
}

/** From where each job would be restored, and how old that is. Pure. */
export function pointsSection({ status }: Look, history: StandingHistory, width: number): Section {
  const jobWidth = Math.min(24, Math.max(0, ...status.recoveryPoints.map((p) => cells(p.job))));
  const lines = status.recoveryPoints.flatMap((p): Line[] => {
    const plot = sparkline(history.ageMs.get(p.job) ?? [], Math.max(8, width - jobWidth - 42));
    const first: Line =
      p.checkpointId === undefined
        ? [span(`  ${padded(p.job, jobWidth)}  `), span(p.detail ?? 'none', 'bad')]
        : [
            span(`  ${padded(p.job, jobWidth)}  `),
            span(padded(`checkpoint ${p.checkpointId}, ${formatMs(p.ageMs ?? 0)} old`, 34)),
            span(`   ${plot}`, 'accent'),
          ];
    const { newestRefused: no } = p;
    if (no === undefined || p.checkpointId === undefined) return [first];
    return [first, [span(`    newer ${no.checkpointId} can't be used: ${no.code}: ${no.message}`, 'warn')]];
  });
  return { title: 'recovery points', lines };
}

/** Of what only the state tells, while it can't be read. */
const untold = '  unknown: the state can not be read';

/** A daemon judges each minute: what is older says little of now. */
const oldMs = 180_000;

/** What a failover begun now would come to. Pure. */
export function readinessSection({ status, readiness, objectives, stateAway }: Look, width: number): Section {
  const lines: Line[] = [];
  if (status.readiness === undefined)
    lines.push(line(stateAway === undefined ? '  no daemon has told it' : untold, 'warn'));
  else {
    const { status: is, sentence, ageMs } = status.readiness;
    const old = ageMs > oldMs;
    const tone: Tone = old ? 'warn' : is === 'green' ? 'good' : is === 'yellow' ? 'warn' : 'bad';
    lines.push([
      span(`  ● ${old ? 'was ' : ''}${is}`, tone),
      span(` ${formatMs(ageMs)} ago`, old ? 'warn' : 'dim'),
      span(`  ${sentence}`),
    ]);
  }
  for (const b of status.blockers)
    for (const [i, text] of wrapped(`${b.code}: ${b.sentence}`, width - 12, 2).entries())
      lines.push([span(i === 0 ? '  blocker   ' : '            ', 'bad'), span(text)]);
  if (status.blockers.length === 0) lines.push(line('  nothing blocks a failover', 'good'));
  if (readiness !== undefined) {
    const { rto, rpoMs } = readiness;
    lines.push([
      ...against('RTO', rto?.ms, objectives.rto, 'not measured yet'),
      ...against('   RPO', rpoMs, objectives.rpo, 'unknown'),
    ]);
  }
  for (const w of status.warnings) lines.push([span('  warning   ', 'warn'), span(`${w.code}: ${w.sentence}`)]);
  return { title: 'readiness', lines, least: 2 };
}

function against(name: string, ms: number | undefined, objectiveMs: number, unknown: string): readonly Span[] {
  if (ms === undefined) return [span(`  ${name} ${unknown}`, 'warn')];
  const part = ms / objectiveMs;
  const tone: Tone = part > 1 ? 'bad' : part > 0.8 ? 'warn' : 'good';
  return [
    span(`  ${name} `),
    span(`${formatMs(ms)} `, tone),
    span(`of ${formatMs(objectiveMs).replace(/ 0 s$/, '')} `, 'dim'),
    span(bar(part, 8), tone),
  ];
}

/** What the observers find, and what automatic mode makes of it. Pure. */
export function verdictsSection({ standing, stateAway }: Look, nowMs: number): Section {
  if (standing === undefined) {
    const why = stateAway === undefined ? line('  no daemon tells any now', 'dim') : line(untold, 'warn');
    return { title: 'verdicts', lines: [why] };
  }
  const lines = standing.verdicts
    .filter((v) => v.partOf === undefined)
    .map((v): Line => {
      const tone: Tone =
        v.severity === 'critical' ? 'bad' : v.severity === 'warning' ? 'warn' : v.severity === 'ok' ? 'good' : 'dim';
      const since = formatMs(Math.max(0, nowMs - v.sinceMs));
      return [
        span(`  ${v.code}${v.subject === undefined ? '' : ` ${v.subject}`}`, tone),
        span(`  ${v.sentence}`),
        span(`  for ${since}`, 'dim'),
      ];
    });
  const { kind, sentence } = standing.decision;
  return {
    title: 'verdicts',
    lines: [
      ...lines,
      [span(`  ${standing.mode}: ${kind}`, kind === 'act' ? 'bad' : undefined), span(`  ${sentence}`, 'dim')],
    ],
  };
}

/** The run at work or the last one, and the newest drill. Pure. */
export function runsSection({ status, drill, stateAway }: Look, nowMs: number): Section {
  if (stateAway !== undefined) return { title: 'runs', lines: [line(untold, 'warn')] };
  const { running, last } = status.runs;
  const lines: Line[] = [];
  const ago = (ms: number) => `${formatMs(Math.max(0, nowMs - ms))} ago`;
  if (running !== undefined) {
    const tone: Tone = running.state === 'running' ? 'accent' : 'warn';
    lines.push([
      span('  ▸ ', tone),
      span(running.id),
      span(`  ${running.state}`, tone),
      span(`  begun ${ago(running.startedAtMs)}`, 'dim'),
    ]);
  } else if (last === undefined) lines.push(line('  no run yet', 'dim'));
  else
    lines.push([
      span(`  ${last.id}`),
      span(`  ${last.state}`, last.state === 'done' ? 'good' : 'warn'),
      span(`  ${ago(last.startedAtMs)}`, 'dim'),
    ]);
  if (drill === undefined) lines.push(line('  no drill yet', 'dim'));
  else {
    const { outcome, verdict } = told(drill.report);
    const is = outcome ?? drill.status;
    const tone: Tone = is === 'passed' || is === 'done' ? 'good' : is === 'running' ? 'accent' : 'warn';
    lines.push([
      span(`  drill ${drill.run}`),
      span(`  ${is}`, tone),
      span(`  ${ago(drill.startedAtMs)}`, 'dim'),
      ...(verdict === undefined ? [] : [span(`  ${verdict}`)]),
    ]);
  }
  return { title: 'runs', lines };
}

function told(report: unknown): { readonly outcome?: string; readonly verdict?: string } {
  if (report === null || typeof report !== 'object') return {};
  const { outcome, verdict } = report as Record<string, unknown>;
  return {
    ...(typeof outcome === 'string' ? { outcome } : {}),
    ...(typeof verdict === 'string' ? { verdict } : {}),
  };
}

/** A section in so many rows, its rule included; what has no room is counted. Pure. */
export function drawnSection({ title, lines }: Section, width: number, rows: number): readonly Line[] {
  const shown = lines.slice(0, Math.max(0, rows - 1));
  const left = lines.length - shown.length;
  return [rule(title, width, left > 0 ? `${left} more` : ''), ...shown];
}
