import { readdirSync, readFileSync } from 'node:fs';

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes that still run and that a test run started: told by `ARGUS_TEST_RUN` in their environment (Linux).
 * The asking process and its ancestors don't count.
 */
export function leftoversOf(run: string): readonly Leftover[] {
  const mark = `ARGUS_TEST_RUN=${run}\0`;
  const found: Leftover[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid || pid === process.ppid) continue;
    try {
      if (!`${readFileSync(`/proc/${pid}/environ`, 'latin1')}\0`.includes(mark)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      // A process that has ended but was not yet waited for has no command line.
      if (command !== '') found.push({ pid, command });
    } catch {
      // It ended while we looked, or belongs to somebody else: not ours to report.
    }
  }
  return found;
}

if (process.argv[1] === import.meta.filename && process.platform === 'linux') {
  let left = leftoversOf(process.argv[2] ?? '');
  for (const deadline = Date.now() + 5_000; left.length > 0 && Date.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    left = leftoversOf(process.argv[2] ?? '');
  }
  for (const { pid, command } of left)
    console.error(`error: process ${pid} was left running: ${command.slice(0, 200)}`);
  process.exitCode = left.length === 0 ? 0 : 1;
}
