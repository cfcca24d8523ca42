import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureExtraPart } from '../../lab/setup/extra-part.ts';
import { installGoProgram } from '../../lab/setup/go-binaries.ts';
import type { Part, SetupEvent } from '../../lab/setup/part.ts';
import type { StoreAt } from './stores.ts';

/** The newest of November 2026. */
export const RCLONE_VERSION = '1.76.0';

/** The peer of the copies; building it takes some minutes, once. */
const rclonePart: Part = {
  name: 'rclone',
  version: RCLONE_VERSION,
  sources: [],
  build: (target, context) => installGoProgram(`github.com/rclone/rclone@v${RCLONE_VERSION}`, target, context),
};

/** The rclone binary in the lab's cache, where it is put when it is missing. */
export async function ensureRclone(signal: AbortSignal, progress: (event: SetupEvent) => void): Promise<string> {
  return join(await ensureExtraPart(rclonePart, signal, progress), 'rclone');
}

/** What a process took from its start to its end, by wait4(2). */
export interface ProcessTimes {
  readonly wallSeconds: number;
  /** User and system, of all its threads. */
  readonly cpuSeconds: number;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
}

/** Brings a bucket's folder to what the other holds, as a person would do it at its best. */
export function rcloneSync(rclone: string, from: StoreAt, to: StoreAt, folder: string): Promise<ProcessTimes> {
  const remote = (name: string, store: StoreAt) => ({
    [`RCLONE_CONFIG_${name}_TYPE`]: 's3',
    [`RCLONE_CONFIG_${name}_PROVIDER`]: 'Other',
    [`RCLONE_CONFIG_${name}_ENDPOINT`]: store.endpoint,
    [`RCLONE_CONFIG_${name}_REGION`]: store.region,
    [`RCLONE_CONFIG_${name}_ACCESS_KEY_ID`]: store.accessKeyId,
    [`RCLONE_CONFIG_${name}_SECRET_ACCESS_KEY`]: store.secretAccessKey,
    [`RCLONE_CONFIG_${name}_FORCE_PATH_STYLE`]: 'true',
    // It would ask for each bucket whether it exists.
    [`RCLONE_CONFIG_${name}_NO_CHECK_BUCKET`]: 'true',
  });
  const flags = ['--checksum', '--fast-list', '--transfers', '32', '--checkers', '32', '--config', '/dev/null'];
  return timed(rclone, ['sync', `SRC:${from.bucket}/${folder}`, `DST:${to.bucket}/${folder}`, ...flags], {
    ...remote('SRC', from),
    ...remote('DST', to),
  });
}

/** Runs a program to its end; its failure is an error with its output. */
export function timed(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProcessTimes> {
  // The shell's `time` asks the kernel when the child ends: nothing that it did is missed.
  const child = spawn('bash', ['-c', 'TIMEFORMAT="times %R %U %S"; time "$0" "$@"', command, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', ...env },
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-4_000);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const [, wall, user, system] = /times ([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(text) ?? [];
      if (code !== 0 || wall === undefined) reject(new Error(`${command} ended with ${code}: ${text}`));
      else resolve({ wallSeconds: Number(wall), cpuSeconds: Number(user) + Number(system), stderr: text });
    });
  });
}
