import { formatMs } from '../../health/render-status.ts';
import type { Look } from '../watch/look.ts';
import { beside, cutLine, justified, type Line, line, rule, type Size, span } from './line.ts';
import type { StandingHistory } from './standing-history.ts';
import {
  drawnSection,
  mirrorSection,
  namesSection,
  pointsSection,
  readinessSection,
  regionsSection,
  runsSection,
  type Section,
  verdictsSection,
} from './standing-sections.ts';

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19);

/** How things stand, as the lines of a screen, as many as it has; `look` is absent before the first look has ended. Pure. */
export function standingView(
  look: Look | undefined,
  history: StandingHistory,
  nowMs: number,
  { columns, rows }: Size,
): readonly Line[] {
  if (look === undefined) return [line(' argus watch', 'strong'), line(' looking …', 'dim')].slice(0, rows);
  const head = header(look, nowMs, columns);
  const foot = [rule('', columns), footer(look, columns)];
  const room = Math.max(0, rows - head.length - foot.length);
  const body =
    columns >= 150 ? wideBody(look, history, nowMs, columns, room) : narrowBody(look, history, nowMs, columns, room);
  const blank = Array.from({ length: Math.max(0, room - body.length) }, (): Line => []);
  return [...head, ...body.slice(0, room), ...blank, ...foot].slice(0, rows).map((l) => cutLine(l, columns));
}

function header({ status, stateAway }: Look, nowMs: number, width: number): readonly Line[] {
  const { roles, daemon } = status;
  const ageMs = Math.max(0, nowMs - status.atMs);
  const age =
    ageMs > 10_000 ? span(`looked ${formatMs(ageMs)} ago `, 'warn') : span(`${clock(status.atMs)} UTC `, 'dim');
  const epoch = roles.epoch === undefined ? 'roles as configured' : `epoch ${roles.epoch}`;
  const who: Line = [
    span(' primary '),
    span(roles.primary, 'strong'),
    span('  standby '),
    span(roles.standby, 'strong'),
    span(`  ${epoch}, replication ${roles.replication}`, roles.replication === 'active' ? 'dim' : 'warn'),
  ];
  const notes: Line[] = [];
  if (stateAway !== undefined)
    notes.push(line(` the state can't be read, so nothing here is by it: ${stateAway}`, 'bad'));
  if (daemon.primaryDarkSinceMs !== undefined) {
    const since = daemon.primaryDarkSinceMs;
    notes.push(
      line(` the primary is dark since ${clock(since)} UTC, for ${formatMs(Math.max(0, nowMs - since))}`, 'bad'),
    );
  } else if (!daemon.seen && stateAway === undefined) {
    const seen = daemon.ageMs === undefined ? 'was never seen' : `was last seen ${formatMs(daemon.ageMs)} ago`;
    notes.push(line(` the daemon ${seen}`, 'warn'));
  }
  return [justified(who, [age], width), ...notes];
}

function footer({ status }: Look, width: number): Line {
  const running = status.runs.running?.state === 'running' ? 'r follows the run   ' : '';
  return justified(line(' argus watch', 'dim'), line(`${running}q leaves `, 'dim'), width);
}

function narrowBody(look: Look, history: StandingHistory, nowMs: number, width: number, room: number): readonly Line[] {
  const sections = [
    regionsSection(look, width),
    mirrorSection(look, history, width),
    pointsSection(look, history, width),
    readinessSection(look, width),
    verdictsSection(look, nowMs),
    runsSection(look, nowMs),
    namesSection(look),
  ];
  return stacked(sections, width, room);
}

function wideBody(look: Look, history: StandingHistory, nowMs: number, width: number, room: number): readonly Line[] {
  const leftWidth = Math.floor((width - 2) / 2);
  const rightWidth = width - 2 - leftWidth;
  const left = [
    regionsSection(look, leftWidth),
    namesSection(look),
    verdictsSection(look, nowMs),
    runsSection(look, nowMs),
  ];
  const right = [
    mirrorSection(look, history, rightWidth),
    pointsSection(look, history, rightWidth),
    readinessSection(look, rightWidth),
  ];
  return beside(stacked(left, leftWidth, room), stacked(right, rightWidth, room), leftWidth);
}

/** Every section gets its title and the lines it can't do without; what is left goes to them in turn. */
function stacked(sections: readonly Section[], width: number, room: number): readonly Line[] {
  const given = sections.map((s) => 1 + Math.min(s.lines.length, s.least ?? 1));
  let left = room - given.reduce((sum, rows) => sum + rows, 0);
  for (let before = left + 1; left > 0 && left < before; ) {
    before = left;
    for (const [i, { lines }] of sections.entries()) {
      if (left === 0 || (given[i] ?? 0) > lines.length) continue;
      given[i] = (given[i] ?? 0) + 1;
      left--;
    }
  }
  return sections.flatMap((s, i) => drawnSection(s, width, given[i] ?? 0).map((l) => cutLine(l, width))).slice(0, room);
}
