import { writeFile } from 'node:fs/promises';
import { alertGroups, renderRules } from '../../health/alerts/render-rules.ts';
import type { CommandContext } from '../context.ts';

interface Options {
  readonly out?: string;
  readonly job?: string;
  /** Milliseconds. */
  readonly forAtMost?: number;
}

/** `argus alerts render`: needs no configuration. */
export async function run(context: CommandContext, { out, job, forAtMost }: Options): Promise<number> {
  const text = renderRules({
    ...(job === undefined ? {} : { job }),
    ...(forAtMost === undefined ? {} : { forAtMostSeconds: Math.ceil(forAtMost / 1_000) }),
  });
  if (out !== undefined) await writeFile(out, text);
  if (context.json) context.print(JSON.stringify({ file: out ?? null, groups: alertGroups(job) }));
  else if (out === undefined) context.print(text.trimEnd());
  else context.tell(`${out} is written; try it with promtool check rules ${out}`);
  return 0;
}
