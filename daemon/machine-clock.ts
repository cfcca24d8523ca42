/** Milliseconds that only grow, the same for every process of this machine: for deadlines that cross processes. */
export function machineNowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
