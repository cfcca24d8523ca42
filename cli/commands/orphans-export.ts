import { toLine } from '../../replication/orphans/orphan-record.ts';
import type { CommandContext } from '../context.ts';
import { chooseOrphans } from '../open-orphans.ts';
import { withComposition } from '../session.ts';
import { newFile, writeLines } from '../write-lines.ts';

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
    async function* lines() {
      for (const tp of partitions) {
        for await (const record of store.read(tp, origin, signal)) yield JSON.stringify(toLine(record, tp));
      }
    }
    try {
      const out = options.to === undefined ? process.stdout : await newFile(options.to);
      const records = await writeLines(lines, out, signal);
      context.tell(`${records} records${options.to === undefined ? '' : ` in ${options.to}`}`);
      return 0;
    } finally {
      store.close();
    }
  });
}
