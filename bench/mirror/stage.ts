import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logPathOf } from '../../lab/components/process.ts';
import { componentMark, killProcesses, labMark } from '../../lab/components/process-table.ts';
import { siblingEntry } from '../../lab/entry.ts';
import { claimFolder, removeFolder } from '../../lab/lab-folder.ts';
import { claimPorts, type PortBlock } from '../../lab/ports.ts';
import { startReaper } from '../../lab/reaper.ts';
import { type Artifacts, ensureArtifacts } from '../../lab/setup/artifacts.ts';
import { progressLines } from '../../lab/setup/progress-lines.ts';
import { ensureMirrorMaker } from './mirrormaker-part.ts';
import { runs } from './usage.ts';

/** Where a bench runs: a folder, ports and processes that are gone when it ends, however it ends. */
export interface BareStage {
  readonly id: string;
  readonly dir: string;
  readonly ports: PortBlock;
  readonly artifacts: Artifacts;
  readonly signal: AbortSignal;
  say(line: string): void;
  /** Ends everything that was started and removes the folder. */
  strike(): Promise<void>;
}

/** The same for the mirror's bench. */
export interface Stage extends BareStage {
  /** Folder of MirrorMaker's jars. */
  readonly mirrorMakerLibs: string;
}

/** Installs what is missing and sets the stage. */
export async function setStage(signal: AbortSignal, say: (line: string) => void): Promise<Stage> {
  const mirrorMakerLibs = await ensureMirrorMaker(signal, progressLines(say));
  return { ...(await setBareStage(signal, say)), mirrorMakerLibs };
}

/** The same without MirrorMaker. */
export async function setBareStage(signal: AbortSignal, say: (line: string) => void): Promise<BareStage> {
  const artifacts = await ensureArtifacts({ signal, progress: progressLines(say) });
  const id = randomUUID();
  const dir = claimFolder(mkdtempSync(join(tmpdir(), 'argus-bench-')), id, Date.now());
  const reaper = startReaper(dir, id);
  const ports = await claimPorts();
  return {
    id,
    dir,
    ports,
    artifacts,
    signal,
    say,
    async strike() {
      await ports.release();
      await killProcesses(id);
      removeFolder(dir, id);
      await reaper.end();
    },
  };
}

/** One of our modules that runs as a process of its own, and what it says. */
export interface NodeProcess {
  readonly pid: number;
  /** The next message that it sends; rejected when it ends without. */
  message<T>(): Promise<T>;
  send(message: string): void;
}

/**
 * Starts a module beside this one (`name` without extension); its one argument is `settings` as JSON, its output goes
 * to a log of the stage.
 */
export function startNode(
  stage: BareStage,
  name: string,
  settings: unknown,
  flags: readonly string[] = [],
): NodeProcess {
  const logPath = logPathOf(stage.dir, name);
  mkdirSync(dirname(logPath), { recursive: true });
  const log = openSync(logPath, 'a');
  const entry = siblingEntry(import.meta.url, `./${name}`);
  const child: ChildProcess = spawn(process.execPath, [...flags, entry, JSON.stringify(settings)], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, [labMark]: stage.id, [componentMark]: `bench/${name}` },
  });
  closeSync(log);
  const said: unknown[] = [];
  const waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];
  let ended: Error | undefined;
  child.on('message', (value) => {
    const first = waiting.shift();
    if (first) first.resolve(value);
    else said.push(value);
  });
  const end = (how: string) => {
    ended = new Error(`${name} ${how}; see ${logPath}`);
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  child.on('error', (error) => end(`could not be started: ${error.message}`));
  child.on('exit', (code, signal) => end(`ended with ${code ?? signal}`));
  return {
    pid: child.pid ?? -1,
    send: (message) => child.send(message),
    message: <T>() =>
      new Promise<T>((resolve, reject) => {
        if (said.length > 0) resolve(said.shift() as T);
        else if (ended) reject(ended);
        else waiting.push({ resolve: resolve as (value: unknown) => void, reject });
      }),
  };
}

/** Asks a process to end, and makes it end after `patienceMs`. */
export async function endProcess(pid: number, patienceMs = 8_000): Promise<void> {
  const signalIt = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone already.
    }
  };
  signalIt('SIGTERM');
  for (const deadline = performance.now() + patienceMs; runs(pid); await sleep(20)) {
    if (performance.now() > deadline) signalIt('SIGKILL');
  }
}
