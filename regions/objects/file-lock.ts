import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';

const WAIT_MS = 10_000;
/** A breaker works for microseconds; one that is older died within. */
const BREAKER_STALE_MS = 10_000;

/**
 * Runs `work` while this process alone holds the lock of that name, among all processes of this machine.
 * The lock is a file that names its holder, made by link(2), so it is never seen half-written; one whose process is
 * gone is removed. `ObjectStoreUnreachable` (retryable) when it isn't free within 10 s.
 */
export async function withFileLock<T>(
  folder: string,
  name: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(folder, { recursive: true });
  const lock = join(folder, name);
  const claim = join(folder, `${name}.${randomUUID()}`);
  await writeFile(claim, `${process.pid} ${await startOf(process.pid)}`);
  try {
    const deadline = performance.now() + WAIT_MS;
    while (!(await tryLink(claim, lock))) {
      signal?.throwIfAborted();
      if (performance.now() > deadline) {
        throw new ArgusError('ObjectStoreUnreachable', `the lock ${lock} was not free for ${WAIT_MS / 1_000} s`, {
          hint: 'Another Argus process of this machine holds it; see whether one hangs.',
          retryable: true,
        });
      }
      await breakIfDead(lock);
      await sleep(1 + Math.random() * 4, undefined, signal === undefined ? {} : { signal });
    }
  } finally {
    await unlink(claim);
  }
  try {
    return await work();
  } finally {
    await unlink(lock);
  }
}

async function tryLink(claim: string, lock: string): Promise<boolean> {
  try {
    await link(claim, lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a dead process' lock. Only the holder of `.breaker` may, and it looks again first: what it then removes can
 * only be the dead one's, since nobody else would have removed that.
 */
async function breakIfDead(lock: string): Promise<void> {
  if (await isHeld(lock)) return;
  const breaker = `${lock}.breaker`;
  try {
    await writeFile(breaker, '', { flag: 'wx' });
  } catch {
    const made = await stat(breaker).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > BREAKER_STALE_MS) await unlink(breaker).catch(() => {});
    return;
  }
  try {
    if (!(await isHeld(lock))) await unlink(lock).catch(() => {});
  } finally {
    await unlink(breaker).catch(() => {});
  }
}

/** True also for a lock that is gone: there is nothing to break. */
async function isHeld(lock: string): Promise<boolean> {
  const text = await readFile(lock, 'utf8').catch(() => undefined);
  if (text === undefined) return true;
  const [pid = '', start = ''] = text.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
  }
  return (await startOf(Number(pid))) === start;
}

/** When a process began, in clock ticks since boot: tells a reused pid. Empty where /proc doesn't say. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Field 22; the command's name, field 2, may itself hold blanks and brackets.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
