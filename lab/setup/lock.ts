import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called once when another set-up holds the lock and this one waits. */
  waiting?(holderPid: number): void;
  readonly pollMs?: number;
}

/**
 * Takes the folder's lock, after waiting for the set-up that holds it; resolves with the function that gives it back.
 * The lock is a socket in Linux's abstract namespace (unix(7)): one process can hold the name, and the system frees it
 * when that process ends, however it ends. Nothing is left in the folder that somebody would have to judge.
 */
export async function lockFolder(folder: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const name = `\0argus-lab-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)}`;
  let told = false;
  for (;;) {
    options.signal?.throwIfAborted();
    const server = await listening(name);
    if (server) {
      return () => new Promise((resolve) => server.close(() => resolve()));
    }
    if (!told) {
      const holder = await holderOf(name);
      if (holder !== undefined) {
        told = true;
        options.waiting?.(holder);
      }
    }
    await sleep(options.pollMs ?? 300, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** The lock's server, or undefined while somebody else has the name. It tells whoever asks which process holds it. */
function listening(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined); // The asker went away: nothing depends on its hearing us.
      socket.end(`${process.pid}\n`);
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path: name, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Which process holds the lock; undefined when it was just given back, or does not say so within a second. */
function holderOf(name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ path: name });
    socket.setTimeout(1_000, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (data: string) => {
      text += data;
    });
    socket.on('error', () => undefined); // 'close' follows, and gives what there is.
    socket.on('close', () => resolve(/^\d+\n$/.test(text) ? Number.parseInt(text, 10) : undefined));
  });
}
