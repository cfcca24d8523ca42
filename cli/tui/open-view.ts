import { writeSync } from 'node:fs';
import type { Screen } from '../screen.ts';
import type { Line, Size } from './line.ts';
import { paperOf } from './paper.ts';

/** A view on the whole screen; what was there before is there again once it is closed. */
export interface OpenView {
  /** Draws soon: something has changed. */
  changed(): void;
  /** The terminal is as it was before. */
  close(): Promise<void>;
}

export interface ViewOptions {
  readonly screen: Screen;
  /** What is to be seen now, on a screen of this size. Called for each frame. */
  readonly view: (size: Size) => readonly Line[];
  /** Drawn at least so often: clocks go on. */
  readonly everyMs: number;
  /** A key that was pressed; Ctrl-C and Ctrl-\ are not told, they do what they do everywhere. Absent: keys do nothing. */
  readonly onKey?: (key: string) => void;
  /** It can't be drawn any more. The terminal is as it was before. */
  readonly onBroken: (error: unknown) => void;
}

/** A terminal that takes nothing isn't waited for longer at the end. */
const closeMs = 2_000;

/** At most so many frames a second. */
const maxFps = 10;

/** Takes the screen. Only here and in what this loads are React and Ink: they are loaded when a view is opened. */
export async function openView({ screen, view, everyMs, onKey, onBroken }: ViewOptions): Promise<OpenView> {
  const [{ render }, { createElement }, { Lines }] = await withProductionReact(() =>
    Promise.all([import('ink'), import('react'), import('./drawing.ts')]),
  );
  const paper = paperOf(screen);
  const frame = () => {
    const { columns, rows } = screen.output;
    return createElement(Lines, { lines: view({ columns, rows }), colours: screen.colours });
  };
  let over = false;
  const leave = takeKeys(screen, onKey);
  const instance = render(frame(), {
    stdout: paper.stream,
    stderr: paper.stream,
    exitOnCtrlC: false,
    patchConsole: false,
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    maxFps,
  });
  // Ended at once (a second Ctrl-C), nothing drains any more; and what a crash says has to be seen.
  const atExit = () => {
    if (!over) restoreNow(screen);
  };
  process.once('exit', atExit);
  process.once('uncaughtExceptionMonitor', atExit);
  const end = () => {
    over = true;
    clearInterval(ticks);
    screen.output.off('resize', draw);
    process.off('exit', atExit);
    process.off('uncaughtExceptionMonitor', atExit);
    leave();
  };
  const draw = () => {
    if (over || paper.isFull()) return;
    try {
      instance.rerender(frame());
    } catch (error) {
      end();
      instance.cleanup();
      onBroken(error);
    }
  };
  const ticks = setInterval(draw, everyMs);
  screen.output.on('resize', draw);
  instance.waitUntilExit().catch((error: unknown) => {
    if (over) return;
    end();
    onBroken(error);
  });
  return {
    changed: draw,
    async close() {
      if (over) return;
      end();
      // Some terminals that were resized keep of the view what lies beyond their earlier size.
      instance.rerender(createElement(Lines, { lines: [], colours: false }));
      instance.unmount();
      await paper.flush(closeMs);
    },
  };
}

/** React decides when it is loaded whether it is for development, where it is slow and keeps notes on each frame. */
async function withProductionReact<T>(load: () => Promise<T>): Promise<T> {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  try {
    return await load();
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
}

const interruptKey = '\u0003';
const quitKey = '\u001c';

/** Keys come one by one and aren't echoed into the view; those that end a command still do. */
function takeKeys(screen: Screen, onKey: ((key: string) => void) | undefined): () => void {
  const { input } = screen;
  if (input === undefined) return () => undefined;
  // It ends the process without a word to it.
  const quit = () => {
    restoreNow(screen);
    process.kill(process.pid, 'SIGQUIT');
  };
  const pressed = (keys: string | Buffer) => {
    for (const key of keys.toString()) {
      if (key === interruptKey) process.kill(process.pid, 'SIGINT');
      else if (key === quitKey) quit();
      else onKey?.(key);
    }
  };
  input.setRawMode(true);
  input.on('data', pressed);
  input.resume();
  return () => {
    input.off('data', pressed);
    input.pause();
    input.setRawMode(false);
  };
}

function restoreNow({ input, fd }: Screen): void {
  try {
    input?.setRawMode(false);
    // The screen as it was, and its cursor.
    writeSync(fd, '\u001b[?1049l\u001b[?25h');
  } catch {
    // The terminal is gone.
  }
}
