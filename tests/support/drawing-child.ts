// Draws a full screen that changes all over, again and again, and notes each 50 ms that it is alive.
import { appendFileSync } from 'node:fs';
import { screenOf, tellerBy } from '../../cli/screen.ts';
import { openView } from '../../cli/tui/open-view.ts';

const [notes = ''] = process.argv.slice(2);
const screen = screenOf(
  process,
  tellerBy(() => undefined),
  { json: false, plain: false },
);
if (screen === undefined) process.exit(2);
let frame = 0;
const view = await openView({
  screen,
  view: ({ columns, rows }) => {
    frame++;
    const row = (y: number) => Array.from({ length: columns }, (_, x) => (frame * 7 + x * 31 + y * 17) % 10).join('');
    return Array.from({ length: rows }, (_, y) => [{ text: row(y) }]);
  },
  everyMs: 20,
  onBroken: () => process.exit(3),
});
setInterval(() => appendFileSync(notes, `${Date.now()} ${frame}\n`), 50);
setTimeout(async () => {
  await view.close();
  process.exit(0);
}, 60_000);
