import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { labProcesses, parseStat } from '../components/process-table.ts';
import type { RegionRecord } from './region-record.ts';

/** The component that holds the region's namespaces; it does nothing else. */
export const namespaceHolder = 'namespaces';

type Region = Pick<RegionRecord, 'labId' | 'name' | 'addresses'>;

const cgroups = '/sys/fs/cgroup';

/** The folders of the region's cgroups, one a hierarchy. */
export function cgroupFolders({ addresses }: Region): readonly string[] {
  return readdirSync(cgroups).map((hierarchy) => join(cgroups, hierarchy, addresses.cgroup));
}

/**
 * The ids of the region's live processes: what the lab started in it, by the mark in its environment, and all in its
 * pods, by their cgroup. Without the holder of its namespaces, unless it is asked for.
 */
export function regionProcesses(region: Region, holderToo = false): readonly number[] {
  const found = new Set<number>();
  for (const { pid, component } of labProcesses(region.labId)) {
    if (!component.startsWith(`${region.name}/`)) continue;
    if (holderToo || component !== `${region.name}/${namespaceHolder}`) found.add(pid);
  }
  for (const pid of membersOf(join(cgroups, 'pids', region.addresses.cgroup))) {
    if (stateOf(pid) !== undefined) found.add(pid);
  }
  return [...found];
}

/** Kills (SIGKILL) all of the region's processes; resolves when none is left, 20 s at most. */
export async function killRegionProcesses(region: Region, holderToo = false): Promise<void> {
  for (const deadline = performance.now() + 20_000; ; await sleep(20)) {
    const left = regionProcesses(region, holderToo);
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new ArgusError('RegionAlive', `processes ${left.join(', ')} of ${region.name} can't be killed`);
    }
    for (const pid of left) send(pid, 'SIGKILL');
  }
}

/** Stops (SIGSTOP) all of the region's processes; resolves when each stands still: one may just have started another. */
export async function stopRegionProcesses(region: Region): Promise<void> {
  for (const deadline = performance.now() + 20_000; ; await sleep(20)) {
    const moving = regionProcesses(region).filter((pid) => !/^[Tt]$/.test(stateOf(pid) ?? 'T'));
    if (moving.length === 0) return;
    if (performance.now() > deadline) {
      throw new ArgusError('RegionNotFrozen', `processes ${moving.join(', ')} of ${region.name} can't be stopped`);
    }
    for (const pid of moving) send(pid, 'SIGSTOP');
  }
}

/** Lets all of the region's processes go on (SIGCONT). */
export function continueRegionProcesses(region: Region): void {
  for (const pid of regionProcesses(region)) send(pid, 'SIGCONT');
}

function membersOf(folder: string): readonly number[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    // The cgroup isn't there, or went while we looked: nobody is in it.
    return [];
  }
  let own: number[] = [];
  try {
    own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    // As above.
  }
  return [...own, ...names.flatMap((name) => membersOf(join(folder, name)))];
}

/** The process' state by proc_pid_stat(5); undefined for one that has ended, waited for or not. */
function stateOf(pid: number): string | undefined {
  try {
    const { state } = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return state === 'Z' || state === 'X' ? undefined : state;
  } catch {
    return undefined;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}
