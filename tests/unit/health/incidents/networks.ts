import type { Fault } from '../simulated-watch.ts';
import type { Incident } from './incidents.ts';

const flaps: readonly Fault[] = [10, 40, 70].flatMap((from): readonly Fault[] =>
  ['green', 'outside'].map((place) => ({ kind: 'cut', place, region: 'blue', from, to: from + 20 })),
);

/** Networks that are cut here and there. */
export const networks: readonly Incident[] = [
  {
    name: 'flapping link: the primary vanishes for 20 s again and again',
    settings: { acceptUnreachable: true },
    faults: flaps,
    seconds: 100,
    verdicts: ['PrimaryUnreachable', 'PrimaryFlapping'],
    never: ['PrimaryDead'],
    waits: ['HoldDown'],
  },
  {
    name: 'flapping link that refuses for a moment when it is back',
    settings: { acceptUnreachable: true },
    faults: [...flaps, { kind: 'dead', region: 'blue', from: 30, to: 32 }],
    seconds: 60,
    verdicts: ['PrimaryUnreachable'],
    never: ['PrimaryDead'],
  },
  {
    name: 'a link flaps while Flink is refused anyway, on this side of the cut',
    settings: { acceptUnreachable: true },
    faults: [
      { kind: 'dead', region: 'blue', only: 'flink', near: true, from: 2, to: 60 },
      { kind: 'dead', region: 'blue', only: 'ingress', near: true, from: 2, to: 60 },
      ...flaps.filter((f) => f.from === 10),
    ],
    seconds: 60,
    verdicts: ['PrimaryDegraded', 'PrimaryUnreachable'],
    never: ['PrimaryDead'],
  },
  {
    name: 'the regions lose each other, and the world sees both',
    settings: { acceptUnreachable: true },
    faults: [
      { kind: 'cut', place: 'green', region: 'blue', from: 10, to: 90 },
      { kind: 'cut', place: 'blue', region: 'green', from: 10, to: 90 },
    ],
    seconds: 100,
    verdicts: ['PrimaryPartlyReachable'],
    never: ['PrimaryDead', 'PrimaryUnreachable', 'StandbyDead'],
  },
  {
    name: 'the primary is cut off from everybody',
    settings: { acceptUnreachable: true },
    faults: ['green', 'outside'].map((place): Fault => ({ kind: 'cut', place, region: 'blue', from: 10, to: 100 })),
    seconds: 100,
    acts: { from: 40, to: 47 },
    verdicts: ['PrimaryUnreachable', 'ObserverCutOff'],
    never: ['PrimaryDead'],
  },
  {
    name: 'the primary is cut off from clients, and its own observer still reaches the state',
    settings: {
      acceptUnreachable: true,
      observers: [
        { name: 'east', place: 'blue' },
        { name: 'west', place: 'green' },
        { name: 'far', place: 'outside' },
        // Stands beside the primary with a way of its own.
        { name: 'satellite', place: 'outside-2' },
      ],
    },
    faults: ['green', 'outside'].map((place): Fault => ({ kind: 'cut', place, region: 'blue', from: 10, to: 100 })),
    seconds: 100,
    verdicts: ['PrimaryPartlyReachable'],
    never: ['PrimaryDead', 'PrimaryUnreachable'],
  },
  {
    name: 'observer cut off: it sees no region, its reports arrive',
    faults: ['blue', 'green'].map((region): Fault => ({ kind: 'cut', place: 'outside', region, from: 10, to: 60 })),
    seconds: 60,
    verdicts: ['ObserverCutOff'],
    never: ['PrimaryDead', 'PrimaryUnreachable', 'PrimaryPartlyReachable', 'StandbyDead'],
  },
  {
    name: 'observer cut off: its reports don’t arrive',
    faults: [{ kind: 'unheard', name: 'far', from: 10, to: 60 }],
    seconds: 60,
    verdicts: ['ObserverCutOff'],
  },
  {
    name: 'two observers with clocks an hour apart see nothing wrong',
    faults: [
      { kind: 'skew', name: 'west', ms: 3_600_000, from: 20, to: 40 },
      { kind: 'skew', name: 'far', ms: -3_600_000, from: 25, to: 60 },
    ],
    seconds: 60,
    verdicts: ['AllWell'],
    never: ['PrimaryDead', 'PrimaryUnreachable', 'ObserverCutOff'],
  },
];
