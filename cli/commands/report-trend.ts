import { gatherTrend } from '../../drills/report/gather.ts';
import { trendOf } from '../../drills/report/trend.ts';
import type { CommandContext } from '../context.ts';
import { type ReportFormat, writeReport } from '../report/write-report.ts';
import { withState } from '../session.ts';
import { argusVersion } from '../version.ts';

/** `argus report trend`: all runs and drills; exit code 1 when something of them can't be read. */
export async function run(context: CommandContext, options: ReportFormat): Promise<number> {
  return withState(context, async (state, loaded) => {
    const { signal, clock } = context;
    const { rto: rtoMs, rpo: rpoMs } = loaded.config.objectives;
    const { records, later, unreadable, uncounted } = await gatherTrend(state, { signal });
    const about = { objectives: { rtoMs, rpoMs }, madeAtMs: clock.now(), version: argusVersion };
    const model = trendOf(records, about, later);
    await writeReport(context, loaded, options, {
      subject: 'trend of all runs',
      model,
      journal: { run: 'all' },
      html: async () => (await import('../../drills/report/page/trend-page.ts')).trendPage(model),
      markdown: async () => (await import('../../drills/report/markdown.ts')).trendMarkdown(model),
    });
    for (const name of unreadable)
      context.tell(`the journal of ${name} is not as it was written: argus runs show ${name}`);
    for (const { run: name, error } of uncounted)
      context.tell(`what was counted after ${name} is left out: ${error.message}; ${error.hint}`);
    return unreadable.length + uncounted.length > 0 ? 1 : 0;
  });
}
