import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ensureTmux } from '../../lab/setup/tmux.ts';

const call = promisify(execFile);

/** Why there is no terminal for tests here; undefined: there is. */
export function terminalMissing(): string | undefined {
  if (existsSync('/usr/bin/tmux')) return undefined;
  if (existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg')) return undefined;
  return 'no tmux, and no apt-get to get it by';
}

/** A real terminal, in tmux, in which one command runs. */
export interface Terminal {
  /** Of the server that draws it. */
  readonly serverPid: number;
  /** What is seen now; with `colours` also the escape sequences that make them. */
  screen(colours?: boolean): Promise<string>;
  /** What is seen and what was scrolled away before it. */
  scrollback(): Promise<string>;
  /** Looks until it is seen, for a minute unless told; gives the screen. */
  until(seen: RegExp, forSeconds?: number): Promise<string>;
  press(...keys: readonly string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a terminal of this size with a command in it, of which each word is one argument; `exit <code>` is seen behind its end. */
export async function openTerminal(
  size: { readonly columns: number; readonly rows: number },
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Terminal> {
  const { path, libraryFolders } = await ensureTmux(AbortSignal.timeout(120_000));
  // Its own server; what would tell the command that it runs unattended is left out.
  const { CI: _, NO_COLOR: __, ...own } = process.env;
  const libraries = libraryFolders.length === 0 ? {} : { LD_LIBRARY_PATH: libraryFolders.join(':') };
  const socket = `argus-test-${randomBytes(6).toString('hex')}`;
  const options = { env: { ...own, LC_ALL: 'C.UTF-8', ...libraries, ...env }, timeout: 10_000 };
  const tmux = async (...args: readonly string[]) =>
    (await call(path, ['-L', socket, '-u', '-f', '/dev/null', ...args], options)).stdout;
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const { columns, rows } = size;
  const started = ['-d', '-s', 't', '-x', `${columns}`, '-y', `${rows}`, `${quoted}; echo "exit $?"; exec sleep 600`];
  await tmux('new-session', ...started);
  const screen = (colours = false) => tmux('capture-pane', '-p', ...(colours ? ['-e'] : []), '-t', 't');
  return {
    serverPid: Number(await tmux('display-message', '-p', '#{pid}')),
    screen,
    scrollback: () => tmux('capture-pane', '-p', '-S', '-', '-t', 't'),
    async until(seen, forSeconds = 60) {
      for (const deadline = performance.now() + forSeconds * 1_000; ; await sleep(100)) {
        const last = await screen();
        if (seen.test(last)) return last;
        if (performance.now() > deadline) throw new Error(`${seen} was not seen in ${forSeconds} s:\n${last}`);
      }
    },
    press: async (...keys) => void (await tmux('send-keys', '-t', 't', ...keys)),
    resize: async (x, y) => void (await tmux('resize-window', '-t', 't', '-x', `${x}`, '-y', `${y}`)),
    close: async () => void (await tmux('kill-server').catch(() => undefined)),
  };
}
