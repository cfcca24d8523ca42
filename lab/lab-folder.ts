import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { ArgusError } from '../domain/errors.ts';
import { labProcesses } from './components/process-table.ts';

/** Who uses a lab's folder. */
export interface Claim {
  readonly id: string;
  /** The process that starts the lab, and when the system says it began: process ids come again. */
  readonly pid: number;
  readonly pidStartedAt: string;
  readonly atMs: number;
}

const claimFile = 'lab.owner';

/** The lab's folder when none is named: one for each user. */
export function defaultLabDir(): string {
  return join(tmpdir(), `argus-lab-${userInfo().uid}`);
}

/**
 * Takes the folder for a new lab. What a lab left there that no longer runs is removed. `LabRunning` (exit code 3) while
 * one runs or starts in it; `NotALabFolder` (exit code 2) when it holds anything that is not a lab's.
 */
export function claimFolder(path: string, id: string, nowMs: number): string {
  const dir = resolve(path);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const claim: Claim = { id, pid: process.pid, pidStartedAt: processStart(process.pid) ?? '', atMs: nowMs };
  const own = join(dir, `${claimFile}.${id}`);
  for (let attempt = 0; attempt < 3; attempt++) {
    const existing = readClaim(dir);
    if (existing) {
      if (isAlive(existing)) throw runningError(dir, existing);
      removeStale(dir, existing);
      continue;
    }
    const foreign = readdirSync(dir).filter((name) => !name.startsWith(claimFile));
    if (foreign.length > 0) {
      throw new ArgusError(
        'NotALabFolder',
        `${dir} is not a lab's folder: it holds ${foreign.slice(0, 3).join(', ')}`,
        {
          exitCode: 2,
          hint: 'name an empty or a new folder with --dir',
        },
      );
    }
    writeFileSync(own, JSON.stringify(claim), { mode: 0o600 });
    try {
      // A link is made whole and by one only: a reader never sees half a claim.
      linkSync(own, join(dir, claimFile));
      return dir;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(own, { force: true });
    }
  }
  throw new ArgusError('LabRunning', `another lab is starting in ${dir}`, { exitCode: 3 });
}

/** The claim on a folder; undefined when no lab uses it. */
export function readClaim(dir: string): Claim | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, claimFile), 'utf8')) as Claim;
  } catch {
    // No folder, no claim, or a file of somebody else.
    return undefined;
  }
}

/** Whether the lab has processes, or the one that starts it still lives. */
export function isAlive(claim: Claim): boolean {
  return processStart(claim.pid) === claim.pidStartedAt || labProcesses(claim.id).length > 0;
}

/** Removes the folder of the lab `id`; any other's is left alone. */
export function removeFolder(dir: string, id: string): void {
  if (readClaim(dir)?.id !== id) return;
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

function removeStale(dir: string, claim: Claim): void {
  const taken = join(dir, `${claimFile}.stale-${claim.id}`);
  try {
    renameSync(join(dir, claimFile), taken);
  } catch {
    // Another start was quicker.
    return;
  }
  for (const name of readdirSync(dir)) {
    if (name !== claimFile) rmSync(join(dir, name), { recursive: true, force: true });
  }
}

function runningError(dir: string, claim: Claim): ArgusError {
  const since = new Date(claim.atMs).toISOString();
  return new ArgusError(
    'LabRunning',
    `a lab is up or starting in ${dir} (since ${since}, started by process ${claim.pid})`,
    {
      exitCode: 3,
      hint: '`npm run lab -- status` shows it, `npm run lab -- down` ends it; --dir starts another one elsewhere',
    },
  );
}

/** When a process began, in the system's ticks; undefined when there is none. Source: proc_pid_stat(5), field 22. */
function processStart(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
