/** What may still be taken; below 0 while more was taken than that. */
export interface TokenBucket {
  readonly tokens: number;
  /** When that was so, monotonic. */
  readonly atMs: number;
}

/** A quarter of a second's worth may come at once. */
const burstMs = 250;
/** Less is not given: single small reads would cost more than they carry. */
const openFromShare = 0.25;

/** As much as a bucket holds. */
export function burstOf(bytesPerSecond: number): number {
  return (bytesPerSecond * burstMs) / 1_000;
}

/** A bucket that is full. */
export function fullBucket(bytesPerSecond: number, atMs: number): TokenBucket {
  return { tokens: burstOf(bytesPerSecond), atMs };
}

/** What is in the bucket later, by a rate that may have changed since. */
export function refill(bucket: TokenBucket, bytesPerSecond: number, atMs: number): TokenBucket {
  const elapsedMs = Math.max(0, atMs - bucket.atMs);
  const tokens = Math.min(burstOf(bytesPerSecond), bucket.tokens + (elapsedMs * bytesPerSecond) / 1_000);
  return { tokens, atMs: bucket.atMs + elapsedMs };
}

/** The bucket after so many bytes were taken. It may go below 0: a batch larger than what was left comes whole. */
export function spend(bucket: TokenBucket, bytes: number): TokenBucket {
  return { ...bucket, tokens: bucket.tokens - bytes };
}

/** How many bytes may be taken now; 0 while the bucket is to fill up further. */
export function allowance(bucket: TokenBucket, bytesPerSecond: number): number {
  return bucket.tokens >= burstOf(bytesPerSecond) * openFromShare ? Math.max(1, Math.floor(bucket.tokens)) : 0;
}

/** After how long something may be taken. */
export function untilOpen(bucket: TokenBucket, bytesPerSecond: number): number {
  const missing = burstOf(bytesPerSecond) * openFromShare - bucket.tokens;
  return missing <= 0 ? 0 : Math.ceil((missing * 1_000) / bytesPerSecond);
}
