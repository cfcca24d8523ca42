import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EndedCommand } from './run-command.ts';

export interface AskedCommand {
  readonly id: number;
  readonly words: readonly string[];
  /** Stays set for the commands after it. */
  readonly env: Readonly<Record<string, string>>;
}

/** A process of its own in which commands of argus run, one after the other: the start of one for each is saved. */
export interface CommandProcess {
  /** A command that does not end within two minutes is an error, and ends the process; so is any after it. */
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<EndedCommand>;
  stop(): Promise<void>;
}

/** No command of these tests takes as long. */
const patienceMs = 120_000;

/** Starts the process, in this folder and with this environment. */
export function startCommandProcess(cwd: string, env: NodeJS.ProcessEnv): CommandProcess {
  const script = fileURLToPath(new URL('./commands-server.ts', import.meta.url));
  const child = fork(script, [], { cwd, env });
  const waiting = new Map<number, (ended: EndedCommand) => void>();
  const exited = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`the process for commands ended (${signal ?? code})`)));
  });
  exited.catch(() => undefined);
  child.on('message', ({ id, ended }: { readonly id: number; readonly ended: EndedCommand }) => {
    waiting.get(id)?.(ended);
    waiting.delete(id);
  });
  let asked = 0;
  return {
    async run(words, more = {}) {
      if (!child.connected) return exited;
      const id = ++asked;
      const ended = new Promise<EndedCommand>((resolve) => void waiting.set(id, resolve));
      // What can't be sent any more is told by `exited`.
      child.send({ id, words, env: more } satisfies AskedCommand, () => undefined);
      let clock: NodeJS.Timeout | undefined;
      const hung = new Promise<never>((_, reject) => {
        clock = setTimeout(() => {
          child.kill('SIGKILL');
          reject(new Error(`argus ${words.join(' ')} did not end within ${patienceMs / 1_000} s`));
        }, patienceMs);
      });
      return Promise.race([ended, exited, hung]).finally(() => clearTimeout(clock));
    },
    async stop() {
      child.kill('SIGKILL');
      await exited.catch(() => undefined);
    },
  };
}
