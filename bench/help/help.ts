import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';

/** Starts of each kind; they alternate, so that a change of load meets both. */
const rounds = 31;
const argus = join(import.meta.dirname, '../../cli/main.js');

function time(args: readonly string[]): number {
  const from = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return Number(process.hrtime.bigint() - from) / 1e6;
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

if (!existsSync(argus)) throw new Error(`${argus} is missing: run \`npm run bench:help\`, which builds first`);
const empty: number[] = [];
const help: number[] = [];
time(['-e', '0']);
time([argus, '--help']);
for (let i = 0; i < rounds; i++) {
  empty.push(time(['-e', '0']));
  help.push(time([argus, '--help']));
}
const ratios = help.map((ms, i) => ms / (empty[i] as number)).sort((a, b) => a - b);
empty.sort((a, b) => a - b);
help.sort((a, b) => a - b);
const row = (name: string, values: readonly number[], unit: string) =>
  `| ${name} | ${quantile(values, 0.5).toFixed(2)}${unit} | ${quantile(values, 0.1).toFixed(2)}–${quantile(values, 0.9).toFixed(2)}${unit} |`;
console.log(
  `machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}; ${rounds} pairs in turn`,
);
console.log('| | median | p10–p90 |\n|---|---|---|');
console.log(row('`node -e 0`', empty, ' ms'));
console.log(row('`argus --help`', help, ' ms'));
console.log(row('ratio', ratios, '×'));
