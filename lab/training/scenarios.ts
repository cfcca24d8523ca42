import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab.ts';
import { names } from '../lab-info.ts';
import type { RightMove } from './score.ts';

/** What a scenario has at hand. */
export interface Stage {
  readonly lab: Lab;
  /** A pause of the scenario's own, which `--speed` shortens. */
  pause(ms: number): Promise<void>;
  /** `argus …` as a process of its own; it must end well. */
  argus(args: readonly string[]): Promise<void>;
  readonly signal: AbortSignal;
}

/** One training: what breaks, who calls, and what is right. */
export interface TrainingScenario {
  readonly name: string;
  readonly title: string;
  /** What somebody writes in the channel, beside what the pager says. */
  readonly call: string;
  readonly right: RightMove;
  readonly unfencedNeeded: boolean;
  readonly hints: readonly string[];
  /** What a good run looks like. */
  readonly good: readonly string[];
  /** Before anything is seen; absent: nothing. */
  before?(stage: Stage): Promise<void>;
  /** Breaks it; resolves at once. */
  begin(stage: Stage): Promise<void>;
  /** What goes on by itself until it mends itself; absent: it stays broken. */
  goOn?(stage: Stage): Promise<void>;
  /** Mends what is left of it, for the auditor; `moved`: another region serves, so clients must not come back to this one. */
  mend(stage: Stage, moved: boolean): Promise<void>;
}

const primary = (lab: Lab) => lab.regions[names.primary];
const slowness = async (lab: Lab, ms: number) => {
  for (const from of ['outside', names.standby] as const) await lab.link(from, names.primary).delay(ms);
};

/** All trainings, the easiest first. */
export const trainingScenarios: readonly TrainingScenario[] = [
  {
    name: 'slow-primary',
    title: 'The primary is slow',
    call: 'support: "orders take seconds since a minute or so, some customers see time-outs. Is mumbai down?"',
    right: 'wait',
    unfencedNeeded: false,
    hints: [
      '`argus status`: does mumbai answer, if slowly? `argus automatic status` says what all observers see.',
      'A verdict that allows a failover would be PrimaryDead or PrimaryUnreachable. Is one of them told?',
      'Who fails over from a primary that answers loses what it acknowledges meanwhile. Type `wait` when you wait.',
    ],
    good: [
      'argus status             mumbai answers; its Kafka is slow, the mirror goes on',
      'argus automatic status   PrimaryDegraded, which allows nothing',
      'wait, tell support, look at the network; if it lasts: argus switchover, which loses nothing',
    ],
    begin: ({ lab }) => slowness(lab, 350),
    goOn: ({ pause }) => pause(60_000),
    mend: ({ lab }) => slowness(lab, 0),
  },
  {
    name: 'partition',
    title: 'The primary is cut off and lives',
    call: 'a customer in mumbai: "from inside your data centre all is well, from anywhere else nothing gets through."',
    right: 'either',
    unfencedNeeded: true,
    hints: [
      '`argus automatic status`: PrimaryUnreachable is silence, PrimaryDead is a refusal. Which is it?',
      'Nothing can fence a primary that is not reached: `argus failover` wants --accept-unfenced, and that is recorded. Guards (docs/configuration.md) would fence it from inside.',
      'Waiting costs service; failing over costs what the primary still acknowledges behind the cut. `argus failover --dry-run` says how much.',
    ],
    good: [
      'argus automatic status          PrimaryUnreachable: time-outs only, so it may live behind a cut',
      'argus failover --dry-run        what it would cost; ask whoever runs the network how long it lasts',
      'argus failover --accept-unfenced, if it lasts; the tail behind the cut is found and counted at failback',
      'or wait, if the cut ends within minutes: nothing is lost then',
    ],
    begin: ({ lab }) => primary(lab).cut(),
    goOn: ({ pause }) => pause(120_000),
    mend: ({ lab }, moved) => (moved ? lab.link(names.standby, names.primary).restore() : primary(lab).restore()),
  },
  {
    name: 'dead-primary',
    title: 'The primary is gone',
    call: 'the provider’s status page: "mumbai: loss of power, we are investigating."',
    right: 'failover',
    unfencedNeeded: true,
    hints: [
      '`argus status` and `argus readiness`: is mumbai dark, and would a failover work?',
      '`argus failover` prints the plan and asks. A dead primary can’t be proven stopped: --accept-unfenced.',
    ],
    good: [
      'argus status                      mumbai refuses; what would be lost',
      'argus failover --accept-unfenced  reads the plan, types singapore',
      'argus runs show <run>             RTO, RPO; later --recount',
    ],
    begin: ({ lab }) => primary(lab).kill(),
    mend: ({ lab }) => primary(lab).start('kafka'),
  },
  {
    name: 'broken-checkpoints',
    title: 'Checkpoints failed before the outage',
    call: 'a colleague: "the checkpoint bucket in mumbai has been refusing for a while, and now all of mumbai is gone."',
    right: 'failover',
    unfencedNeeded: true,
    hints: [
      '`argus recovery-points --explain`: from which checkpoint would the job start, and how old is it?',
      'An older point is no loss: the mirrored log is there, and more of it is processed again.',
      '`argus failover --accept-unfenced`.',
    ],
    good: [
      'argus recovery-points --explain   the newest usable point is old; the mirror is not',
      'argus failover --accept-unfenced  more records are processed again, none is lost for it',
    ],
    async before({ lab, pause }) {
      await primary(lab).kill('objects');
      await pause(20_000);
    },
    begin: ({ lab }) => primary(lab).kill(),
    mend: ({ lab }) => primary(lab).start('kafka'),
  },
  {
    name: 'flapping-link',
    title: 'The link flaps',
    call: 'the network team: "we have a flapping circuit between the regions, we are on it."',
    right: 'wait',
    unfencedNeeded: false,
    hints: [
      '`argus automatic status` more than once: what do the observers in mumbai and outside see?',
      'Clients reach mumbai: only the way from singapore is bad. Type `wait` when you wait.',
    ],
    good: [
      'argus automatic status   MirrorStalled: the mirror doesn’t reach mumbai, most observers do; nothing allows a failover',
      'wait: clients are served, the mirror catches up by itself; nobody is helped by a failover',
    ],
    begin: ({ lab }) => lab.link(names.standby, names.primary).cut(),
    async goOn({ lab, pause, signal }) {
      const link = lab.link(names.standby, names.primary);
      for (let times = 0; times < 4 && !signal.aborted; times++) {
        await pause(8_000);
        await link.restore();
        await pause(6_000);
        await link.cut();
      }
      await pause(8_000);
    },
    mend: ({ lab }) => lab.link(names.standby, names.primary).restore(),
  },
  {
    name: 'old-primary-back',
    title: 'The old primary is back',
    call: 'the provider: "mumbai has power again." When it went, a colleague failed over: singapore serves since then.',
    right: 'failback',
    unfencedNeeded: false,
    hints: [
      '`argus status`: who is primary now? Is mumbai fenced? What does `argus runs list` say of the last hour?',
      '`argus failback --dry-run`: what only mumbai has is kept first, then mumbai follows again.',
      '`argus failback`.',
    ],
    good: [
      'argus failback --dry-run   what only mumbai has, and what is made anew',
      'argus failback             rescues the tail, re-seeds what diverged, mirrors back',
      'argus switchover           later, when you want: mumbai serves again, nothing is lost',
    ],
    async before({ lab, argus }) {
      // What mumbai takes meanwhile is never mirrored: there is something to be kept.
      const link = lab.link(names.standby, names.primary);
      await link.cut();
      await sleep(3_000);
      await primary(lab).kill();
      await link.restore();
      await sleep(3_000);
      await argus(['failover', '--yes', '--accept-unfenced', '--reason', 'training: before the lesson']);
    },
    begin: ({ lab, signal }) => primary(lab).start(undefined, signal),
    mend: async () => undefined,
  },
];
