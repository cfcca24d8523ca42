import type { ReadStream, WriteStream } from 'node:tty';
import { inForeground } from './foreground.ts';

/** A terminal on which a live view can be drawn. */
export interface Screen {
  /** Where keys come from; absent: nobody can press one. */
  readonly input?: ReadStream;
  /** Where it is drawn, and how large that is. */
  readonly output: Pick<WriteStream, 'columns' | 'rows' | 'on' | 'off'>;
  /** The same as a file descriptor. */
  readonly fd: number;
  readonly colours: boolean;
  /** From now on what is told goes there instead of to the terminal, until the returned function is called. */
  divert(to: (text: string) => void): () => void;
}

/** Smaller than this a view has no room: lines are told instead. */
export const smallest = { columns: 80, rows: 24 } as const;

/** Whether a view has room on it. */
export function hasRoom({ output }: Pick<Screen, 'output'>): boolean {
  return output.columns >= smallest.columns && output.rows >= smallest.rows;
}

/** What people are told, on stderr, unless somebody draws there. */
export interface Teller {
  tell(text: string): void;
  divert: Screen['divert'];
}

/** Tells by `write`, a whole line at least. */
export function tellerBy(write: (text: string) => void): Teller {
  let diverted: ((text: string) => void) | undefined;
  return {
    tell: (text) => (diverted === undefined ? write(text.endsWith('\n') ? text : `${text}\n`) : diverted(text)),
    divert(to) {
      diverted = to;
      return () => {
        if (diverted === to) diverted = undefined;
      };
    },
  };
}

/** The screen of this process; undefined where there is no terminal, none wanted, or others have it. */
export function screenOf(
  { stdin, stderr, env }: Pick<NodeJS.Process, 'stdin' | 'stderr' | 'env'>,
  { divert }: Teller,
  { json, plain }: { readonly json: boolean; readonly plain: boolean },
  foreground: () => boolean = inForeground,
): Screen | undefined {
  if (json || plain || stderr.isTTY !== true || env.TERM === 'dumb' || !foreground()) return undefined;
  return {
    output: stderr,
    fd: stderr.fd,
    colours: !env.NO_COLOR,
    divert,
    ...(stdin.isTTY === true ? { input: stdin } : {}),
  };
}
