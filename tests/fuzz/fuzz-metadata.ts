import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface Tally {
  readonly accepted: number;
  readonly refused: number;
  /** Each with its seed; at most ten of a process. */
  readonly failures: readonly string[];
  readonly slowestCpuMs: number;
}

export interface FuzzOptions {
  readonly firstSeed: number;
  readonly inputs: number;
  readonly processes: number;
}

const program = fileURLToPath(new URL('./metadata-process.ts', import.meta.url));
/** The heap of a process: far above what the largest input (some 500 kB) needs, far below what a believed length asks for. */
const heapMiB = 96;
/** CPU time that one input may take. */
const cpuMs = 500;
/** One that takes this long of wall time never ends. */
const hangMs = 8_000;
const pollMs = 500;

/** Tries mutated `_metadata` files in processes whose heap is bounded; a hang or a full heap is told with its seed. */
export async function fuzzMetadata(options: FuzzOptions): Promise<Tally> {
  const { firstSeed, inputs, processes } = options;
  const share = Math.ceil(inputs / processes);
  const tallies = await Promise.all(
    Array.from({ length: processes }, (_, n) => {
      const own = Math.min(share, inputs - n * share);
      return runShare([firstSeed + n, own, processes, cpuMs]);
    }),
  );
  return {
    accepted: tallies.reduce((sum, t) => sum + t.accepted, 0),
    refused: tallies.reduce((sum, t) => sum + t.refused, 0),
    failures: tallies.flatMap((t) => t.failures),
    slowestCpuMs: Math.max(...tallies.map((t) => t.slowestCpuMs)),
  };
}

async function runShare(task: readonly number[]): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'argus-fuzz-'));
  const progress = join(folder, 'seed');
  const child = fork(program, [...task.map(String), progress], { execArgv: [`--max-old-space-size=${heapMiB}`] });
  const failed = (problem: string): Tally => {
    const failures = [`seed ${seedIn(progress) ?? 'none yet'}: ${problem}`];
    return { accepted: 0, refused: 0, failures, slowestCpuMs: Number.NaN };
  };
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`the process ended with ${signal ?? code}`));
  });
  const stop = new AbortController();
  try {
    return await Promise.race([
      new Promise<Tally>((resolve) => child.once('message', (tally) => resolve(tally as Tally))),
      ended.then(failed),
      untilStuck(progress, stop.signal).then(() => failed(`it takes more than ${hangMs} ms`)),
    ]);
  } finally {
    stop.abort();
    await end(child, ended);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

/** The seed that the process tries now; undefined while it still loads its modules. */
function seedIn(progress: string): number | undefined {
  try {
    const mark = readFileSync(progress);
    return mark.length === 8 ? mark.readDoubleBE() : undefined;
  } catch {
    return undefined; // Not made yet.
  }
}

/** Resolves when the seed has not changed for too long; never after the abort. */
async function untilStuck(progress: string, signal: AbortSignal): Promise<void> {
  let last: number | undefined;
  for (let stuckMs = 0; stuckMs < hangMs; stuckMs += pollMs) {
    await sleep(pollMs, undefined, { signal }).catch(() => new Promise(() => {}));
    const seed = seedIn(progress);
    // A busy machine may draw out the loading.
    if (seed !== last || seed === undefined) stuckMs = 0;
    last = seed;
  }
}
