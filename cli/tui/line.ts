/** How a piece of text stands out. Never the only sign of anything: marks and words say the same. */
export type Tone = 'good' | 'bad' | 'warn' | 'accent' | 'dim' | 'strong';

/** A piece of one line. */
export interface Span {
  readonly text: string;
  readonly tone?: Tone;
}

/** One line of a screen, from its left edge on. */
export type Line = readonly Span[];

/** A piece of text that can't disturb the terminal: what moves a cursor or sets a colour is left out. */
export function span(text: string, tone?: Tone): Span {
  return tone === undefined ? { text: printable(text) } : { text: printable(text), tone };
}

/** A line of one piece. */
export const line = (text: string, tone?: Tone): Line => [span(text, tone)];

/** Text without control characters; line breaks and tabs become blanks. Pure. */
export function printable(text: string): string {
  return text.replaceAll(/[\t\r\n]+/g, ' ').replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const none = /\p{M}/u;

/** How many cells of a terminal a text takes. Pure. */
export function cells(text: string): number {
  let count = 0;
  for (const character of text) count += none.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return count;
}

/** How many cells a line takes. Pure. */
export const widthOf = (of: Line): number => of.reduce((sum, { text }) => sum + cells(text), 0);

/** The text in at most so many cells: what is left out is told by `…`. Pure. */
export function cut(text: string, width: number): string {
  if (cells(text) <= width) return text;
  return width < 1 ? '' : `${beginning(text, width - 1)}…`;
}

/** As much of the text as has room. */
function beginning(text: string, width: number): string {
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += cells(character);
    if (used > width) break;
    kept += character;
  }
  return kept;
}

/** A line in at most so many cells. Pure. */
export function cutLine(of: Line, width: number): Line {
  if (widthOf(of) <= width) return of;
  const kept: Span[] = [];
  let left = width;
  for (const piece of of) {
    if (left <= 0) break;
    const last = cells(piece.text) > left;
    kept.push(last ? { ...piece, text: cut(piece.text, left) } : piece);
    left -= cells(piece.text);
  }
  return kept;
}

/** Text in exactly so many cells, from the left. Pure. */
export const padded = (text: string, width: number): string => {
  const fitted = cut(text, width);
  return fitted + ' '.repeat(width - cells(fitted));
};

/** Text in exactly so many cells, from the right. Pure. */
export const padLeft = (text: string, width: number): string => {
  const fitted = cut(text, width);
  return ' '.repeat(width - cells(fitted)) + fitted;
};

/** One line of two, the second at the right edge; where both have no room the first is cut. Pure. */
export function justified(left: Line, right: Line, width: number): Line {
  const end = cutLine(right, width);
  const begin = cutLine(left, Math.max(0, width - widthOf(end) - 1));
  return [...begin, { text: ' '.repeat(Math.max(0, width - widthOf(begin) - widthOf(end))) }, ...end];
}

/** Two blocks beside one another. Pure. */
export function beside(left: readonly Line[], right: readonly Line[], leftWidth: number, gap = 2): readonly Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const begin = cutLine(left[i] ?? [], leftWidth);
    const end = right[i] ?? [];
    return end.length === 0 ? begin : [...begin, { text: ' '.repeat(leftWidth - widthOf(begin) + gap) }, ...end];
  });
}

/** A rule across, with a title in it. Pure. */
export function rule(title: string, width: number, right = ''): Line {
  const end = right === '' ? '' : ` ${right} ─`;
  const begin = title === '' ? '' : `─ ${title} `;
  const dashes = '─'.repeat(Math.max(0, width - cells(begin) - cells(end)));
  return cutLine([span(begin + dashes + end, 'dim')], width);
}

/** Text in lines of at most so many cells, broken at blanks where there are some; at most `most` lines. Pure. */
export function wrapped(text: string, width: number, most: number): readonly string[] {
  const out: string[] = [];
  let rest = printable(text).trim();
  while (rest !== '' && out.length < most) {
    if (cells(rest) <= width || out.length === most - 1) {
      out.push(cut(rest, width));
      break;
    }
    const head = beginning(rest, width);
    if (head === '') break;
    const blank = rest[head.length] === ' ' ? head.length : head.lastIndexOf(' ');
    const taken = blank > width / 3 ? head.slice(0, blank) : head;
    out.push(taken);
    rest = rest.slice(taken.length).trimStart();
  }
  return out;
}

/** A bar of so many cells, filled up to `part` (0 to 1). Pure. */
export function bar(part: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, part)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

const sparks = '▁▂▃▄▅▆▇█';

/** Values as a row of bars, each one cell, the newest at the right; what is unknown is a dot. Pure. */
export function sparkline(values: readonly (number | undefined)[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(0, ...shown.map((v) => v ?? 0));
  return shown
    .map((v) => (v === undefined ? '·' : sparks[most === 0 ? 0 : Math.round((v / most) * (sparks.length - 1))]))
    .join('');
}

/** How large a view may be, in cells. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}
