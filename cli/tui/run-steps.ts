import { formatMs } from '../../health/render-status.ts';
import { bar, cut, type Line, padded, padLeft, span, wrapped } from './line.ts';
import { marks, type RunProgress, type ShownStep } from './run-progress.ts';

const timeWidth = 11;

/** The steps of a run in so many rows, around the one at work; those that have no room are counted. Pure. */
export function stepRows(run: RunProgress, nowMs: number, width: number, rows: number): readonly Line[] {
  const blocks = run.steps.map((step) => [
    ...(step.id === run.about.pointOfNoReturn ? [noReturn(width)] : []),
    ...stepLines(step, nowMs, width),
  ]);
  const all = blocks.flat();
  if (all.length <= rows) return all;
  const first = startOf(run.steps);
  const before = blocks.slice(0, first).flat().length;
  const focus = before + (blocks[first]?.length ?? 1);
  // About a third of the room is for what was done last, the rest for what comes.
  const top = Math.max(0, Math.min(before - Math.floor(rows / 3), all.length - rows), focus - rows + 1);
  const shown = all.slice(top, top + rows);
  const hiddenAbove = top;
  const hiddenBelow = all.length - top - rows;
  return shown.map((row, i) => {
    if (i === 0 && hiddenAbove > 0) return [span(`  ↑ ${countSteps(blocks, 0, top + 1)} before`, 'dim')];
    if (i === rows - 1 && hiddenBelow > 0)
      return [span(`  ↓ ${countSteps(blocks, top + rows - 1, all.length)} after`, 'dim')];
    return row;
  });
}

/** Where the run is: the step at work, else the one after the last that ended. */
function startOf(steps: readonly ShownStep[]): number {
  const active = steps.findIndex((s) => s.status === 'active');
  if (active >= 0) return active;
  return Math.min(steps.findLastIndex((s) => s.status !== 'todo') + 1, Math.max(0, steps.length - 1));
}

/** How many steps begin within these rows. */
function countSteps(blocks: readonly (readonly Line[])[], from: number, to: number): string {
  let row = 0;
  let count = 0;
  for (const block of blocks) {
    // A step's own line stands behind the line of no return.
    const own = row + (block[0]?.[0]?.text.startsWith('  ──') ? 1 : 0);
    if (own >= from && own < to) count++;
    row += block.length;
  }
  return `${count} ${count === 1 ? 'step' : 'steps'}`;
}

function noReturn(width: number): Line {
  const text = '  ── from here on there is no way back ';
  return [span(cut(text + '─'.repeat(Math.max(0, width - text.length)), width), 'warn')];
}

function stepLines(step: ShownStep, nowMs: number, width: number): readonly Line[] {
  const { title, status, usualMs } = step;
  const [mark, tone] = marks[status];
  const elapsedMs =
    status === 'active' && step.startedAtMs !== undefined ? Math.max(0, nowMs - step.startedAtMs) : step.ms;
  const elapsed = elapsedMs === undefined ? '' : formatMs(elapsedMs);
  const usual = usualMs === undefined ? '' : `~${formatMs(usualMs)}`;
  const late =
    status === 'active' && usualMs !== undefined && elapsedMs !== undefined && elapsedMs > 2 * usualMs + 1_000;
  const titleWidth = Math.max(10, width - 4 - 2 * timeWidth);
  const titleTone = status === 'active' ? 'strong' : status === 'todo' ? undefined : tone === 'good' ? undefined : tone;
  const own: Line = [
    span(`  ${mark} `, tone),
    span(padded(title, titleWidth), titleTone),
    span(padLeft(elapsed, timeWidth), late ? 'warn' : status === 'active' ? 'accent' : undefined),
    span(padLeft(usual, timeWidth), 'dim'),
  ];
  if (status === 'active') {
    const done =
      usualMs === undefined || elapsedMs === undefined || usualMs < 3_000 ? '' : `${bar(elapsedMs / usualMs, 16)} `;
    const text = late
      ? `${step.waitsFor ?? 'it takes longer than it did before'}`
      : (step.waitsFor ?? 'looking, acting');
    const waits = step.waitsFor === undefined ? text : `waits: ${text}`;
    return [own, [span(`      ${done}`, 'accent'), span(cut(waits, Math.max(0, width - 6 - done.length)), 'warn')]];
  }
  if (step.found !== undefined && tone === 'bad')
    return [own, ...wrapped(step.found, width - 6, 2).map((text): Line => [span(`      ${text}`, 'bad')])];
  return [own];
}

/** The head above the times. Pure. */
export const timesHead = `${padLeft('took', timeWidth)}${padLeft('usually', timeWidth - 2)}`;
