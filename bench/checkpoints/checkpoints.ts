// Measures what Argus does with checkpoints: `npm run bench:checkpoints`.
import { parseArgs } from 'node:util';
import { copyShapes, measureCopies } from './copy.ts';
import { measureMetadata } from './metadata.ts';
import { measureRecoveryPoint } from './recovery-point.ts';

const figures = ['metadata', 'recovery-point', 'copy'];

const usage = `Measures what Argus does with checkpoints. The result is Markdown on standard output.

  npm run bench:checkpoints -- [options]

  --quick         a tenth of the size, one pair
  --only <ids>    comma-separated: metadata, recovery-point, copy (all)
  --pairs <n>     runs of each side (5)
  --shapes <ids>  of the copies, comma-separated: ${copyShapes.join(', ')} (all)
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: figures.join(',') },
      pairs: { type: 'string' },
      shapes: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const only = values.only.split(',');
  const shapes = values.shapes?.split(',') ?? [];
  const unknown = [
    ...only.filter((id) => !figures.includes(id)),
    ...shapes.filter((id) => !copyShapes.some((shape) => shape === id)),
  ];
  const { quick } = values;
  const pairs = Number(values.pairs ?? (quick ? 1 : 5));
  if (values.help || unknown.length > 0 || !Number.isInteger(pairs) || pairs < 1) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const say = (line: string) => console.error(line);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(new Error(signal)));
  if (only.includes('metadata')) console.log(await measureMetadata(quick ? 10_000 : 100_000, pairs, say));
  if (only.includes('recovery-point')) console.log(measureRecoveryPoint(quick ? 50 : 500, pairs, say));
  if (only.includes('copy')) console.log(await measureCopies({ quick, pairs, shapes, say }, stopping.signal));
}

await main();
