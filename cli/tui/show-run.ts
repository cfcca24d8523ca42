import type { RunEvent } from '../../runbooks/engine/run-result.ts';
import type { CommandContext } from '../context.ts';
import type { Screen } from '../screen.ts';
import { openView } from './open-view.ts';
import { type Happening, happeningOf, notBegun, progressed, type RunAbout } from './run-progress.ts';
import { runView } from './run-view.ts';

/** A run that is shown on the whole screen. */
export interface ShownRun {
  /** `text`: the same as a line. */
  happened(event: RunEvent, text: string): void;
  said(text: string): void;
  /** Gives the screen back; then what happened meanwhile is told as lines. */
  close(): Promise<void>;
}

const drawEveryMs = 500;

/**
 * Shows a run until it is closed. What is told meanwhile, by whomever, is kept and told in the end; at once when nothing
 * can be drawn any more.
 */
export async function showRun(
  { clock, signal, tell }: Pick<CommandContext, 'clock' | 'signal' | 'tell'>,
  screen: Screen,
  about: RunAbout,
): Promise<ShownRun> {
  let run = notBegun(about, clock.now());
  let kept: string[] | undefined = [];
  const keep = (text: string) => (kept === undefined ? tell(text) : void kept.push(text));
  let release: () => void = () => undefined;
  const tellKept = () => {
    release();
    const told = kept ?? [];
    kept = undefined;
    for (const text of told) tell(text);
  };
  const view = await openView({
    screen,
    view: (size) => runView(run, clock.now(), size, 'Ctrl-C asks it to stop'),
    everyMs: drawEveryMs,
    onBroken: tellKept,
  });
  const show = (what: Happening) => {
    run = progressed(run, what);
    view.changed();
  };
  const said = (text: string) => {
    keep(text);
    show({ kind: signal.aborted ? 'stopping' : 'said', text: text.trim(), atMs: clock.now() });
  };
  release = screen.divert(said);
  return {
    happened(event, text) {
      keep(text);
      show(happeningOf(event));
    },
    said,
    async close() {
      await view.close();
      tellKept();
    },
  };
}
