/**
 * Calls for each item, at most `atOnce` at a time, and gives the results in the items' order. After the first failure
 * none is begun any more; it is thrown when those under way have ended.
 */
export async function eachAtOnce<T, R>(
  items: readonly T[],
  atOnce: number,
  call: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = new Array(items.length);
  const ahead = items.entries();
  let failed = false;
  const worker = async () => {
    for (const [at, item] of ahead) {
      if (failed) return;
      try {
        results[at] = await call(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, worker);
  for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason;
  return results;
}
