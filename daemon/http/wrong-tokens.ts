/** Bounds guessing: who showed wrong tokens too often is not listened to for the rest of a minute. */
export interface WrongTokens {
  /** How long this address is not listened to; 0: it is. */
  barredMs(address: string, nowMs: number): number;
  note(address: string, nowMs: number): void;
}

const windowMs = 60_000;

/** Counts by address in fixed minutes; at most `addresses` of them are remembered, the oldest are forgotten first. */
export function wrongTokens({ perMinute = 20, addresses = 1_000 } = {}): WrongTokens {
  const seen = new Map<string, { fromMs: number; count: number }>();
  return {
    barredMs(address, nowMs) {
      const entry = seen.get(address);
      if (entry === undefined || nowMs - entry.fromMs >= windowMs || entry.count < perMinute) return 0;
      return windowMs - (nowMs - entry.fromMs);
    },
    note(address, nowMs) {
      const entry = seen.get(address);
      const current = entry !== undefined && nowMs - entry.fromMs < windowMs ? entry : { fromMs: nowMs, count: 0 };
      current.count++;
      seen.delete(address);
      seen.set(address, current);
      for (const oldest of seen.keys()) {
        if (seen.size <= addresses) break;
        seen.delete(oldest);
      }
    },
  };
}
