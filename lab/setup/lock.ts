import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called once when another set-up holds the lock and this one waits. */
  waiting?(holderPid: number): void;
  readonly pollMs?: number;
}

/**
 * Takes the cache folder's lock, after waiting for the set-up that holds it; resolves with the function that gives it
 * back. The lock of a process that died is taken over: its pid and start time are written in it.
 */
export async function lockFolder(folder: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const path = join(folder, '.lock');
  const own = join(folder, `.lock-${process.pid}-${randomUUID()}`);
  const mine = `${process.pid} ${(await startTime(process.pid)) ?? '-'} ${randomUUID()}\n`;
  await writeFile(own, mine);
  let told = false;
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      if (await linked(own, path)) break;
      const holder = await readFile(path, 'utf8').catch(() => undefined);
      if (holder === undefined) continue;
      if (await isAlive(holder)) {
        if (!told) options.waiting?.(Number.parseInt(holder, 10));
        told = true;
        await sleep(options.pollMs ?? 300, undefined, options.signal ? { signal: options.signal } : {});
      } else await breakLock(path, holder);
    }
  } finally {
    await rm(own, { force: true });
  }
  return async () => {
    if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, { force: true });
  };
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a dead process's lock out of the way, and puts back one that a live process took in the meantime. */
async function breakLock(path: string, dead: string): Promise<void> {
  const aside = `${path}-${process.pid}-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return; // Another waiter was faster.
  }
  if ((await readFile(aside, 'utf8')) !== dead) await linked(aside, path);
  await rm(aside, { force: true });
}

async function isAlive(holder: string): Promise<boolean> {
  const [pid = '', started = '-'] = holder.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = await startTime(Number(pid));
  return now === undefined || started === '-' || now === started;
}

/** Field 22 of /proc/<pid>/stat (proc(5)): a pid that was given to another process has another one. */
async function startTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}
