import type { Roles } from '../../domain/roles.ts';
import { type Divergence, divergedTopics, wantedRanges } from '../../replication/orphans/divergence.ts';
import type { Failure } from '../../state/journal.ts';
import type { StepWords } from '../failover/failover-step.ts';
import type { PlanBasis } from '../plan/plan-file.ts';
import type { FailbackContext } from './context.ts';
import { failbackBasis } from './plan-basis.ts';

/** Steps by id, in their order. */
export const failbackStepIds = [
  'stop-old-jobs',
  'fence-old-primary',
  'find-divergence',
  'rescue-orphans',
  'note-rescue',
  'begin-topics-anew',
  'retire-points',
  'turn-replication',
] as const;

export type FailbackStepId = (typeof failbackStepIds)[number];

export interface PlannedFailbackStep extends StepWords {
  readonly id: FailbackStepId;
}

/** What a failback would do now. Printed before anything happens. */
export interface FailbackPlan {
  /** The old primary, which becomes the standby that is mirrored to. */
  readonly region: string;
  /** The active side. */
  readonly active: string;
  readonly promotion: number;
  readonly partitions: number;
  /** Those that are not where the shared part ends. Offsets: markers and holes among them are no records. */
  readonly diverged: readonly Divergence[];
  /** Deleted on the old primary and made anew. */
  readonly beginAnew: readonly string[];
  readonly steps: readonly PlannedFailbackStep[];
  readonly pointOfNoReturn: FailbackStepId;
  /** Any of them: refused, exit code 3. */
  readonly blockers: readonly Failure[];
  /** What it relies on. */
  readonly basis: PlanBasis;
  /** The lease as it was read when it was made: whoever was at work then, or since, may have moved the world. */
  readonly leaseMark?: string;
}

/** Whether these roles can be failed back from; undefined: they can. Pure. */
export function failbackRefusal(roles: Roles): Failure | undefined {
  if (roles.replication === 'active') {
    const message = `${roles.primary} is mirrored to ${roles.standby} already (roles epoch ${roles.epoch}): there is nothing to fail back`;
    return { code: 'NothingToFailBack', message, hint: '`argus switchover` makes the standby the primary' };
  }
  if (roles.promotedAt === undefined) {
    const message = `the roles of epoch ${roles.epoch} don't say where the promoted logs ended`;
    return { code: 'PromotionUnknown', message, hint: 'see `argus runs list` for who wrote them' };
  }
  return undefined;
}

/** The plan of a failback from what was found; `found` undefined: the old primary can't be read, for that reason. Pure. */
export function planFailback(
  context: Pick<FailbackContext, 'config' | 'primary' | 'standby' | 'roles' | 'keepIn' | 'describeKept'>,
  found: readonly Divergence[] | Failure,
): FailbackPlan {
  const known = 'code' in found ? [] : found;
  const odd = known.filter((d) => d.kind !== 'same');
  const anew = divergedTopics(known);
  const refusal = failbackRefusal(context.roles);
  return {
    region: context.standby.name,
    active: context.primary.name,
    promotion: context.roles.epoch,
    partitions: known.length,
    diverged: odd,
    beginAnew: anew,
    steps: stepsOf(context, known, anew),
    pointOfNoReturn: 'begin-topics-anew',
    basis: failbackBasis(context, known, failbackStepIds),
    blockers: [...(refusal ? [refusal] : []), ...('code' in found ? [found] : [])],
  };
}

function stepsOf(
  context: Pick<FailbackContext, 'config' | 'primary' | 'standby' | 'roles' | 'keepIn' | 'describeKept'>,
  found: readonly Divergence[],
  anew: readonly string[],
): readonly PlannedFailbackStep[] {
  const { config, primary, standby, roles } = context;
  const [old, active] = [standby.name, primary.name];
  const wanted = wantedRanges(found);
  const offsets = wanted.reduce((n, r) => n + (r.to - r.from), 0n);
  const where = [...new Set(wanted.map((r) => r.topic))].map((topic) => context.describeKept(topic));
  const bootstrap = config.regions[old]?.kafka.bootstrap.join(',') ?? '';
  const tools = (tool: string, rest: string) => `${tool} --bootstrap-server ${bootstrap} ${rest}`;
  const jobs = config.jobs.map((j) => j.name).join(', ');
  const words: Record<FailbackStepId, StepWords> = {
    'stop-old-jobs': {
      title: `Stop ${jobs} on ${old}, and see that nothing of it runs`,
      manual: ['flink list', 'flink cancel <job id>'],
    },
    'fence-old-primary': {
      title: `Deny writes to the Kafka of ${old}, and see them refused`,
      manual: [],
    },
    'find-divergence': {
      title: `Find where the logs of ${old} stopped being those of ${active}`,
      manual: config.topics.map((topic) => tools('kafka-get-offsets.sh', `--topic ${topic} --time latest`)),
    },
    'rescue-orphans': {
      title:
        offsets === 0n
          ? `Keep what only ${old} has: nothing`
          : `Keep what only ${old} has, ${offsets} offsets, in ${where.join(', ')}; read it back and compare`,
      manual: wanted.map((r) =>
        tools(
          'kafka-console-consumer.sh',
          `--topic ${r.topic} --partition ${r.partition} --offset ${r.from} --max-messages ${r.to - r.from}`,
        ),
      ),
    },
    'note-rescue': { title: 'Note in the state what is kept', manual: [] },
    'begin-topics-anew': {
      title:
        anew.length === 0
          ? `Begin topics of ${old} anew: none diverged`
          : `Delete ${anew.join(', ')} on ${old}, once it is proven that all of it is kept, and make it anew`,
      manual: anew.map((topic) => tools('kafka-topics.sh', `--delete --topic ${topic}`)),
    },
    'retire-points': {
      title: `Take checkpoints that had read orphans out of the replica in ${active}`,
      manual: [],
    },
    'turn-replication': {
      title: `Mirror from ${active} to ${old} (roles epoch ${roles.epoch + 1}); ${active} stays primary`,
      manual: [],
    },
  };
  return failbackStepIds.map((id) => ({ id, ...words[id] }));
}
