import { ArgusError, describeError } from '../../domain/errors.ts';
import type { RunbookName } from '../../runbooks/document/document.ts';
import { renderMarkdown } from '../../runbooks/document/markdown.ts';
import type { CommandContext } from '../context.ts';
import { darkComposition } from '../dark-composition.ts';
import { renderRunbook } from '../render-runbook.ts';
import { documentOf } from '../runbook-document.ts';
import { withComposition } from '../session.ts';

interface Options {
  readonly runbook: string;
  readonly markdown?: boolean;
}

const names: readonly RunbookName[] = ['failover', 'switchover', 'failback'];

/** `argus runbook show <name>`: the document with the values of now. What can't be asked is told as unknown; changes nothing. */
export async function run(context: CommandContext, options: Options): Promise<number> {
  const name = names.find((n) => n === options.runbook);
  if (name === undefined) {
    const hint = `the runbooks are ${names.join(', ')}`;
    throw new ArgusError('RunbookMissing', `no runbook is called ${options.runbook}`, { exitCode: 2, hint });
  }
  const loaded = await context.loadConfig();
  const document = await withComposition(context, (composition) => documentOf(context, composition, name)).catch(
    (error: unknown) => {
      context.signal.throwIfAborted();
      const why = describeError(error);
      return documentOf(context, darkComposition(loaded, why), name, [why]);
    },
  );
  if (context.json) context.print(JSON.stringify(document));
  else context.print(options.markdown ? renderMarkdown(document) : renderRunbook(document));
  return 0;
}
