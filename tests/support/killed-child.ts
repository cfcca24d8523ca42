// A process that runs a runbook of three steps over `file:` state; each step makes two effects, which are files that must
// not be there yet. To be killed and begun again. Arguments: the folder of state and effects, the run's number, and the
// file behind which it is to be killed.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { localProcesses } from '../../daemon/local-processes.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Step } from '../../runbooks/engine/step.ts';
import { runUnderLease } from '../../runbooks/engine/under-lease.ts';

const [folder = '', n = '1', until] = process.argv.slice(2);

function step(id: string): Step<null, object> {
  const parts = [`${id}-1`, `${id}-2`].map((part) => join(folder, part));
  const missing = () => parts.find((part) => !existsSync(part));
  return {
    id,
    title: id,
    timeoutMs: 60_000,
    onFailure: { kind: 'stop', hint: 'mend it' },
    manual: [],
    observe: async () => (missing() ? { kind: 'todo' } : { kind: 'done', evidence: id }),
    async act(_context, _facts, io) {
      for (const part of parts) {
        io.check();
        // So that there is time to be killed between two effects.
        if (!existsSync(part)) await writeFile(part, n, { flag: 'wx' });
        await sleep(30);
      }
    },
    verify: async () => {
      const open = missing();
      return open ? { kind: 'pending', waitingFor: open } : { kind: 'done', evidence: id };
    },
  };
}

const store = fileObjectStore(join(folder, 'state'));
const state: ObjectStore = {
  ...store,
  async put(key, body, options) {
    // As far away as a bucket is; and a kill comes before the next write, however late.
    await sleep(until !== undefined && existsSync(join(folder, until)) ? 60_000 : 50);
    return store.put(key, body, options);
  },
};

const result = await runUnderLease<null, object>({
  state,
  clock: wallClock,
  run: `20261121T10300${n}Z-failover-000${n}`,
  runbook: 'failover',
  holder: `child ${n}`,
  processes: localProcesses,
  by: `child ${n}`,
  details: null,
  resumeHint: 'again',
  context: () => null,
  steps: ['a', 'b', 'c'].map(step),
});
console.log(JSON.stringify({ outcome: result.outcome, epoch: result.epoch, error: result.error ?? null }));
