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
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<EndedCommand>;
  stop(): Promise<void>;
}

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
      const id = ++asked;
      const ended = new Promise<EndedCommand>((resolve) => void waiting.set(id, resolve));
      child.send({ id, words, env: more } satisfies AskedCommand);
      return Promise.race([ended, exited]);
    },
    async stop() {
      child.kill('SIGKILL');
      await exited.catch(() => undefined);
    },
  };
}
