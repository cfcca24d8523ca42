// The mirror's own process: started by the daemon, told what to do over IPC, gone when the daemon is.
import { ArgusError, describeError } from '../domain/errors.ts';
import { machineNowMs } from './machine-clock.ts';
import type { FromMirror, ToMirror } from './mirror-ipc.ts';
import type { MirrorHandle } from './replicator.ts';
import { runMirror } from './run-mirror.ts';
import { wallClock } from './wall-clock.ts';

let mirror: MirrorHandle | undefined;
let ending = false;
let mayWriteUntilMs = 0;

function tell(message: FromMirror): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  // Sockets that don't close in time must not keep the process.
  setTimeout(() => process.exit(code), 2_000).unref();
  await mirror?.stop();
  process.exit(code);
}

function fail(error: unknown): void {
  const code = error instanceof ArgusError ? error.code : 'MirrorFailed';
  tell({ kind: 'failed', code, message: describeError(error) });
  void end(1);
}

process.on('message', (message: ToMirror) => {
  switch (message.kind) {
    case 'start':
      mirror = runMirror(message.settings, {
        clock: wallClock,
        onStatus: (status) => tell({ kind: 'status', status }),
        mayWrite: () => machineNowMs() < mayWriteUntilMs,
      });
      mirror.ended.then(() => void end(0), fail);
      return;
    case 'may-write':
      mayWriteUntilMs = message.untilMs;
      return;
    case 'follow':
      mirror?.follow(message.wanted);
      return;
    case 'freeze':
      mirror?.freeze(message.drainMs).then((stopped) => tell({ kind: 'frozen', ...stopped }), fail);
      return;
    case 'stop':
      void end(0);
      return;
    default:
      message satisfies never;
  }
});
process.on('disconnect', () => void end(0));
process.on('SIGTERM', () => void end(0));
// A Ctrl-C of the terminal reaches the daemon as well, which ends this process in order.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
