import { setTimeout as sleep } from 'node:timers/promises';

const MOST_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 50;

/**
 * Repeats what may succeed a moment later, twice at most. Pauses grow, and differ between callers. After the signal no
 * attempt is begun; the last error is thrown.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (attempts >= MOST_ATTEMPTS || signal?.aborted || !mayPass(error)) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** attempts * Math.random(), undefined, signal === undefined ? {} : { signal });
    }
  }
}
