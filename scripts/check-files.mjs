// No source file grows past 400 lines without saying why at its top (a comment with the words "over 400 lines").
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const limit = 400;
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((f) => /\.(ts|tsx|mjs|java|go)$/.test(f) && !f.startsWith('fixtures/') && existsSync(f));
const long = files
  .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n') }))
  .filter(({ lines }) => lines.length - 1 > limit && !/over 400 lines/i.test(lines.slice(0, 12).join('\n')));
for (const { file, lines } of long)
  console.error(`error: ${file} has ${lines.length - 1} lines; split it, or say why at its top`);
process.exit(long.length === 0 ? 0 : 1);
