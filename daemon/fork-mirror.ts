import { type ChildProcess, fork } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../domain/clock.ts';
import { ArgusError } from '../domain/errors.ts';
import type { MirrorStatus } from '../replication/topics/mirror-status.ts';
import type { Following } from '../replication/topics/plan-following.ts';
import { machineNowMs } from './machine-clock.ts';
import type { FromMirror, MirrorSettings, ToMirror } from './mirror-ipc.ts';
import type { MirrorHandle, Stopped } from './replicator.ts';
import { siblingEntry } from './sibling-entry.ts';

export interface ForkOptions {
  readonly clock: Clock;
  readonly onStatus: (status: MirrorStatus) => void;
  /** How long the right to mirror still holds, by what is known now. */
  readonly mayWriteForMs: () => number;
  /** How long a process may say nothing before it counts as stuck and is killed. */
  readonly silentMs?: number;
  /** How long a freeze may take beyond its drain before the process counts as stuck. */
  readonly freezeSlackMs?: number;
  /** How long a process may take to end when asked, before it is killed. */
  readonly stopMs?: number;
}

const attendMs = 1_000;

/** A mirror in a process of its own: its load delays no probe here, and its crash takes nothing else with it. */
export function forkMirror(settings: MirrorSettings, options: ForkOptions): MirrorHandle {
  const { clock, freezeSlackMs = 4_000, stopMs = 3_000, silentMs = 15_000 } = options;
  const child: ChildProcess = fork(siblingEntry(import.meta.url, './mirror-process'), [], {
    // Numbers beyond 2^53 cross as they are.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let asked = false;
  let followed: Following | undefined;
  let failure: ArgusError | undefined;
  const frozen = Promise.withResolvers<Stopped>();
  // Whoever asked for the freeze awaits it; without one nobody does.
  frozen.promise.catch(() => undefined);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    // One that could not be started never exits.
    if (child.pid === undefined) child.once('error', () => resolve());
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) => {
      const why = new ArgusError('MirrorFailed', `the mirror's process: ${cause.message}`, { cause });
      frozen.reject(why);
      reject(why);
    });
    child.once('exit', (code, signal) => {
      const why = failure ?? new ArgusError('MirrorFailed', `the mirror's process ended (${signal ?? `code ${code}`})`);
      frozen.reject(why);
      if (asked) resolve();
      else reject(why);
    });
  });
  ended.catch(() => undefined);
  let heardAt = clock.monotonic();
  child.on('message', (message) => {
    heardAt = clock.monotonic();
    const said = message as FromMirror;
    if (said.kind === 'status') options.onStatus(said.status);
    else if (said.kind === 'frozen') frozen.resolve(said);
    else failure = new ArgusError(said.code, said.message);
  });
  const send = (message: ToMirror) => {
    // A process that is gone is told by its exit.
    if (child.connected) child.send(message, () => undefined);
  };
  const allow = () => send({ kind: 'may-write', untilMs: machineNowMs() + options.mayWriteForMs() });
  allow();
  send({ kind: 'start', settings });

  /** Renews the right to write for as long as this process itself is alive and holds it; ends a mirror that hangs. */
  async function attend(): Promise<void> {
    const gone = new AbortController();
    void exited.then(() => gone.abort());
    for (let lookedAt = clock.monotonic(); !gone.signal.aborted; ) {
      allow();
      // The only rejection is that of the end.
      await clock.sleep(attendMs, gone.signal).catch(() => undefined);
      const now = clock.monotonic();
      // This process stood still itself: what the mirror said meanwhile is still to be read.
      if (now - lookedAt > attendMs * 3) heardAt = now;
      lookedAt = now;
      if (now - heardAt <= silentMs) continue;
      failure ??= new ArgusError(
        'MirrorStuck',
        `the mirror's process said nothing for ${Math.round(now - heardAt)} ms`,
      );
      child.kill('SIGKILL');
    }
  }
  void attend();

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
    follow(wanted) {
      // Looked up every few seconds; thousands of partitions are not sent, and compared, each time.
      const { partitions, ...rest } = wanted;
      const { partitions: before, ...last } = followed ?? {};
      if (partitions === before && isDeepStrictEqual(rest, last)) return;
      followed = wanted;
      send({ kind: 'follow', wanted });
    },
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
