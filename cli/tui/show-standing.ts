import type { CommandContext } from '../context.ts';
import type { Screen } from '../screen.ts';
import type { Look } from '../watch/look.ts';
import type { WatchEnd } from '../watch/watch-status.ts';
import { openView } from './open-view.ts';
import { noHistory, remember } from './standing-history.ts';
import { standingView } from './standing-view.ts';

const drawEveryMs = 1_000;
const leaveKeys = ['q', 'Q', '\u0004'];

/** Shows how things stand until it is closed; `leave` is called when a person has seen enough, or wants to follow the run at work. */
export async function showStanding(
  { clock }: Pick<CommandContext, 'clock'>,
  screen: Screen,
  leave: (end: WatchEnd) => void,
): Promise<{ show(look: Look): void; close(): Promise<void> }> {
  let newest: Look | undefined;
  let history = noHistory;
  const view = await openView({
    screen,
    view: (size) => standingView(newest, history, clock.now(), size),
    everyMs: drawEveryMs,
    onKey(key) {
      const running = newest?.status.runs.running;
      if (leaveKeys.includes(key)) leave({ kind: 'left' });
      else if (key === 'r' && running?.state === 'running') leave({ kind: 'follow', run: running.id });
    },
    onBroken: () => leave({ kind: 'left' }),
  });
  const release = screen.divert(() => undefined);
  return {
    show(look) {
      newest = look;
      history = remember(history, look);
      view.changed();
    },
    async close() {
      await view.close();
      release();
    },
  };
}
