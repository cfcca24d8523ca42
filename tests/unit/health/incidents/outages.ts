import type { Incident } from './incidents.ts';

/** Regions that are gone, and what only looks like it. */
export const outages: readonly Incident[] = [
  {
    name: 'full outage',
    faults: [{ kind: 'dead', region: 'blue', from: 10, to: 60 }],
    seconds: 60,
    acts: { from: 18, to: 20 },
    verdicts: ['AllWell', 'PrimaryDead'],
    waits: ['HoldDown'],
  },
  {
    name: 'full outage that takes its observer with it',
    faults: [
      { kind: 'dead', region: 'blue', from: 10, to: 60 },
      { kind: 'observer', name: 'east', from: 10, to: 60 },
    ],
    seconds: 60,
    // What it said last holds for as long as a report does.
    acts: { from: 18, to: 25 },
    verdicts: ['PrimaryDead', 'ObserverCutOff'],
  },
  {
    name: 'power loss that nobody accepted beforehand',
    faults: [{ kind: 'silent', region: 'blue', from: 10, to: 100 }],
    seconds: 100,
    verdicts: ['PrimaryUnreachable'],
    never: ['PrimaryDead'],
    waits: ['UnreachableNotAccepted'],
  },
  {
    name: 'power loss that was accepted beforehand',
    settings: { acceptUnreachable: true },
    faults: [{ kind: 'silent', region: 'blue', from: 10, to: 100 }],
    seconds: 100,
    acts: { from: 40, to: 47 },
    verdicts: ['PrimaryUnreachable'],
    waits: ['HoldDown'],
  },
  {
    name: 'standby down',
    faults: [{ kind: 'dead', region: 'green', from: 10, to: 60 }],
    seconds: 60,
    verdicts: ['StandbyDead'],
    never: ['PrimaryDead', 'BothDead'],
  },
  {
    name: 'standby down, as one observer alone can tell',
    faults: [
      { kind: 'observer', name: 'far', from: 0, to: 60 },
      { kind: 'observer', name: 'west', from: 10, to: 60 },
      { kind: 'dead', region: 'green', from: 10, to: 60 },
    ],
    seconds: 60,
    verdicts: ['StandbyNotReady', 'ObserverCutOff'],
    never: ['StandbyDead'],
  },
  {
    name: 'both down',
    faults: [
      { kind: 'dead', region: 'green', from: 10, to: 60 },
      { kind: 'dead', region: 'blue', from: 14, to: 60 },
    ],
    seconds: 60,
    verdicts: ['StandbyDead', 'BothDead'],
    never: ['PrimaryDead'],
  },
  {
    name: 'thundering restart: everything refuses for six seconds',
    settings: { acceptUnreachable: true },
    faults: [
      { kind: 'dead', region: 'blue', from: 10, to: 16 },
      { kind: 'slow', region: 'blue', ms: 1_900, from: 16, to: 40 },
    ],
    seconds: 60,
    verdicts: ['PrimaryDead', 'PrimaryDegraded'],
    waits: ['HoldDown'],
  },
  {
    name: 'outage while an observer is dead',
    faults: [
      { kind: 'observer', name: 'west', from: 0, to: 60 },
      { kind: 'dead', region: 'blue', from: 20, to: 60 },
    ],
    seconds: 60,
    acts: { from: 28, to: 30 },
    verdicts: ['ObserverCutOff', 'PrimaryDead'],
  },
  {
    name: 'outage that one observer alone could confirm',
    faults: [
      { kind: 'observer', name: 'west', from: 0, to: 60 },
      { kind: 'observer', name: 'east', from: 0, to: 60 },
      { kind: 'dead', region: 'blue', from: 20, to: 60 },
    ],
    seconds: 60,
    verdicts: ['PrimaryUnconfirmed', 'ObserverCutOff'],
    never: ['PrimaryDead', 'PrimaryUnreachable'],
  },
  {
    name: 'outage that nobody outside saw',
    faults: [
      { kind: 'observer', name: 'far', from: 0, to: 60 },
      { kind: 'dead', region: 'blue', from: 20, to: 60 },
    ],
    seconds: 60,
    verdicts: ['PrimaryUnconfirmed', 'ObserverCutOff'],
    never: ['PrimaryDead'],
  },
];
