import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Environment variables by which a lab's processes are told apart from all others, whoever asks. */
export const labMark = 'ARGUS_LAB_ID';
export const componentMark = 'ARGUS_LAB_COMPONENT';

/** One live process of a lab. */
export interface LabProcess {
  readonly pid: number;
  /** Its process group, which is its own. */
  readonly group: number;
  /** `mumbai/kafka`, `outside/toxiproxy`. */
  readonly component: string;
  /** Stopped by SIGSTOP. */
  readonly frozen: boolean;
  readonly residentBytes: number;
}

/** The lab's live processes, from /proc (Linux): those that carry its id in the environment they were started with. */
export function labProcesses(id: string): readonly LabProcess[] {
  const found: LabProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const component = componentOf(readFileSync(`/proc/${pid}/environ`, 'latin1'), id);
      if (component === undefined) continue;
      const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
      if (stat.state === 'Z' || stat.state === 'X') continue;
      const { group, residentPages } = stat;
      const frozen = stat.state === 'T' || stat.state === 't';
      found.push({ pid, group, component, frozen, residentBytes: residentPages * 4096 });
    } catch {
      // It ended while we looked, or is another user's: not of this lab.
    }
  }
  return found;
}

/** The component that an environment block (entries that end in NUL) names, if it is of the lab `id`. */
export function componentOf(environ: string, id: string): string | undefined {
  const entries = environ.split('\0');
  if (!entries.includes(`${labMark}=${id}`)) return undefined;
  return entries.find((e) => e.startsWith(`${componentMark}=`))?.slice(componentMark.length + 1) ?? 'unknown';
}

/** State, process group and resident pages from the text of /proc/<pid>/stat. Source: proc_pid_stat(5). */
export function parseStat(text: string): { state: string; group: number; residentPages: number } {
  // The second field, the command, may hold blanks and parentheses: what follows it begins behind the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', group: Number(fields[2]), residentPages: Number(fields[21]) };
}

/** Sends a signal to the groups of processes, all at once. A group that is gone is no error. */
export function signalGroups(processes: readonly LabProcess[], signal: NodeJS.Signals): void {
  const own = parseStat(readFileSync('/proc/self/stat', 'latin1')).group;
  for (const group of new Set(processes.map((p) => p.group))) {
    // Never our own: a component is always started in a group apart.
    if (group === own) continue;
    try {
      process.kill(-group, signal);
    } catch {
      // Gone already.
    }
  }
}

/** Kills (SIGKILL) the lab's processes that `which` picks, and waits until none of them is left, 10 s at most. */
export async function killProcesses(id: string, which: (p: LabProcess) => boolean = () => true): Promise<void> {
  for (const deadline = performance.now() + 10_000; ; ) {
    const left = labProcesses(id).filter(which);
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`processes ${left.map((p) => `${p.pid} (${p.component})`).join(', ')} can't be killed`);
    }
    signalGroups(left, 'SIGKILL');
    await sleep(20);
  }
}
