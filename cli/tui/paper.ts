import { EventEmitter } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Screen } from '../screen.ts';

/**
 * A terminal as it is drawn on: what is drawn goes there by a thread of its own. A terminal that takes nothing more (an
 * ssh connection that hangs) holds back the drawing, and never what runs here; Node's own streams would wait for it.
 */
export interface Paper {
  /** For who draws: as large as the terminal, and told when that changes. */
  readonly stream: NodeJS.WriteStream;
  /** It takes nothing at the moment: draw later. */
  isFull(): boolean;
  /** Resolves when all is on the terminal, or after `ms`. */
  flush(ms: number): Promise<void>;
}

/** So much may be on its way to the terminal. */
const roomBytes = 64 * 1024;

/** Draws on this terminal. */
export function paperOf({ output: terminal, fd }: Pick<Screen, 'output' | 'fd'>): Paper {
  const out = createWriteStream('', { fd, autoClose: false, emitClose: false });
  // A terminal that is gone: there is nothing to draw on, and all else goes on.
  out.on('error', () => undefined);
  const stream = new EventEmitter() as EventEmitter & Record<string, unknown>;
  stream.isTTY = true;
  stream.write = (chunk: string, ...rest: unknown[]) => {
    const done = rest.find((r): r is () => void => typeof r === 'function');
    return out.write(chunk, () => done?.());
  };
  Object.defineProperties(stream, {
    columns: { get: () => terminal.columns },
    rows: { get: () => terminal.rows },
    writable: { get: () => out.writable },
    destroyed: { get: () => out.destroyed },
    writableEnded: { get: () => out.writableEnded },
    writableLength: { get: () => out.writableLength },
  });
  const resized = () => stream.emit('resize');
  stream.on('newListener', (event) => {
    if (event === 'resize' && stream.listenerCount('resize') === 0) terminal.on('resize', resized);
  });
  stream.on('removeListener', (event) => {
    if (event === 'resize' && stream.listenerCount('resize') === 0) terminal.off('resize', resized);
  });
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    isFull: () => out.writableLength > roomBytes,
    flush: (ms) =>
      new Promise((resolve) => {
        const late = setTimeout(resolve, ms);
        out.write('', () => {
          clearTimeout(late);
          resolve();
        });
      }),
  };
}
