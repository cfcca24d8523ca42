import type { MirrorStatus } from '../replication/topics/mirror-status.ts';

const staleStatusMs = 5_000;

/** None of a mirror that has fallen silent: an old lag must not look like one of now. Pure. */
export function freshTopics(status: MirrorStatus | undefined, nowMs: number): MirrorStatus['topics'] {
  return status !== undefined && nowMs - status.atMs < staleStatusMs ? status.topics : {};
}
