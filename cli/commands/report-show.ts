import { gatherFacts, newestRun } from '../../drills/report/gather.ts';
import { reportOf } from '../../drills/report/report-of.ts';
import type { CommandContext } from '../context.ts';
import { type ReportFormat, writeReport } from '../report/write-report.ts';
import { withState } from '../session.ts';
import { argusVersion } from '../version.ts';

/** `argus report show [run]`: exit code 2 for a run that isn't there, 3 when its journal is not as it was written. */
export async function run(context: CommandContext, options: ReportFormat & { readonly run: string }): Promise<number> {
  return withState(context, async (state, loaded) => {
    const { signal, clock } = context;
    const { rto: rtoMs, rpo: rpoMs } = loaded.config.objectives;
    const name = options.run === 'latest' ? await newestRun(state, { signal }) : options.run;
    const about = { objectives: { rtoMs, rpoMs }, madeAtMs: clock.now(), version: argusVersion };
    const model = reportOf(await gatherFacts(state, name, about, { signal }));
    const { entries, head, fault } = model.journal;
    await writeReport(context, loaded, options, {
      subject: `report of ${name}`,
      model,
      journal: { run: name, entries, ...(head === undefined ? {} : { head }) },
      html: async () => (await import('../../drills/report/page/report-page.ts')).reportPage(model),
      markdown: async () => (await import('../../drills/report/markdown.ts')).reportMarkdown(model),
    });
    if (fault === undefined) return 0;
    context.tell(`the journal of ${name} is not as it was written from entry ${fault.seq} on: ${fault.why}`);
    return 3;
  });
}
