/** How far this machine's clock is ahead of a store's; negative when it is behind. */
export interface StoreClock {
  readonly aheadMs: number;
  /** It may be off by so much: the store tells whole seconds, and the answer took its time. */
  readonly uncertaintyMs: number;
}

/**
 * Compares the clocks by the `Date` of any answer of the store; no credentials are sent. `undefined` when nothing
 * answers, or without a date.
 */
export async function storeClock(
  endpoint: string,
  options: { readonly now: () => number; readonly signal?: AbortSignal },
): Promise<StoreClock | undefined> {
  const signals = [AbortSignal.timeout(2_000), ...(options.signal ? [options.signal] : [])];
  const beganMs = options.now();
  const answer = await fetch(endpoint, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.any(signals) }).catch(
    () => undefined,
  );
  const toldMs = Date.parse(answer?.headers.get('date') ?? '');
  if (Number.isNaN(toldMs)) return undefined;
  const endedMs = options.now();
  return { aheadMs: (beganMs + endedMs) / 2 - (toldMs + 500), uncertaintyMs: (endedMs - beganMs) / 2 + 500 };
}
