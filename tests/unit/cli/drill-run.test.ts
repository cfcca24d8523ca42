import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../../cli/commands/drill-run.ts';
import type { CommandContext } from '../../../cli/context.ts';
import type { DrillRunOptions } from '../../../cli/drill/drill-options.ts';
import { faultLeft } from '../../../cli/drill/heal-left.ts';
import { wallClock } from '../../../daemon/wall-clock.ts';
import { fileObjectStore } from '../../../regions/objects/file-object-store.ts';
import { drillState } from '../../../state/drills.ts';
import { dropFaultNote, putFaultNote } from '../../../state/fault-notes.ts';
import { listRuns } from '../../../state/journal.ts';
import { leftNote as note } from '../drills/faults/fault-world.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'argus-test-drill-run-'));
  await putFaultNote(drills(), note);
});
afterEach(() => rm(folder, { recursive: true }));

const drills = () => drillState(fileObjectStore(folder));
const hook = { run: ['/nowhere/mend'], timeout: 1_000 };

/** A drill over a state in which a fault is noted; it ends where the regions would be asked for. */
function begin(options: DrillRunOptions, faults: object = {}) {
  const told: string[] = [];
  const config = { state: `file:${folder}`, roles: { primary: 'a', standby: 'b' }, drill: { faults } };
  const context = {
    ...{ env: {}, json: false, interactive: false, who: 'asha@host', clock: wallClock },
    signal: new AbortController().signal,
    tell: (text: string) => void told.push(text),
    loadConfig: async () => ({
      folder,
      config: {
        ...config,
        get regions() {
          throw new Error('the regions are asked for');
        },
      },
    }),
  } as unknown as CommandContext;
  return { ended: run(context, { yes: true, ...options }), told };
}

const left = {
  code: 'FaultLeft',
  exitCode: 3,
  message: expect.stringContaining('broker-down'),
  hint: expect.anything(),
};
const kinds: readonly DrillRunOptions[] = [{}, { switchover: true }, { fault: 'link-slow' }];

test.each(kinds)('over what could not be healed no drill is begun: %j', async (options) => {
  await expect(begin(options).ended).rejects.toMatchObject(left);
  await dropFaultNote(drills(), note.fault);
  await expect(begin(options).ended).rejects.toThrow('the regions are asked for');
});

test('a tabletop tells of it, and looks', async () => {
  const { ended, told } = begin({ planOnly: true });
  await expect(ended).rejects.toThrow('the regions are asked for');
  expect(told).toEqual([expect.stringMatching(/NOT healed/)]);
});

test('a drill of the schedule is refused as well, and leaves the heal to its daemon', async () => {
  const faults = { 'broker-down': { inject: hook, heal: hook } };
  const trigger = { kind: 'schedule', slotAtMs: 1, late: false } as const;
  await expect(begin({ trigger }, faults).ended).rejects.toMatchObject(left);
  expect(await listRuns(drills())).toEqual([]);
  await expect(begin({}, faults).ended).rejects.toMatchObject(left);
  expect(await listRuns(drills())).toHaveLength(1);
});

test('the hint says what a person does, and first whether its drill is at work still', () => {
  const other = { ...note, fault: 'link-slow' } as const;
  expect(faultLeft([note, other], undefined).hint).toMatch(/^`argus drill faults`.*--healed broker-down link-slow`$/);
  expect(faultLeft([note], note.run).hint).toMatch(/^`argus runs show 20261122T000000Z-drill-0001`/);
});
