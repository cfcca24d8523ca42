import { parseArgs } from 'node:util';
import { ArgusError } from '../../domain/errors.ts';
import { shapes } from './shapes.ts';

export interface BenchOptions {
  /** A tenth of the records, one pair, short times: to see that everything works. */
  readonly quick: boolean;
  /** Ids of shapes and figures. */
  readonly only: ReadonlySet<string>;
  readonly pairs: number;
  /** Without MirrorMaker 2. */
  readonly alone: boolean;
  readonly tuning: Readonly<Record<string, number>>;
  readonly profileDir: string | undefined;
}

export const figures = ['transactions', 'distance', 'latency', 'idle'] as const;

export const usage = `Measures Argus' mirror beside MirrorMaker 2. The result is Markdown on standard output.

  npm run bench:mirror -- [options]

  --quick            a tenth of the records, one pair, short times
  --only <ids>       comma-separated: ${[...shapes.map((s) => s.id), ...figures].join(', ')}
  --pairs <n>        copies of each shape by each mirror (3)
  --alone            without MirrorMaker 2
  --tuning <json>    settings of the engine that differ from its defaults, {"fetchPaceMs": 4}
  --profile <dir>    a CPU profile of each run of Argus' mirror

Example: npm run bench:mirror -- --only lz4-64k,distance --pairs 1
`;

/** Reads the command line; undefined when only help is wanted. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const known = [...shapes.map((s) => s.id), ...figures];
  const only = values.only?.split(',') ?? known;
  const unknown = only.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw wrong(`--only: there is no ${unknown.join(', ')}`, `there are ${known.join(', ')}`);
  const pairs = Number(values.pairs ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(pairs) || pairs < 1) throw wrong('--pairs wants a number from 1 on');
  return {
    quick: values.quick ?? false,
    only: new Set(only),
    pairs,
    alone: values.alone ?? false,
    tuning: readTuning(values.tuning ?? '{}'),
    profileDir: values.profile,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        only: { type: 'string' },
        pairs: { type: 'string' },
        alone: { type: 'boolean' },
        tuning: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function readTuning(text: string): Readonly<Record<string, number>> {
  try {
    const value: unknown = JSON.parse(text);
    if (value && typeof value === 'object' && Object.values(value).every((v) => typeof v === 'number')) {
      return value as Record<string, number>;
    }
  } catch {
    // Told below, as any other text that is no such object.
  }
  throw wrong('--tuning wants a JSON object of numbers');
}

function wrong(message: string, hint = '`npm run bench:mirror -- --help` shows the options'): ArgusError {
  return new ArgusError('UsageError', message, { hint, exitCode: 2 });
}
