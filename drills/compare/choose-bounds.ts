import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { PartitionOffset } from '../../domain/offsets.ts';
import { isExact, type OutputBounds } from './produced-output.ts';
import { covers, offsetsOf } from './source-progress.ts';

/**
 * The checkpoints of production that a drill's output is measured by, of the run that the restored one is of: the newest
 * that the drill got as far as (`got`), and the oldest that got as far as all that the drill has written (`reached`). Of
 * all of them it has to be known where the sinks had ended. Pure.
 */
export function chooseBounds(
  from: CheckpointManifest,
  manifests: readonly CheckpointManifest[],
  got: readonly PartitionOffset[],
  reached?: readonly PartitionOffset[],
): Pick<OutputBounds, 'before' | 'until' | 'past'> {
  const run = manifests
    .filter((m) => m.flinkJobId === from.flinkJobId && m.sinkEnds !== undefined)
    .sort((a, b) => a.checkpointId - b.checkpointId);
  const later = run.filter((m) => m.checkpointId > from.checkpointId);
  return {
    before: isExact(from) ? undefined : run.findLast((m) => m.checkpointId < from.checkpointId && isExact(m)),
    until: later.findLast((m) => isExact(m) && covers(got, offsetsOf(m))),
    past: reached && later.find((m) => covers(offsetsOf(m), reached)),
  };
}

/** So long without a new checkpoint, at least, and production is taken to make none. */
const LEAST_MS = 30_000;

/** Whether production has made no checkpoint for so long that none is to be expected: three times what it took before. Pure. */
export function isStale(
  manifests: readonly CheckpointManifest[],
  { flinkJobId }: CheckpointManifest,
  quietMs: number,
): boolean {
  const times = manifests
    .filter((m) => m.flinkJobId === flinkJobId)
    .map(({ completedAtMs }) => completedAtMs)
    .sort((a, b) => a - b);
  const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
  const usual = gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
  return quietMs > Math.max(LEAST_MS, 3 * usual);
}
