import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressPlan } from './address-plan.ts';

/** Where the machine's regions with pods are written down: whoever ends one needs nothing else. */
export const recordsFolder = '/run/argus-cluster';

/** One region with pods, written before the first thing of it is made. */
export interface RegionRecord {
  readonly labId: string;
  readonly name: string;
  readonly dir: string;
  readonly addresses: AddressPlan;
  /** The process that makes it, and when the system says it began. */
  readonly owner: { readonly pid: number; readonly startedAt: string };
  /** A machine that was started anew has nothing of it left but files. */
  readonly bootId: string;
}

/** The kernel's settings that a kubelet changes for the whole machine. Source: Kubernetes 1.36, setupKernelTunables. */
export const changedSettings = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

const settingsFile = 'settings.json';

/** All regions that are written down, running or not. */
export function readRecords(folder = recordsFolder): readonly RegionRecord[] {
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    // Nothing was ever written down, or all of it is ended.
  }
  const records = names.filter((name) => /^\d+\.json$/.test(name));
  return records.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as RegionRecord);
}

/** Whether the region is written down: one that was ended is not, and its slot may be another's. */
export function isRecorded({ labId, name, dir, addresses }: RegionRecord, folder = recordsFolder): boolean {
  const own = readRecords(folder).find((other) => other.addresses.slot === addresses.slot);
  return own?.labId === labId && own.name === name && own.dir === dir;
}

/**
 * Writes a region down, and with the first one the machine's settings as they are. Only under the records' lock, before
 * anything of the region is made.
 */
export function writeRecord(record: RegionRecord, folder = recordsFolder): void {
  const first = readRecords(folder).length === 0;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first) writeWhole(join(folder, settingsFile), { bootId: record.bootId, values: readSettings() });
  writeWhole(join(folder, fileOf(record)), record);
}

/**
 * Strikes a region out that is ended; with the last one, the machine's settings are put back. Only under the records'
 * lock. May be called again.
 */
export function removeRecord(record: RegionRecord, bootId: string, folder = recordsFolder): void {
  const others = readRecords(folder).filter((other) => other.addresses.slot !== record.addresses.slot);
  if (others.length > 0) {
    rmSync(join(folder, fileOf(record)), { force: true });
    return;
  }
  const saved = readSavedSettings(folder);
  if (saved?.bootId === bootId) writeSettings(saved.values);
  // The record last: as long as it is there, somebody ends the region again.
  rmSync(join(folder, settingsFile), { force: true });
  rmSync(join(folder, fileOf(record)), { force: true });
  try {
    rmdirSync(folder);
  } catch {
    // It is gone, or holds something that we didn't write.
  }
}

/** What tells this run of the machine from others. */
export function currentBoot(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function fileOf(record: RegionRecord): string {
  return `${record.addresses.slot}.json`;
}

function readSavedSettings(
  folder: string,
): { readonly bootId: string; readonly values: Readonly<Record<string, string>> } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, settingsFile), 'utf8'));
  } catch {
    return undefined;
  }
}

function readSettings(): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of changedSettings) {
    try {
      values[name] = readFileSync(join('/proc/sys', name), 'utf8').trim();
    } catch {
      // This kernel has no such setting: nothing to put back.
    }
  }
  return values;
}

function writeSettings(values: Readonly<Record<string, string>>): void {
  const now = readSettings();
  for (const [name, value] of Object.entries(values)) {
    if (now[name] !== value) writeFileSync(join('/proc/sys', name), value);
  }
}

function writeWhole(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
