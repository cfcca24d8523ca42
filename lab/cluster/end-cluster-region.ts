import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError } from '../../domain/errors.ts';
import { labProcesses } from '../components/process-table.ts';
import { lockFolder } from '../setup/lock.ts';
import { runTool } from '../setup/tool.ts';
import { cgroupFolders, killRegionProcesses } from './region-processes.ts';
import { currentBoot, isRecorded, type RegionRecord, readRecords, removeRecord } from './region-record.ts';

const goneWithinMs = 20_000;
const hint = 'see `ip address` and `mount`; the same command again goes on from here';

/** Takes the lock under which regions are written down and struck out. */
export function lockRecords(signal?: AbortSignal): Promise<() => Promise<void>> {
  return lockFolder('/run', signal ? { signal } : {});
}

/** Ends all regions with pods of a lab, whoever started them and whatever of them is left. May be called again. */
export async function endClusterRegionsOf(labId: string): Promise<void> {
  const own = readRecords().filter((record) => record.labId === labId);
  for (const record of own) await endRegion(record);
}

/** Ends regions of labs that were killed with all that watched over them. */
export async function endAbandonedRegions(): Promise<void> {
  for (const record of readRecords()) {
    const ownerAlive = processStart(record.owner.pid) === record.owner.startedAt;
    if (!ownerAlive && labProcesses(record.labId).length === 0) await endRegion(record);
  }
}

/**
 * Kills all of a region's processes and puts the machine back: mounts, links, routes and packet filters go with the
 * namespaces; cgroups, folder and, with the last region, the kernel's settings are seen to. May be called again.
 */
export async function endRegion(record: RegionRecord): Promise<void> {
  const boot = currentBoot();
  const unlock = await lockRecords();
  try {
    // Somebody else ended it, and its slot may be another region's by now.
    if (!isRecorded(record)) return;
    if (record.bootId === boot) {
      await killRegionProcesses(record, true);
      await removeNetwork(record);
      await removeMounts(record.dir);
      await removeCgroups(record);
    }
    rmSync(record.dir, { recursive: true, force: true, maxRetries: 5 });
    removeRecord(record, boot);
  } finally {
    await unlock();
  }
}

/** When a process began, in the system's ticks; undefined when there is none. Source: proc_pid_stat(5), field 22. */
export function processStart(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    // There is no such process.
    return undefined;
  }
}

/** The kernel takes the link away with the namespace of its other end, a moment later, and the routes with the link. */
async function removeNetwork({ addresses }: RegionRecord): Promise<void> {
  const link = `/sys/class/net/${addresses.link}`;
  for (const deadline = performance.now() + 3_000; existsSync(link) && performance.now() < deadline; ) await sleep(20);
  // Half made, or held by somebody who entered the namespace.
  if (existsSync(link)) await runTool({ command: 'ip', args: ['link', 'delete', addresses.link], hint });
}

/** There are none outside of the namespaces; one that somebody made by hand would stop the folder's removal. */
async function removeMounts(dir: string): Promise<void> {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${dir}/`));
  for (const point of points.reverse()) await runTool({ command: 'umount', args: ['-l', point], hint });
}

async function removeCgroups(record: RegionRecord): Promise<void> {
  for (const deadline = performance.now() + goneWithinMs; ; await sleep(50)) {
    const left = cgroupFolders(record).filter((folder) => !removedTree(folder));
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new ArgusError('RegionAlive', `the cgroups ${left.join(', ')} can't be removed`, { hint });
    }
  }
}

/** Removes a cgroup and those below it; false when one of them still has a process. */
function removedTree(folder: string): boolean {
  if (!existsSync(folder)) return true;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !removedTree(join(folder, entry.name))) return false;
    }
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}
