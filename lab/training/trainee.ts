import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** What a trainee says to the lesson; everything else he does with Argus, in another terminal. */
export type Word = 'hint' | 'wait' | 'done' | 'quit';

/** Whoever is trained. */
export interface Trainee {
  close(): Promise<void>;
}

const words: readonly Word[] = ['hint', 'wait', 'done', 'quit'];

/** The word in a line that was typed; undefined when it is none. Pure. */
export function wordIn(line: string): Word | undefined {
  const typed = line.trim().toLowerCase().split(/\s+/)[0];
  return words.find((w) => w === typed);
}

/** Listens to a person at this terminal. */
export function personAt(input: Readable, onWord: (word: Word | undefined) => void): Trainee {
  const lines = createInterface({ input });
  lines.on('line', (line) => {
    if (line.trim() !== '') onWord(wordIn(line));
  });
  return { close: async () => lines.close() };
}

/** A program in a person's place: each line of its standard output is what he would type. */
export function scriptedTrainee(
  script: string,
  env: NodeJS.ProcessEnv,
  onWord: (word: Word | undefined) => void,
): Trainee {
  const child = spawn(script, [], { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.trim() !== '') onWord(wordIn(line));
  });
  return {
    async close() {
      // With all that it started.
      try {
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
      await ended;
    },
  };
}
