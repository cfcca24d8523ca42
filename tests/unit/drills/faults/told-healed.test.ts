import { expect, test } from 'vitest';
import { faultCatalogue } from '../../../../drills/faults/catalogue.ts';
import { forgetToldHealed } from '../../../../drills/faults/told-healed.ts';
import { listRuns, readRun } from '../../../../state/journal.ts';
import { acquireLease } from '../../../../state/lease.ts';
import { foldRun } from '../../../../state/run-record.ts';
import { faultWorld, leftNote as note } from './fault-world.ts';

const sides = { from: 'mumbai', to: 'singapore' };
const other = { ...note, fault: 'link-slow' } as const;

/** A state in which faults are noted as broken, a person, and drills. */
async function left() {
  const { clock, store: state, notes, called } = faultWorld(faultCatalogue['broker-down']);
  const { signal } = new AbortController();
  await notes.put(note, signal);
  await notes.put(other, signal);
  const actor = { state, clock, signal, holder: 'asha@host', random: () => '0002' };
  return {
    ...{ clock, notes, called, state, signal },
    tell: () => forgetToldHealed(actor, notes, [note], sides, { reason: 'restarted by hand' }),
    noted: async () => (await notes.list(signal)).map(({ fault }) => fault),
    async drill(run: string) {
      const answer = await acquireLease(state, { holder: 'p', purpose: 'drill', run, ttlMs: 10_000, waitMs: 0 }, clock);
      if (answer.kind === 'held') throw new Error('another drill is at work');
      return answer.lease;
    },
  };
}

test('a fault that a person has healed is forgotten, alone, and the journal says on whose word', async () => {
  const { tell, noted, called, state } = await left();
  expect(await tell()).toMatchObject({ outcome: 'done' });
  expect(await noted()).toEqual(['link-slow']);
  // Nothing is called: the hook may be what is gone.
  expect(called).toEqual([]);
  const [run = ''] = await listRuns(state);
  expect(foldRun(await readRun(state, run))).toMatchObject({
    status: 'done',
    by: 'asha@host',
    details: { kind: 'fault', reason: 'restarted by hand', onTheWordOf: 'asha@host', toldHealed: [note] },
    steps: [{ id: 'forget-broker-down', evidence: { onTheWordOf: 'asha@host', looked: false } }],
    report: { outcome: 'stopped', reason: 'restarted by hand', verdict: expect.stringContaining('on the word of') },
  });
});

test('not while its drill is at work; once that is dead it is', async () => {
  const { tell, noted, drill } = await left();
  const die = (await drill(note.run)).keepRenewed();
  await expect(tell()).rejects.toMatchObject({ code: 'LeaseHeld', exitCode: 3 });
  expect(await noted()).toEqual(['broker-down', 'link-slow']);
  await die();
  expect(await tell()).toMatchObject({ outcome: 'done' });
  expect(await noted()).toEqual(['link-slow']);
});

test('what was broken anew since the person was asked is not meant', async () => {
  const { tell, noted, notes, signal } = await left();
  await notes.put({ ...note, run: '20261122T010000Z-drill-0003' }, signal);
  expect(await tell()).toMatchObject({ outcome: 'refused', error: { code: 'BrokenAnew' } });
  expect(await noted()).toEqual(['broker-down', 'link-slow']);
});
