import type { CommandContext } from '../context.ts';
import type { Screen } from '../screen.ts';
import type { RunNews } from '../watch/journal-feed.ts';
import { openView } from './open-view.ts';
import { happeningIn, notBegun, progressed, type RunAbout } from './run-progress.ts';
import { runView } from './run-view.ts';

const drawEveryMs = 500;
const leaveKeys = ['q', 'Q', '\u0004'];

/** Shows a run that is followed by its journal, until it is closed; `leave` is called when a person has seen enough. */
export async function showJournal(
  { clock }: Pick<CommandContext, 'clock'>,
  screen: Screen,
  about: RunAbout,
  beganAtMs: number,
  leave: () => void,
): Promise<{ show(news: RunNews): void; close(): Promise<void> }> {
  let run = notBegun(about, beganAtMs);
  const view = await openView({
    screen,
    view: (size) => runView(run, clock.now(), size, 'q leaves; the run goes on'),
    everyMs: drawEveryMs,
    onKey: (key) => {
      if (leaveKeys.includes(key)) leave();
    },
    onBroken: leave,
  });
  const release = screen.divert(() => undefined);
  return {
    show(news) {
      const what =
        news.kind === 'entry'
          ? happeningIn(news.entry)
          : ({ kind: 'said', text: news.text, atMs: clock.now() } as const);
      if (what === undefined) return;
      run = progressed(run, what);
      view.changed();
    },
    async close() {
      await view.close();
      release();
    },
  };
}
