import { expect, it } from 'vitest';
import { agree } from '../../../cli/agree.ts';
import { failbackConsequences, failoverConsequences, switchoverConsequences } from '../../../cli/consequences.ts';

const steps = ['stop-jobs', 'start-jobs', 'promote'].map((id) => ({ id }));
type Failover = Parameters<typeof failoverConsequences>[0];
type Switchover = Parameters<typeof switchoverConsequences>[0];
type Failback = Parameters<typeof failbackConsequences>[0];

const failover = {
  from: 'mumbai',
  to: 'singapore',
  loss: { events: { estimatedRecords: 45, ms: 600, estimated: true } },
  recoveryPoints: [{ job: 'counts', checkpointId: 7 }],
  steps,
  pointOfNoReturn: 'start-jobs',
} as unknown as Failover;

it('a failover tells what is lost, what is done again, and until where there is a way back', () => {
  const told = failoverConsequences(failover, { acceptUnfenced: false });
  expect(told).toEqual([
    'singapore becomes the primary in place of mumbai, which is mirrored from no more',
    'would be lost of events: about 45 records, 600 ms, an estimate',
    'counts goes on from checkpoint 7: it processes again what came later',
    'before step 2 all is taken back if it fails or you stop it; from there on it can only be gone on with, and later the way back is `argus failback`, once mumbai is there again',
  ]);
});

it('a failover that goes on unfenced says so', () => {
  expect(failoverConsequences(failover, { acceptUnfenced: true }).join('\n')).toMatch(
    /where mumbai can't be seen stopped it is gone on all the same/,
  );
});

it('a switchover tells that producers wait, and that nothing is lost', () => {
  const told = switchoverConsequences({
    from: 'a',
    to: 'b',
    steps,
    pointOfNoReturn: 'start-jobs',
  } as unknown as Switchover);
  expect(told.join('\n')).toMatch(
    /can't write from when they are denied on a until the names have moved to b\nnothing is lost/,
  );
});

it('a failback tells what it deletes', () => {
  const plan = { region: 'a', active: 'b', beginAnew: ['events'], steps, pointOfNoReturn: 'promote' };
  expect(failbackConsequences(plan as unknown as Failback).join('\n')).toMatch(
    /deleted on a and made anew, once what only it has is kept: events\nbefore step 3 /,
  );
});

it('they stand right before the question', async () => {
  const asked: string[] = [];
  const ask = async (question: string) => {
    asked.push(question);
    return 'singapore';
  };
  await agree({ interactive: true, ask }, 'singapore', undefined, ['one', 'two']);
  expect(asked).toEqual(["what you agree to:\n  • one\n  • two\ntype the standby's name to go on (singapore): "]);
});
