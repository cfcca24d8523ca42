// A process that runs a runbook over `file:` state, and writes a line for each effect as long as it may: to be stopped.
// Arguments: the state's folder, the file for effects.
import { appendFile } from 'node:fs/promises';
import { localProcesses } from '../../daemon/local-processes.ts';
import { wallClock } from '../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../regions/objects/file-object-store.ts';
import { runUnderLease } from '../../runbooks/engine/under-lease.ts';

const [folder = '', effects = ''] = process.argv.slice(2);

const result = await runUnderLease<null, object>({
  state: fileObjectStore(folder),
  clock: wallClock,
  run: '20261121T103001Z-failover-0001',
  runbook: 'failover',
  holder: `child (pid ${process.pid})`,
  processes: localProcesses,
  by: 'child',
  details: null,
  resumeHint: 'again',
  context: () => null,
  steps: [
    {
      id: 'write',
      title: 'write lines',
      timeoutMs: 600_000,
      onFailure: { kind: 'stop', hint: 'mend it' },
      manual: [],
      observe: async () => ({ kind: 'todo' }),
      async act(_context, _facts, io) {
        for (let i = 0; i < 10_000; i++) {
          io.check();
          await appendFile(effects, `child ${i}\n`);
          // Long enough to be stopped in, behind the fifth: an effect that was under way then would go on with the process.
          await io.clock.sleep(i < 4 ? 20 : 5_000, io.signal);
        }
      },
      verify: async () => ({ kind: 'done', evidence: null }),
      compensate: async () => {
        await appendFile(effects, 'child takes back\n');
        return null;
      },
    },
  ],
});
console.log(JSON.stringify({ outcome: result.outcome, error: result.error?.code }));
