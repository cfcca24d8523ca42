/** How many calls of an API may still be made; refilled evenly. */
export interface CallBudget {
  readonly left: number;
  /** When that was so, monotonic. */
  readonly atMs: number;
}

export interface CallLimit {
  /** Calls that may come at once, and that come back in `windowMs`: in no window are more than twice as many made. */
  readonly calls: number;
  readonly windowMs: number;
  /** Of these, what only an urgent call may take. */
  readonly reserve: number;
}

/** A budget of which nothing was taken. */
export function fullBudget(limit: CallLimit, atMs: number): CallBudget {
  return { left: limit.calls, atMs };
}

/** Takes one call, or says after how long it may be asked again. An urgent one may use the reserve. Pure. */
export function takeCall(
  budget: CallBudget,
  limit: CallLimit,
  { urgent, atMs }: { readonly urgent: boolean; readonly atMs: number },
): { readonly kind: 'taken' | 'wait'; readonly budget: CallBudget; readonly waitMs: number } {
  const perMs = limit.calls / limit.windowMs;
  const elapsedMs = Math.max(0, atMs - budget.atMs);
  const left = Math.min(limit.calls, budget.left + elapsedMs * perMs);
  const now = { left, atMs: budget.atMs + elapsedMs };
  const missing = (urgent ? 1 : limit.reserve + 1) - left;
  if (missing > 0) return { kind: 'wait', budget: now, waitMs: Math.ceil(missing / perMs) };
  return { kind: 'taken', budget: { ...now, left: left - 1 }, waitMs: 0 };
}
