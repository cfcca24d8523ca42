// A checkpoint sync in a process of its own, for tests that kill it. Its one argument is the settings as JSON. It begins
// when a line comes on stdin, and tells on stdout, a line of JSON each, what it does.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { wallClock } from '../../daemon/wall-clock.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { createCheckpointSync } from '../../replication/checkpoints/sync.ts';

const { source, target, ...settings } = JSON.parse(process.argv[2] ?? '{}');
const sync = createCheckpointSync({
  ...settings,
  source: s3ObjectStore(source),
  target: s3ObjectStore(target),
  clock: wallClock,
});
const tell = (news: object) => process.stdout.write(`${JSON.stringify(news)}\n`);
tell({ ready: true });
await once(process.stdin, 'data');
for (;;) {
  try {
    const { replicated, superseded, refused, more } = await sync.step({ onProgress: (progress) => tell({ progress }) });
    tell({ ended: { replicated: replicated?.checkpointId, superseded, refused } });
    if (more) continue;
  } catch (error) {
    tell({ failed: String(error) });
  }
  await sleep(50);
}
