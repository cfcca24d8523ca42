// Makes a picture (SVG) of what a terminal showed, as `tmux capture-pane -p -e` gives it:
//   node scripts/terminal-picture.mjs <capture> "<title>" > docs/images/<name>.svg
// tests/full/tui-failover.test.ts makes captures of a real failover where ARGUS_CAPTURES names a folder.
import { readFileSync } from 'node:fs';

const [path, title = 'argus'] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: node scripts/terminal-picture.mjs <capture> "<title>"');
  process.exit(2);
}

const cell = { width: 8.4, height: 18 };
const colours = { 31: '#ff7b72', 32: '#56d364', 33: '#e3b341', 36: '#76c7f0' };
const ground = '#11161d';
const plain = '#d5dde5';
const faint = '#8b98a5';

const esc = String.fromCharCode(27);
// Colours, and what tmux says of character sets.
const sequence = new RegExp(`(${esc}\\[[0-9;]*m|${esc}\\([A-Z0]|[${String.fromCharCode(14, 15)}])`);

/** The pieces of a line, each with its column and how it stands out; `style` goes on from line to line. */
function pieces(line, style) {
  const found = [];
  let column = 0;
  for (const part of line.split(sequence)) {
    const codes = part.startsWith(`${esc}[`) ? part.slice(2, -1) : undefined;
    if (codes !== undefined) {
      for (const code of (codes || '0').split(';').map(Number)) {
        if (code === 0) Object.assign(style, { colour: undefined, bold: false, dim: false });
        else if (code === 1) style.bold = true;
        else if (code === 2) style.dim = true;
        else if (code === 22) Object.assign(style, { bold: false, dim: false });
        else if (code === 39) style.colour = undefined;
        else if (colours[code]) style.colour = colours[code];
      }
    } else if (part !== '' && !sequence.test(part)) {
      // Words that stand apart are placed one by one: blanks in a row are not kept.
      for (const { 0: text, index } of part.matchAll(/\S+(?: \S+)*/g))
        found.push({ column: column + [...part.slice(0, index)].length, text, ...style });
      column += [...part].length;
    }
  }
  return found;
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const rounded = (n) => Number(n.toFixed(1));

const style = { colour: undefined, bold: false, dim: false };
const lines = readFileSync(path, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => pieces(line, style));
const columns = Math.max(...lines.flat().map(({ column, text }) => column + [...text].length), 80);
const bar = 28;
const edge = 12;
const width = Math.ceil(columns * cell.width + 2 * edge);
const height = lines.length * cell.height + bar + 2 * edge;

const texts = lines.flatMap((line, row) =>
  line.map(({ column, text, colour, bold, dim }) => {
    const x = rounded(edge + column * cell.width);
    const y = rounded(bar + edge + row * cell.height + 13);
    const fill = colour ?? (dim ? faint : plain);
    // As wide as its cells, whatever font there is.
    const wide = rounded([...text].length * cell.width);
    const own = `${fill === plain ? '' : ` fill="${fill}"`}${bold ? ' font-weight="bold"' : ''}`;
    return `<text x="${x}" y="${y}" textLength="${wide}"${own}>${escaped(text)}</text>`;
  }),
);

process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" rx="8" fill="${ground}"/>
<text x="${width / 2}" y="19" text-anchor="middle" font-family="sans-serif" font-size="12" fill="${faint}">${escaped(title)}</text>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" fill="${plain}">
${texts.join('\n')}
</g>
</svg>
`);
