import { spawn } from 'node:child_process';
import { siblingEntry } from './entry.ts';

/** Watches over a lab for its owner. */
export interface Reaper {
  /** The lab goes on without its owner from now on. */
  letLive(): Promise<void>;
  /** Waits until the watcher has ended, after the lab was taken down. */
  end(): Promise<void>;
}

/**
 * Starts a small process that ends the lab when this one is gone, however it went: it reads a pipe that only this
 * process holds open.
 */
export function startReaper(dir: string, id: string): Reaper {
  const child = spawn(process.execPath, [siblingEntry(import.meta.url, './reaper-process'), dir, id], {
    // A session of its own: Ctrl-C on the terminal must not reach it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  const ended = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    child.on('error', () => resolve());
  });
  child.unref();
  const pipe = child.stdin;
  // A watcher that is gone already can't be told: nothing to do about it here.
  pipe.on('error', () => undefined);
  (pipe as unknown as { unref(): void }).unref();
  const finish = async (word: string): Promise<void> => {
    pipe.end(word);
    child.ref();
    await ended;
  };
  return { letLive: () => finish('keep'), end: () => finish('') };
}
