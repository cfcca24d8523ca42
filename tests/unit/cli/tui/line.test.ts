import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beside,
  cells,
  cut,
  cutLine,
  justified,
  type Line,
  line,
  padded,
  padLeft,
  printable,
  sparkline,
  wrapped,
} from '../../../../cli/tui/line.ts';

const textOf = (of: Line) => of.map((piece) => piece.text).join('');

describe('text on a screen', () => {
  it('is never wider than it may be, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), fc.nat(60), (a, b, width) => {
        const [left, right] = [printable(a), printable(b)];
        expect(cells(cut(left, width))).toBeLessThanOrEqual(width);
        expect(cells(padded(left, width))).toBe(width);
        expect(cells(padLeft(left, width))).toBe(width);
        expect(cells(textOf(cutLine([...line(left), ...line(right)], width)))).toBeLessThanOrEqual(width);
        expect(cells(textOf(justified(line(left), line(right), width)))).toBeLessThanOrEqual(Math.max(1, width));
        for (const row of wrapped(left, Math.max(2, width), 3))
          expect(cells(row)).toBeLessThanOrEqual(Math.max(2, width));
      }),
    );
  });

  it('carries nothing that a terminal would take for a command', () => {
    expect(printable('a\u001b[2Jb\u0007\u009b31mc\r\nd\te\u202e')).toBe('a[2Jb31mc d e');
  });

  it('tells what was left out', () => {
    expect(cut('checkpoint', 6)).toBe('check…');
    expect(cut('日本語のジョブ', 6)).toBe('日本…');
    expect(wrapped('one two three four', 9, 2)).toEqual(['one two', 'three fo…']);
  });

  it('stands beside other text in its own column', () => {
    expect(beside([line('ab')], [line('x'), line('y')], 4).map(textOf)).toEqual(['ab    x', '      y']);
  });
});

describe('a sparkline', () => {
  it.each([
    ['is as high as its values are, the newest at the right', [0, 1, 2, 4, 8], 5, '▁▂▃▅█'],
    ['shows the newest that have room', [9, 0, 8], 2, '▁█'],
    ['shows what is unknown as unknown', [undefined, 1], 2, '·█'],
    ['is flat where there is nothing', [0, 0], 2, '▁▁'],
  ])('%s', (_, values, width, drawn) => {
    expect(sparkline(values, width)).toBe(drawn);
  });
});
