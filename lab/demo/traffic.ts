import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { siblingEntry } from '../entry.ts';

/** One line of the traffic client's statistics, a second apart. */
export interface TrafficStats {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly lastAckAtMs?: number;
  /** The region that gave the last acknowledgement. */
  readonly by?: string;
}

export interface TrafficProcess {
  /** The newest statistics; undefined before the first. */
  stats(): TrafficStats | undefined;
  /** Sends one last event per key, waits for the answers, closes the ledger and ends. */
  stop(): Promise<void>;
}

/** Starts the traffic client as a process of its own. */
export function startTraffic(options: {
  readonly resolver: string;
  readonly name: string;
  readonly port: number;
  readonly rate: number;
  readonly keys: number;
  readonly ledgerPath: string;
  readonly env: Readonly<Record<string, string>>;
}): TrafficProcess {
  const args = ['--resolver', options.resolver, '--name', options.name, '--port', String(options.port)];
  args.push('--rate', String(options.rate), '--keys', String(options.keys), '--ledger', options.ledgerPath);
  const child = spawn(process.execPath, [siblingEntry(import.meta.url, '../traffic/traffic-process'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...options.env },
  });
  let last: TrafficStats | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) last = JSON.parse(line) as TrafficStats;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return {
    stats: () => last,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(timer);
    },
  };
}
