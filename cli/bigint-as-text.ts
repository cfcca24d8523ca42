/** For `JSON.stringify`: offsets and counts are decimal strings, exact beyond 2^53. */
export function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
