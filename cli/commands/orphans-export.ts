import { createWriteStream } from 'node:fs';
import { ArgusError } from '../../domain/errors.ts';
import { toLine } from '../../replication/orphans/orphan-record.ts';
import type { CommandContext } from '../context.ts';
import { chooseOrphans } from '../open-orphans.ts';
import { withComposition } from '../session.ts';

interface Options {
  readonly topic?: string;
  readonly promotion?: number;
  readonly to?: string;
}

/** `argus orphans export`: kept records as JSON lines, to a new file or stdout. */
export async function run(context: CommandContext, options: Options): Promise<number> {
  return withComposition(context, async (composition) => {
    const { signal } = context;
    const { store, partitions, origin } = await chooseOrphans(composition, options, signal);
    const out = options.to === undefined ? process.stdout : await newFile(options.to);
    let records = 0;
    try {
      for (const tp of partitions) {
        for await (const record of store.read(tp, origin, signal)) {
          records++;
          if (!out.write(`${JSON.stringify(toLine(record, tp))}\n`)) {
            await new Promise<void>((resolve, reject) => {
              out.once('drain', resolve);
              out.once('error', reject);
            });
          }
        }
      }
      if (out !== process.stdout) await new Promise<void>((resolve) => out.end(resolve));
    } finally {
      store.close();
    }
    context.tell(`${records} records${options.to === undefined ? '' : ` in ${options.to}`}`);
    return 0;
  });
}

/** Never over another file. */
function newFile(path: string): Promise<NodeJS.WritableStream> {
  return new Promise((resolve, reject) => {
    const stream = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    stream.once('open', () => resolve(stream));
    stream.once('error', (cause) => {
      reject(new ArgusError('FileNotWritten', `${path} can't be made: ${cause.message}`, { cause, exitCode: 2 }));
    });
  });
}
