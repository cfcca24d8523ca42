import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Whether this process may set the terminal that it was started at: one in the background (`argus failover &`) is stopped
 * by the system as soon as it tries. Where nobody can tell, yes.
 */
export function inForeground(): boolean {
  try {
    if (process.platform === 'linux') return !isBackground(readFileSync('/proc/self/stat', 'utf8'));
    if (process.platform === 'win32') return true;
    const state = execFileSync('ps', ['-o', 'stat=', '-p', String(process.pid)], {
      ...{ encoding: 'utf8', timeout: 2_000 },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return state.trim() === '' || state.includes('+');
  } catch {
    return true;
  }
}

/** Whether another process group has the terminal, by `/proc/<pid>/stat`. Without a terminal nobody has. Pure. */
export function isBackground(stat: string): boolean {
  // The command's name stands in brackets, and may have any character in it.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(foreground) > 0 && group !== foreground;
}
