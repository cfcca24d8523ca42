import { type ChildProcess, fork } from 'node:child_process';
import type { Clock } from '../domain/clock.ts';
import { ArgusError } from '../domain/errors.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import type { FromMirror, MirrorSettings, ToMirror } from './mirror-ipc.ts';
import type { MirrorHandle, Stopped } from './replicator.ts';
import { siblingEntry } from './sibling-entry.ts';

export interface ForkOptions {
  readonly clock: Clock;
  readonly onStatus: (status: MirrorStatus) => void;
  /** How long a freeze may take beyond its drain before the process counts as stuck. */
  readonly freezeSlackMs?: number;
  /** How long a process may take to end when asked, before it is killed. */
  readonly stopMs?: number;
}

/** A mirror in a process of its own: its load delays no probe here, and its crash takes nothing else with it. */
export function forkMirror(settings: MirrorSettings, options: ForkOptions): MirrorHandle {
  const { clock, freezeSlackMs = 4_000, stopMs = 3_000 } = options;
  const child: ChildProcess = fork(siblingEntry(import.meta.url, './mirror-process'), [], {
    // Numbers beyond 2^53 cross as they are.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let asked = false;
  let failure: ArgusError | undefined;
  const frozen = Promise.withResolvers<Stopped>();
  // Whoever asked for the freeze awaits it; without one nobody does.
  frozen.promise.catch(() => undefined);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new ArgusError('MirrorFailed', `the mirror's process: ${cause.message}`, { cause })),
    );
    child.once('exit', (code, signal) => {
      const why = failure ?? new ArgusError('MirrorFailed', `the mirror's process ended (${signal ?? `code ${code}`})`);
      frozen.reject(why);
      if (asked) resolve();
      else reject(why);
    });
  });
  ended.catch(() => undefined);
  child.on('message', (message) => {
    const said = message as FromMirror;
    if (said.kind === 'status') options.onStatus(said.status);
    else if (said.kind === 'frozen') frozen.resolve({ drained: said.drained, endOffsets: said.endOffsets });
    else failure = new ArgusError(said.code, said.message);
  });
  const send = (message: ToMirror) => {
    // A process that is gone is told by its exit.
    if (child.connected) child.send(message, () => undefined);
  };
  send({ kind: 'start', settings });

  async function stop(): Promise<void> {
    asked = true;
    send({ kind: 'stop' });
    const timer = new AbortController();
    const late = clock.sleep(stopMs, timer.signal).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
    await exited;
    timer.abort();
    await late;
  }

  return {
    ended,
    async freeze(drainMs) {
      asked = true;
      send({ kind: 'freeze', drainMs });
      const timer = new AbortController();
      const late = clock.sleep(drainMs + freezeSlackMs, timer.signal).then(() => {
        throw new ArgusError('MirrorStuck', `the mirror did not stop within ${drainMs + freezeSlackMs} ms`);
      });
      late.catch(() => undefined);
      try {
        return await Promise.race([frozen.promise, late]);
      } finally {
        timer.abort();
        await stop();
      }
    },
    stop,
  };
}
