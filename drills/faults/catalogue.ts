import { type FaultName, faultNames } from '../../domain/fault-config.ts';
import type { VerdictCode } from '../../health/verdict-table.ts';

/** A part of a region as a drill looks at it: all jobs are one. */
export type Part = 'kafka' | 'objects' | 'flink' | 'job';

/** What can be seen of a fault. */
export type Sign =
  /** This Argus' own look at a part of the primary is bad, or gets no answer. */
  | { readonly kind: 'part-bad'; readonly part: Part }
  /** Flink has fewer slots than before. */
  | { readonly kind: 'slots-fewer' }
  /** The provider of the names doesn't say what they hold. */
  | { readonly kind: 'dns-api-bad' }
  /** All resolvers answer as before. */
  | { readonly kind: 'names-answer' }
  /** A look at the primary's Kafka takes longer than before by at least so much, or gets no answer. */
  | { readonly kind: 'kafka-slower'; readonly byMs: number }
  /** One of these verdicts is told. */
  | { readonly kind: 'verdict'; readonly anyOf: readonly VerdictCode[] }
  /** The standby holds more records than when the fault began. */
  | { readonly kind: 'mirror-advances' }
  /** Nothing is broken: every part that was well before is well. */
  | { readonly kind: 'parts-well' }
  /** The standby holds all that the primary held when the fault was healed. */
  | { readonly kind: 'mirror-caught-up' }
  /** Each job can be restored from a checkpoint that was completed behind the heal. */
  | { readonly kind: 'checkpoint-after' }
  /** None of the verdicts that were told for the fault still is. */
  | { readonly kind: 'verdicts-gone' };

/** One thing that must come about within a time. */
export interface Expectation {
  readonly id: string;
  /** As a sentence: `MirrorStalled or PrimaryDegraded is told`. */
  readonly says: string;
  readonly sign: Sign;
  readonly withinMs: number;
}

/** One failure, and what must come of it. */
export interface Fault {
  readonly name: FaultName;
  /** What is broken, for people. */
  readonly breaks: string;
  /** What the hook has to do. */
  readonly hook: string;
  /** How Argus is to behave, in words. */
  readonly behaviour: string;
  /** While it is broken. */
  readonly during: readonly Expectation[];
  /** Behind the heal. */
  readonly after: readonly Expectation[];
  /** It stays broken at least so long, so that what must not come has time to come. */
  readonly leastMs: number;
  /** And at most so long. */
  readonly holdMs: number;
  /** A verdict that allows a failover may be told; for all others it would be wrong. */
  readonly looksDead: boolean;
  /** Only where the primary has an API server of Kubernetes. */
  readonly needs?: 'kubernetes';
}

const seconds = (n: number) => n * 1_000;
const minutes = (n: number) => n * 60_000;

const verdict = (...anyOf: readonly VerdictCode[]): Expectation => ({
  id: 'verdict',
  says: `${anyOf.join(' or ')} is told`,
  sign: { kind: 'verdict', anyOf },
  withinMs: seconds(60),
});

const bad = (part: Part, says: string): Expectation => ({
  id: `${part}-bad`,
  says,
  sign: { kind: 'part-bad', part },
  withinMs: seconds(60),
});

const mirrorGoesOn: Expectation = {
  id: 'mirror-advances',
  says: 'the mirror goes on',
  sign: { kind: 'mirror-advances' },
  withinMs: seconds(60),
};

/** What has to be so behind every heal. */
const allWell: readonly Expectation[] = [
  { id: 'parts-well', says: 'all parts are well', sign: { kind: 'parts-well' }, withinMs: minutes(5) },
  {
    id: 'mirror-caught-up',
    says: 'the standby holds all that the primary held when it was healed',
    sign: { kind: 'mirror-caught-up' },
    withinMs: minutes(5),
  },
  {
    id: 'checkpoint-after',
    says: 'each job can be restored from a checkpoint behind the heal',
    sign: { kind: 'checkpoint-after' },
    withinMs: minutes(10),
  },
  { id: 'verdicts-gone', says: 'its verdicts are withdrawn', sign: { kind: 'verdicts-gone' }, withinMs: minutes(5) },
];

/** Every fault that a drill can bring about: complete, and the only place that says what must come of it. */
export const faultCatalogue: Readonly<Record<FaultName, Fault>> = {
  'broker-down': {
    name: 'broker-down',
    breaks: 'the primary’s Kafka gives no answer',
    hook: 'stop the broker, or enough of them that partitions have no leader',
    behaviour: 'no failover is begun; the mirror waits and goes on by itself where it stopped',
    during: [bad('kafka', 'the primary’s Kafka is found failed or unknown'), verdict('PrimaryDegraded')],
    after: allWell,
    leastMs: seconds(15),
    holdMs: seconds(90),
    looksDead: false,
  },
  'objects-refusing': {
    name: 'objects-refusing',
    breaks: 'the object store of the primary refuses',
    hook: 'make the bucket of the primary’s checkpoints answer nothing, or with errors',
    behaviour: 'no failover is begun; the mirror goes on; the recovery points of before stay usable',
    during: [
      bad('objects', 'the primary’s object store is found failed or unknown'),
      verdict('PrimaryDegraded', 'CheckpointsStale'),
      mirrorGoesOn,
    ],
    after: allWell,
    leastMs: seconds(15),
    holdMs: seconds(90),
    looksDead: false,
  },
  'taskmanager-lost': {
    name: 'taskmanager-lost',
    breaks: 'a TaskManager of the primary’s Flink is gone',
    hook: 'kill a TaskManager that runs tasks of the job',
    behaviour: 'no failover is begun; the mirror goes on; Flink starts the job again and checkpoints are copied again',
    during: [
      {
        id: 'slots-fewer',
        says: 'Flink has fewer slots, or the job does not run',
        sign: { kind: 'slots-fewer' },
        withinMs: seconds(90),
      },
      mirrorGoesOn,
    ],
    after: allWell,
    leastMs: seconds(10),
    holdMs: seconds(120),
    looksDead: false,
  },
  'api-server-frozen': {
    name: 'api-server-frozen',
    breaks: 'the API server of the primary’s Kubernetes hangs',
    hook: 'stop the API server so that it accepts connections and answers nothing',
    behaviour:
      'no failover is begun; what Argus reaches through it is told as unknown, not as failed; the mirror goes on',
    during: [
      bad('flink', 'the primary’s Flink, which is reached through it, is found unknown'),
      verdict('PrimaryDegraded'),
      mirrorGoesOn,
    ],
    after: allWell,
    leastMs: seconds(15),
    holdMs: seconds(90),
    looksDead: false,
    needs: 'kubernetes',
  },
  'dns-api-down': {
    name: 'dns-api-down',
    breaks: 'the API of the DNS provider answers with errors',
    hook: 'make each call to the provider’s API fail; names go on being answered',
    behaviour: 'no failover is begun; names answer as before; nothing of replication is touched',
    during: [
      {
        id: 'dns-api-bad',
        says: 'what the names hold is told as unknown',
        sign: { kind: 'dns-api-bad' },
        withinMs: seconds(60),
      },
      { id: 'names-answer', says: 'names answer as before', sign: { kind: 'names-answer' }, withinMs: seconds(60) },
      mirrorGoesOn,
    ],
    after: allWell,
    leastMs: seconds(10),
    holdMs: seconds(60),
    looksDead: false,
  },
  'link-slow': {
    name: 'link-slow',
    breaks: 'the way between the regions is slow',
    hook: 'hold back what goes between the standby and the primary by some hundred milliseconds',
    behaviour: 'no failover is begun; the mirror goes on, later; a slow primary is never taken for a dead one',
    during: [
      {
        id: 'kafka-slower',
        says: 'looks at the primary’s Kafka take longer',
        sign: { kind: 'kafka-slower', byMs: 200 },
        withinMs: seconds(60),
      },
      mirrorGoesOn,
    ],
    after: allWell,
    leastMs: seconds(20),
    holdMs: seconds(90),
    looksDead: false,
  },
  'primary-dark': {
    name: 'primary-dark',
    breaks: 'the primary is silent to all observers',
    hook: 'cut the primary from the standby and from every observer elsewhere; its clients may keep their way',
    behaviour:
      'the observers find it; nothing is promoted, since a person decides; the mirror goes on where it stopped',
    during: [
      bad('kafka', 'the primary’s Kafka is found unknown or failed'),
      verdict('PrimaryUnreachable', 'PrimaryDead', 'PrimaryUnconfirmed'),
    ],
    after: allWell,
    leastMs: seconds(15),
    holdMs: seconds(90),
    looksDead: true,
  },
};

/** All faults, in the order in which they are listed. */
export const allFaults: readonly Fault[] = faultNames.map((name) => faultCatalogue[name]);

/** A fault as a configuration has it: its own times and verdicts in place of the catalogue's. Pure. */
export function faultAs(
  fault: Fault,
  own: { readonly hold?: number | undefined; readonly verdicts?: readonly VerdictCode[] | undefined },
): Fault {
  const { hold, verdicts } = own;
  const others = fault.during.filter((e) => e.sign.kind !== 'verdict');
  return {
    ...fault,
    ...(hold === undefined ? {} : { holdMs: hold, leastMs: Math.min(fault.leastMs, hold) }),
    ...(verdicts === undefined ? {} : { during: verdicts.length === 0 ? others : [...others, verdict(...verdicts)] }),
  };
}
