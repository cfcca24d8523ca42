import type { Incident } from './incidents.ts';

/** A part fails, the region lives. */
export const grayFailures: readonly Incident[] = [
  {
    name: 'slow broker: it answers after the deadline',
    settings: { acceptUnreachable: true },
    faults: [{ kind: 'slow', region: 'blue', only: 'kafka', ms: 4_000, from: 10, to: 90 }],
    seconds: 90,
    verdicts: ['PrimaryDegraded'],
    never: ['PrimaryDead', 'PrimaryUnreachable'],
  },
  {
    name: 'slow broker: it answers late',
    faults: [{ kind: 'slow', region: 'blue', only: 'kafka', ms: 1_800, from: 10, to: 90 }],
    seconds: 90,
    verdicts: ['PrimaryDegraded'],
  },
  {
    name: 'gray failure: Kafka refuses, the rest answers',
    faults: [{ kind: 'dead', region: 'blue', only: 'kafka', from: 10, to: 90 }],
    seconds: 90,
    verdicts: ['PrimaryDegraded'],
    never: ['PrimaryDead'],
  },
  {
    name: 'gray failure: the job is gone',
    faults: [{ kind: 'dead', region: 'blue', only: 'job', from: 10, to: 90 }],
    seconds: 90,
    verdicts: ['PrimaryDegraded'],
    never: ['PrimaryDead'],
  },
  {
    name: 'the standby’s Flink is gone',
    faults: [{ kind: 'dead', region: 'green', only: 'flink', from: 10, to: 60 }],
    seconds: 60,
    verdicts: ['StandbyNotReady'],
    never: ['StandbyDead'],
  },
  {
    name: 'the mirror stalls',
    faults: [{ kind: 'failed', probe: 'mirror', from: 10, to: 60 }],
    seconds: 60,
    verdicts: ['MirrorStalled'],
  },
  {
    name: 'the mirror is cut off from a primary that others reach',
    faults: [{ kind: 'severed', from: 10, to: 60 }],
    seconds: 60,
    verdicts: ['MirrorStalled'],
    never: ['PrimaryDead', 'PrimaryUnreachable', 'PrimaryDegraded'],
  },
  {
    name: 'the mirror loses the primary for a moment',
    faults: [{ kind: 'severed', from: 10, to: 18 }],
    seconds: 60,
    verdicts: ['AllWell'],
    never: ['MirrorStalled'],
  },
  {
    name: 'the mirror is cut off from a primary that nobody reaches',
    faults: [
      { kind: 'severed', from: 10, to: 60 },
      { kind: 'dead', region: 'blue', only: 'kafka', from: 10, to: 60 },
    ],
    seconds: 60,
    verdicts: ['PrimaryDegraded'],
    never: ['MirrorStalled'],
  },
  {
    name: 'a hiccup of two seconds',
    faults: [{ kind: 'dead', region: 'blue', from: 10, to: 12 }],
    seconds: 40,
    verdicts: ['AllWell'],
    never: ['PrimaryDead', 'PrimaryUnreachable', 'PrimaryDegraded'],
  },
];
