import { Mirror, type MirrorOptions } from '../replication/topics/mirror.ts';
import type { MirrorSettings } from './mirror-ipc.ts';
import type { MirrorHandle } from './replicator.ts';

/** A mirror in this process. */
export function runMirror(
  settings: MirrorSettings,
  options: Required<Pick<MirrorOptions, 'clock' | 'onStatus' | 'mayWrite'>>,
): MirrorHandle {
  const mirror = new Mirror({ ...settings, ...options });
  const stopping = new AbortController();
  const ended = mirror.run(stopping.signal);
  // Whoever keeps the mirror awaits its end; a stop before that must not look like a crash.
  ended.catch(() => undefined);
  return {
    ended,
    follow: (wanted) => mirror.follow(wanted),
    freeze: (drainMs) => mirror.freeze(drainMs),
    async stop() {
      stopping.abort();
      await ended.catch(() => undefined);
    },
  };
}
