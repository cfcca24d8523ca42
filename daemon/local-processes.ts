import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { LocalProcesses } from '../runbooks/engine/under-lease.ts';
import type { HolderProcess } from '../state/lease.ts';

/** What is asked of the system; a fake in tests. */
export interface ProcessTable {
  readonly pid: number;
  hostname(): string;
  /** A file's text, or a link's target; throws when it can't be read. */
  read(path: string): string;
  link(path: string): string;
  /** As signal 0 does: throws with `code` ESRCH only when there is no such process. Kill(2). */
  probe(pid: number): void;
}

/**
 * Tells this process, and whether another is gone, by Linux' /proc (proc(5)). Elsewhere, and where anything is missing
 * or doesn't fit, nothing is told: a lease then runs out as between two machines.
 */
export function localProcessesOf(table: ProcessTable): LocalProcesses {
  const own = (): HolderProcess | undefined => {
    try {
      const { pid, started } = statOf(table.read('/proc/self/stat'));
      // /proc may be another namespace's, where this process has another id.
      return pid === table.pid ? { system: systemOf(table), pid, started } : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    own,
    isGone({ system, pid, started }) {
      if (own()?.system !== system) return false;
      try {
        // Not by /proc/<pid>: other users' processes may be hidden there (hidepid).
        table.probe(pid);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ESRCH') return true;
        if (code !== 'EPERM') return false;
      }
      try {
        return statOf(table.read(`/proc/${pid}/stat`)).started !== started;
      } catch {
        return false;
      }
    },
  };
}

/**
 * The running kernel and the namespaces in which process ids and start times mean the same. Hashed: a machine's id is
 * to be kept confidential (machine-id(5)). The host's name is in it as one more thing that has to fit, never as proof.
 */
function systemOf(table: ProcessTable): string {
  const parts = [
    table.read('/etc/machine-id').trim(),
    table.read('/proc/sys/kernel/random/boot_id').trim(),
    table.link('/proc/self/ns/pid'),
    timeNamespace(table),
    table.hostname(),
  ];
  if (parts.some((part) => part === '')) throw new Error('the system can not be told');
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

/** Start times count from the boot of the reader's time namespace; kernels before 5.6 have none. */
function timeNamespace(table: ProcessTable): string {
  try {
    return table.link('/proc/self/ns/time');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    throw error;
  }
}

/** Fields 1 and 22 of proc_pid_stat(5); the name in between may hold spaces and brackets. */
function statOf(text: string): { readonly pid: number; readonly started: string } {
  const started = text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  const pid = Number.parseInt(text, 10);
  if (started === undefined || !/^\d+$/.test(started) || !Number.isSafeInteger(pid)) throw new Error('not a stat line');
  return { pid, started };
}

/** The processes of the system that this one runs on. */
export const localProcesses: LocalProcesses = localProcessesOf({
  pid: process.pid,
  hostname,
  read: (path) => readFileSync(path, 'utf8'),
  link: (path) => readlinkSync(path),
  probe: (pid) => void process.kill(pid, 0),
});
