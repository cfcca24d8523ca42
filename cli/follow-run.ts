import type { RunEvent } from '../runbooks/engine/run-result.ts';
import type { CommandContext } from './context.ts';
import { renderEvent } from './render-failover.ts';
import { hasRoom } from './screen.ts';
import type { RunAbout } from './tui/run-progress.ts';

/** What a run tells while it goes on. */
export interface RunListeners {
  readonly onEvent: (event: RunEvent) => void;
  readonly onWaiting: (message: string) => void;
}

/**
 * Carries a run out, and shows how far it is: on the whole screen at a terminal that has room for it, where afterwards
 * what was told stands as lines; else as lines at once. What is shown decides nothing, and a terminal that can't be drawn
 * on hinders nothing.
 */
export async function followRun<T>(
  context: Pick<CommandContext, 'screen' | 'tell' | 'clock' | 'signal'>,
  about: RunAbout,
  act: (listeners: RunListeners) => Promise<T>,
): Promise<T> {
  const { screen, tell } = context;
  const lines: RunListeners = { onEvent: (event) => tell(renderEvent(event)), onWaiting: tell };
  if (screen === undefined || !hasRoom(screen)) return act(lines);
  const { showRun } = await import('./tui/show-run.ts');
  const shown = await showRun(context, screen, about).catch(() => undefined);
  if (shown === undefined) return act(lines);
  try {
    return await act({
      onEvent: (event) => shown.happened(event, renderEvent(event)),
      onWaiting: (message) => shown.said(message),
    });
  } finally {
    await shown.close();
  }
}
