import { setTimeout as sleep } from 'node:timers/promises';
import { auditorClient, topicEnds } from './read-topic.ts';

/** What is watched, and for how long. */
export interface SettleOptions {
  readonly bootstrap: string | readonly string[];
  readonly topics: readonly string[];
  /**
   * How long no log end may move. It must be longer than the job's checkpoint interval: the output of an interval
   * becomes visible with its checkpoint. 10 s when absent.
   */
  readonly stillMs?: number;
  /** 90 s when absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const askMs = 500;

/**
 * Waits until the ends of the given topics stand still. True when they do, false when they still moved at the end of
 * the time.
 */
export async function waitUntilSettled(options: SettleOptions): Promise<boolean> {
  const admin = auditorClient(options.bootstrap).admin();
  await admin.connect();
  try {
    const startMs = performance.now();
    let before = '';
    let sinceMs = startMs;
    for (;;) {
      // A broker that was just started or thawed may not lead its partitions yet: that is no rest.
      const ends = await Promise.all(options.topics.map((topic) => topicEnds(admin, topic))).catch(() => undefined);
      const now = performance.now();
      const seen = JSON.stringify(ends ?? now);
      if (seen !== before) sinceMs = now;
      before = seen;
      if (now - sinceMs >= (options.stillMs ?? 10_000)) return true;
      if (now - startMs >= (options.timeoutMs ?? 90_000)) return false;
      await sleep(askMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  } finally {
    await admin.disconnect();
  }
}
