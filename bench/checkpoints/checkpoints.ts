// Measures what Argus does with checkpoints: `npm run bench:checkpoints`.
import { parseArgs } from 'node:util';
import { measureMetadata } from './metadata.ts';

const usage = `Measures what Argus does with checkpoints. The result is Markdown on standard output.

  npm run bench:checkpoints -- [options]

  --quick         a tenth of the size, one pair
  --only <ids>    comma-separated: metadata
  --pairs <n>     runs of each side (5)
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: 'metadata' },
      pairs: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = values.only.split(',').filter((id) => id !== 'metadata');
  const pairs = Number(values.pairs ?? (values.quick ? 1 : 5));
  if (values.help || unknown.length > 0 || !Number.isInteger(pairs) || pairs < 1) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  console.log(await measureMetadata(values.quick ? 10_000 : 100_000, pairs, (line) => console.error(line)));
}

await main();
