import { Box, Text } from 'ink';
import { createElement, type ReactElement } from 'react';
import type { Line, Span, Tone } from './line.ts';

const codes: Readonly<Record<Tone, readonly [on: number, off: number]>> = {
  good: [32, 39],
  bad: [31, 39],
  warn: [33, 39],
  accent: [36, 39],
  dim: [2, 22],
  strong: [1, 22],
};

/** Lines on a screen, one below the other. Draws, and knows nothing else. */
export function Lines({
  lines,
  colours,
}: {
  readonly lines: readonly Line[];
  readonly colours: boolean;
}): ReactElement {
  return createElement(
    Box,
    { flexDirection: 'column' },
    lines.map((of, i) => createElement(Text, { key: i, wrap: 'truncate-end' }, text(of, colours))),
  );
}

/** An empty line takes its row all the same. */
const text = (of: Line, colours: boolean) => of.map((piece) => painted(piece, colours)).join('') || ' ';

function painted({ text: plain, tone }: Span, colours: boolean): string {
  if (!colours || tone === undefined) return plain;
  const [on, off] = codes[tone];
  return `\u001b[${on}m${plain}\u001b[${off}m`;
}
