import type { RunbookName } from './document.ts';

/** What a runbook's document says that no observation tells. */
export interface RunbookWords {
  readonly purpose: string;
  /** When to use it, and when not. */
  readonly use: readonly string[];
  /** What each step looks at in the world to call itself done, by the step's id. */
  readonly observes: Readonly<Record<string, string>>;
  readonly decisions: readonly Decision[];
  readonly refusals: readonly Refusal[];
  readonly afterwards: readonly string[];
}

/** What a person has to decide. */
export interface Decision {
  readonly question: string;
  readonly answer: string;
}

/** Why nothing is done (exit code 3 or 4), and what to do then. */
export interface Refusal {
  readonly code: string;
  readonly when: string;
  readonly next: string;
}

/** Steps that a failover and a switchover share. */
const shared: Readonly<Record<string, string>> = {
  'freeze-mirror':
    'the mirror’s confirmation in the state, and the standby’s log ends standing where it says it stopped',
  'seal-mirror':
    'each of the mirror’s transactional ids closed; where its WRITE is denied, a refused Produce at every leader',
  'sync-groups': 'the groups’ committed offsets, read back from the standby',
  'prepare-restore': 'every file of the copies, by size, and their metadata byte for byte',
  'release-acls': 'the ACLs, listed by the standby’s brokers',
  'end-drill': 'no job of a drill in the Flink that it runs in',
  'start-jobs': 'each job in the standby’s Flink, under the id that follows from this change of roles',
  'end-transactions': 'no transaction of the mirror open, and readers of committed records getting to the logs’ ends',
  promote: 'the new roles, read back from the state',
  'flip-names': 'the records at the DNS provider',
  'await-checkpoint': 'of each job a completed checkpoint newer than the restored one',
  'confirm-jobs': 'the operator’s own word that each job is stable, where there is one',
  'verify-names': 'each resolver answering each name with the standby’s address alone',
};

const common: readonly Refusal[] = [
  {
    code: 'LeaseHeld',
    when: 'somebody else is at work',
    next: '`argus runs list`; wait for it to end, or `argus runs abort <id>`',
  },
  {
    code: 'JournalTampered',
    when: 'a run’s journal was changed',
    next: '`argus runs show <id>` names the entry; find out who did that before anything else',
  },
  {
    code: 'RolesChanged',
    when: 'the roles were changed meanwhile',
    next: '`argus status`, `argus runs list`, then decide anew',
  },
  {
    code: 'StandbyUnreachable',
    when: 'a part of the standby does not answer',
    next: '`argus status` names it; bring it up first',
  },
];

/** Of each runbook. */
export const runbookWords: Readonly<Record<RunbookName, RunbookWords>> = {
  failover: {
    purpose:
      'Make the standby the primary when the primary is lost or can’t be trusted. Records that the mirror had not copied are lost, and counted.',
    use: [
      'Use it when the primary is down, or so ill that waiting costs more than the loss below.',
      'Don’t use it when both regions are well: `argus switchover` moves without any loss.',
      'It can be killed at any instant: the same command goes on where it was.',
    ],
    observes: {
      ...shared,
      'stop-primary-jobs':
        'none of the jobs running in the primary’s Flink; when it can’t be asked: your word (--accept-unfenced)',
      'fence-primary': 'a refused Produce of each principal at each broker, and log ends that stand still',
      'choose-recovery-point':
        'of each checkpoint: every file on the replica, every source offset within the mirrored log, its sinks’ transactions',
    },
    decisions: [
      {
        question: 'Is the primary really gone?',
        answer:
          'Argus says what it can’t prove. Only when you know that its clients and jobs are cut off: --accept-unfenced.',
      },
      {
        question: 'Is the loss acceptable?',
        answer:
          'Above the RPO, or unknown, it stops and asks; --accept-data-loss takes it upon yourself. A primary that can be read again loses less.',
      },
      {
        question: 'May output of the jobs be missing?',
        answer: 'When no checkpoint’s output is whole on the standby: --accept-output-gap, or wait for the mirror.',
      },
      { question: 'When did the outage begin?', answer: '--outage-at, when nobody watched; it counts for the RTO.' },
    ],
    refusals: [
      {
        code: 'PrimaryUnfenced',
        when: 'the primary’s jobs can’t be seen stopped',
        next: 'cut it off from its clients, then --accept-unfenced',
      },
      {
        code: 'KafkaUnfenced',
        when: 'the primary’s Kafka was not seen fenced, and the configuration wants it',
        next: 'cut off its producers, then --accept-unfenced',
      },
      {
        code: 'NoRecoveryPoint',
        when: 'no checkpoint on the replica can be used',
        next: '`argus recovery-points --explain` says why of each',
      },
      {
        code: 'LossAboveBudget',
        when: 'more would be lost than the RPO, or than was accepted',
        next: 'bring the primary’s Kafka up, or --accept-data-loss',
      },
      { code: 'PlanStale', when: 'the world moved since the reviewed plan', next: 'look again: --plan-out FILE' },
      {
        code: 'ReplicationSuspended',
        when: 'the standby is the old primary, to which nothing is mirrored',
        next: '`argus failback`',
      },
      { code: 'TopicMissing', when: 'a topic was never mirrored', next: 'start `argus daemon`' },
      { code: 'ForeignJob', when: 'a job of that name runs on the standby already', next: 'cancel it there' },
      { code: 'NoSlots', when: 'the standby’s Flink has no room', next: 'start more task managers' },
      { code: 'NameHoldsOther', when: 'a DNS record holds neither region’s address', next: 'set it to one of them' },
      { code: 'NamesUnreachable', when: 'the DNS provider can’t be asked', next: 'check its token' },
      ...common,
    ],
    afterwards: [
      'The old primary stays fenced: when it comes back, the daemon denies its writers before anything else.',
      'When it is back for good: `argus runs show <id> --recount` counts the loss exactly, then `argus runbook show failback`.',
    ],
  },
  switchover: {
    purpose: 'Move to the standby as planned, with nothing lost: the logs are proven equal before a job starts.',
    use: [
      'Use it for maintenance, for an exercise, and to go home after a failback.',
      'Producers are blocked from the fence until the names have moved.',
      'Until the point of no return it goes back by itself when a step fails: the jobs are started again on the primary.',
    ],
    observes: {
      ...shared,
      'check-ready': 'the mirror at work with little lag, every job RUNNING on the primary, the standby ready',
      'deny-producers': 'each producer’s principal refused by every leader, and log ends that stand still',
      'await-catch-up': 'the jobs’ committed or checkpointed offsets at the fenced ends',
      'stop-with-savepoint': 'each job FINISHED, and its savepoint’s metadata in the bucket',
      'deny-jobs': 'the jobs’ principals refused on the primary',
      'prove-ends': 'the same end offset of every partition on both sides',
      'copy-savepoints': 'the savepoints on the replica, every file of them',
      'open-mirror': 'the mirror’s principal allowed to write to the old primary',
    },
    decisions: [
      { question: 'Now?', answer: 'Producers wait for the time below; their own time-outs must be longer.' },
      {
        question: 'Can Argus deny the producers?',
        answer: 'Where it has no means: stop them yourself, and say so with --producers-stopped.',
      },
    ],
    refusals: [
      {
        code: 'ProducersNotFenced',
        when: 'producers can’t be denied, or were not seen refused',
        next: 'stop them, then --producers-stopped',
      },
      {
        code: 'EndsDiffer',
        when: 'a partition does not end alike on both sides',
        next: '`argus mirror status`; it goes back by itself',
      },
      { code: 'ReplicationSuspended', when: 'nothing is mirrored to the standby', next: '`argus failback`' },
      ...common,
    ],
    afterwards: [
      'The old primary is the standby, and mirrored to at once: `argus status`.',
      'To go back: `argus switchover` again.',
    ],
  },
  failback: {
    purpose:
      'Make the old primary a standby again: what only it has is kept, what diverged is begun anew, and it is mirrored to.',
    use: [
      'Use it when the old primary’s Kafka, bucket and Flink are back.',
      'It moves no traffic: afterwards `argus switchover` goes home, or `argus failback --switch` does both.',
      'Nothing is deleted before it was read back elsewhere and compared.',
    ],
    observes: {
      'stop-old-jobs': 'none of the jobs running in the old primary’s Flink, or in one that can’t be asked: your word',
      'fence-old-primary':
        'a refused Produce of each principal at each broker of the old primary, and log ends that stand still',
      'find-divergence': 'the log ends of both sides against the promotion offsets',
      'rescue-orphans': 'each orphan, read back from where it is kept, byte for byte',
      'note-rescue': 'the note in the state',
      'begin-topics-anew': 'the diverged topics made anew, under other topic ids',
      'retire-points': 'no checkpoint of the time before the failover left to be chosen',
      'turn-replication': 'the roles in force: replication active, towards the old primary',
    },
    decisions: [
      {
        question: 'Where shall orphans be kept?',
        answer: '--to topic (argus.orphans.<topic> on the active side) or --to files.',
      },
      {
        question: 'Shall they be written into the live topics?',
        answer: 'That is another command, when you have looked: `argus orphans replay`.',
      },
    ],
    refusals: [
      { code: 'NothingToFailBack', when: 'the regions mirror already', next: '`argus switchover`' },
      {
        code: 'OldPrimaryUnfenced',
        when: 'the old primary’s jobs can’t be seen stopped',
        next: 'stop them, then --accept-unfenced',
      },
      { code: 'PromotionUnknown', when: 'nobody noted where the promoted logs ended', next: '`argus runs list`' },
      { code: 'RescueDiffers', when: 'what is kept is not what was read', next: 'run it again; nothing was deleted' },
      { code: 'PlanStale', when: 'the world moved since the reviewed plan', next: 'look again: --plan-out FILE' },
      ...common,
    ],
    afterwards: [
      '`argus orphans list` shows what is kept.',
      'When `argus status` shows little lag: `argus switchover`.',
    ],
  },
};
