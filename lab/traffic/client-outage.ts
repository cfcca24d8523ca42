import type { LedgerEntry } from './ledger.ts';

/** The time in which no acknowledgement came. */
export interface ClientOutage {
  readonly outageMs: number;
  /** The last acknowledgement before it. */
  readonly lastBeforeMs: number;
  /** The first acknowledgement after it. */
  readonly firstAfterMs: number;
}

/**
 * The longest gap between two acknowledgements that follow each other; nothing with fewer than two.
 * With `sinceMs` (the outage) only gaps count that end after it, so that a slow start is not taken for the outage.
 */
export function clientOutage(
  entries: Iterable<Pick<LedgerEntry, 'status' | 'answeredAtMs'>>,
  options: { readonly sinceMs?: number } = {},
): ClientOutage | undefined {
  const times: number[] = [];
  for (const { status, answeredAtMs } of entries) {
    if (status === 'acknowledged' && answeredAtMs !== undefined) times.push(answeredAtMs);
  }
  times.sort((a, b) => a - b);
  let longest: ClientOutage | undefined;
  for (let i = 1; i < times.length; i++) {
    const [lastBeforeMs, firstAfterMs] = [times[i - 1]!, times[i]!];
    if (options.sinceMs !== undefined && firstAfterMs <= options.sinceMs) continue;
    const outageMs = firstAfterMs - lastBeforeMs;
    if (longest === undefined || outageMs > longest.outageMs) longest = { outageMs, lastBeforeMs, firstAfterMs };
  }
  return longest;
}
