// Copies checkpoints in a process of its own, as the daemon does: `copy-process.js <settings as JSON>`. With `once` one
// step; else steps from `go` to `go`, or all the time, and tells of each by a message.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';
import { PREFIX } from './copy-sample.ts';
import type { StoreAt } from './stores.ts';

export interface CopySettings {
  readonly from: StoreAt;
  readonly to: StoreAt;
  /** `once`: one step and the end. `asked`: a step whenever `go` comes. `always`: as the daemon, a look each second. */
  readonly mode: 'once' | 'asked' | 'always';
  /** Copies everything there first, so that its code is compiled when what counts begins. */
  readonly warmUpInto?: StoreAt;
}

/** What one step took; without the process' start. */
export interface CopyStep {
  readonly checkpointId?: number | undefined;
  readonly committedAtMs?: number | undefined;
  readonly files: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

const settings = JSON.parse(process.argv[2] ?? '{}') as CopySettings;
const open = (store: StoreAt) => s3ObjectStore({ ...store, pathStyle: true });
const [source, target] = [open(settings.from), open(settings.to)];
const clock = { now: Date.now, monotonic: () => performance.now(), sleep: (ms: number) => sleep(ms) };
const syncInto = (store: ObjectStore) =>
  createCheckpointSync({ job: 'bench', prefix: PREFIX, source, target: store, clock });
const sync = syncInto(target);

async function step(): Promise<CopyStep> {
  const [from, cpu, before] = [performance.now(), process.cpuUsage(), sync.status().filesCopied];
  const { replicated, refused } = await sync.step();
  if (refused.length > 0) throw new Error(refused.map((r) => r.message).join('; '));
  const { user, system } = process.cpuUsage(cpu);
  return {
    checkpointId: replicated?.checkpointId,
    committedAtMs: replicated?.committedAtMs,
    files: sync.status().filesCopied - before,
    wallSeconds: (performance.now() - from) / 1_000,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}

const tell = (value: CopyStep) => process.send?.(value);
if (settings.warmUpInto !== undefined) {
  const warm = open(settings.warmUpInto);
  await syncInto(warm).step();
  await warm.close();
}
if (settings.mode === 'once') {
  console.error(JSON.stringify(await step()));
  await Promise.all([source.close(), target.close()]);
} else if (settings.mode === 'asked') {
  tell(await step());
  process.on('message', () => step().then(tell));
} else {
  for (;;) {
    const done = await step();
    if (done.checkpointId !== undefined) tell(done);
    await sleep(1_000);
  }
}
