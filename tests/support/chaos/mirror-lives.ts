import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { MirrorOptions } from '../../../replication/topics/mirror.ts';

type Settings = Pick<MirrorOptions, 'source' | 'target' | 'partitions' | 'producer' | 'tuning'>;

/** A mirror in a process of its own that always runs again. */
export interface KilledMirror {
  /** SIGKILL; the next one is started at once, with this changed for it. */
  kill(tuning: MirrorOptions['tuning']): Promise<void>;
  /** Ends it; gives what the processes complained of: stops of partitions, and ends that `kill` did not cause. */
  stop(): Promise<readonly string[]>;
}

const script = fileURLToPath(new URL('../mirror-child.ts', import.meta.url));

/** Starts the first one. */
export function startKilledMirror(settings: Settings): KilledMirror {
  const complaints: string[] = [];
  const start = (tuning: MirrorOptions['tuning'] = {}): { child: ChildProcess; exited: Promise<unknown> } => {
    const { producer, ...rest } = settings;
    const identity = { producerId: `${producer.producerId}`, producerEpoch: producer.producerEpoch };
    const argument = JSON.stringify({ ...rest, ...identity, tuning: { ...settings.tuning, ...tuning } });
    const child = spawn(process.execPath, [script, argument], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (text) => complaints.push(`${text}`.trim()));
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.once('exit', (code, signal) => {
      if (signal !== 'SIGKILL') complaints.push(`the mirror's process ended with ${signal ?? code}`);
    });
    return { child, exited };
  };
  let running = start();
  const end = async () => {
    running.child.kill('SIGKILL');
    await running.exited;
  };
  return {
    kill: async (tuning) => {
      await end();
      running = start(tuning);
    },
    stop: async () => {
      await end();
      return complaints;
    },
  };
}
