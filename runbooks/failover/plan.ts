import { formatByteSize } from '../../domain/byte-size.ts';
import { namesThatFollow } from '../../domain/dns-config.ts';
import type { Roles } from '../../domain/roles.ts';
import type { Region } from '../../regions/region.ts';
import { estimateCopyMs } from '../../replication/checkpoints/restore-copy.ts';
import { estimateLoss, type TopicLoss } from '../../replication/topics/estimate-loss.ts';
import type { Failure } from '../../state/journal.ts';
import { usableFence } from '../fencing/kafka-fencing.ts';
import type { PlanBasis } from '../plan/plan-file.ts';
import { type BudgetVerdict, judgeLoss } from './budget.ts';
import type { UsedPoint } from './context.ts';
import { type FailoverStepId, failoverStepIds, type StepWords } from './failover-step.ts';
import { flipOf, tooManyChanges } from './flip.ts';
import type { PlanView } from './gather-plan-view.ts';
import { manualCommands } from './manual.ts';
import type { Outage } from './outage.ts';
import { outputWarnings } from './output.ts';
import { basisOf } from './plan-basis.ts';
import { outlookOf, type StepOutlook } from './plan-progress.ts';
import { findStandbyJob, isTerminal, standbyJobId } from './standby-job.ts';
import { noPointRefusal, usedPoint } from './steps/choose-recovery-point.ts';
import { claimRefusal } from './steps/prepare-restore.ts';
import { foreignJobRefusal } from './steps/start-jobs.ts';
import { unfencedRefusal } from './steps/stop-primary-jobs.ts';

export interface PlannedStep extends StepWords, StepOutlook {
  readonly id: FailoverStepId;
}

/** What a failover would do now. Printed before anything happens. */
export interface FailoverPlan {
  readonly from: string;
  readonly to: string;
  readonly outage: Outage;
  /** The interrupted run that this one goes on with. */
  readonly resumes?: string;
  readonly steps: readonly PlannedStep[];
  /** The step from which on nothing is taken back. */
  readonly pointOfNoReturn: FailoverStepId;
  readonly recoveryPoints: readonly UsedPoint[];
  /** What would be lost, as far as can be told now. */
  readonly loss: Readonly<Record<string, TopicLoss>>;
  /** Whether that is within the RPO, or within what was accepted. */
  readonly budget: BudgetVerdict;
  /** Any of them: refused, exit code 3. */
  readonly blockers: readonly Failure[];
  readonly warnings: readonly string[];
  /** What it relies on. */
  readonly basis: PlanBasis;
  /** The lease as it was read when it was made: whoever was at work then, or since, may have moved the world. */
  readonly leaseMark?: string;
}

/** The plan of a failover from what was observed. Pure. */
export function planFailover(view: PlanView): FailoverPlan {
  const { context, outage, choices } = view;
  const recoveryPoints = choices.flatMap(({ choice }) =>
    choice.kind === 'known' && choice.value.kind === 'chosen'
      ? [usedPoint(choice.value.point, choice.value.output)]
      : [],
  );
  const primaryJobs = livePrimaryJobs(view);
  const blockers = blockersOf(view);
  const loss = estimateLoss({
    topics: context.config.topics,
    sighting: context.sighting,
    promotedAt: view.mirroredEnds.kind === 'known' ? view.mirroredEnds.value : [],
    outageAtMs: outage.atMs,
    primaryStopped: false,
  });
  return {
    from: context.primary.name,
    to: context.standby.name,
    outage,
    ...(view.resumes === undefined ? {} : { resumes: view.resumes }),
    steps: stepsOf(view, primaryJobs, recoveryPoints).map((step) => ({
      ...step,
      ...outlookOf(step.id, view, blockers),
    })),
    pointOfNoReturn: 'start-jobs',
    recoveryPoints,
    loss,
    budget: budgetOf(view, loss),
    blockers,
    warnings: warningsOf(view, loss, recoveryPoints),
    basis: basisOf(view, recoveryPoints),
  };
}

/** What an earlier run has started can't be unlost. */
function budgetOf(view: PlanView, loss: Readonly<Record<string, TopicLoss>>): BudgetVerdict {
  const { context, standbyJobs } = view;
  const running = standbyJobs.kind === 'known' ? standbyJobs.value : [];
  const begun = context.jobs.some(
    (j) => findStandbyJob(running, context.roles.epoch + 1, j.config.name).kind === 'live',
  );
  if (begun) return { kind: 'within' };
  return judgeLoss(loss, { rpoMs: context.config.objectives.rpo, accepted: context.lossLimit?.accepted });
}

function livePrimaryJobs({ context, primaryJobs }: PlanView) {
  const names = new Set(context.jobs.map((j) => j.config.name));
  return primaryJobs.kind === 'known' ? primaryJobs.value.filter((j) => names.has(j.name) && !isTerminal(j)) : [];
}

function stepsOf(
  view: PlanView,
  primaryJobs: ReturnType<typeof livePrimaryJobs>,
  points: readonly UsedPoint[],
): readonly (StepWords & { readonly id: FailoverStepId })[] {
  const { context } = view;
  const { config, primary, standby, roles } = context;
  const running = view.standbyJobs.kind === 'known' ? view.standbyJobs.value : [];
  const manual = manualCommands({
    config,
    primary: primary.name,
    standby: standby.name,
    primaryJobs,
    withheldAcls: view.withheldAcls ?? [],
    rolesEpoch: roles.epoch,
    ...(view.mirrorFrozen && view.mirroredEnds.kind === 'known' ? { finalEnds: view.mirroredEnds.value } : {}),
    drillJobs: (view.drills ?? []).flatMap((drill) => drill.jobs),
    jobs: context.jobs.map(({ config: { name }, jarPath }) => {
      const there = findStandbyJob(running, roles.epoch + 1, name);
      const point = points.find((p) => p.job === name);
      const jobId =
        there.kind === 'none'
          ? there.nextId
          : there.kind === 'live'
            ? there.job.id
            : standbyJobId(roles.epoch + 1, name, 0);
      return { name, jarPath, jobId, ...(point === undefined ? {} : manualRestore(point, jobId, standby.objects.uri)) };
    }),
    records: view.records.flatMap(({ name, records }) =>
      records.kind === 'known' ? records.value.map((r) => ({ ...r, name })) : [],
    ),
  });
  const jobs = list(context.jobs.map((j) => j.config.name));
  const names = list(namesThatFollow(config.dns).map((r) => r.name));
  const from = points.map((p) => `checkpoint ${p.checkpointId} of ${new Date(p.completedAtMs).toISOString()}`);
  const titles: Record<FailoverStepId, string> = {
    'stop-primary-jobs':
      view.primaryJobs.kind === 'unknown'
        ? `Stop ${jobs} on ${primary.name}: it can't be reached${context.acceptUnfenced ? ', accepted as unfenced' : ''}`
        : `Stop ${jobs} on ${primary.name}`,
    'fence-primary': fenceTitle(primary, view.primaryJobs.kind === 'unknown'),
    'freeze-mirror': `Stop the mirror to ${standby.name} and note where ${list(config.topics)} end`,
    'seal-mirror': config.mirror.denyWrite
      ? `Keep the mirror from writing: close its transactional ids, deny ${config.mirror.principal ?? ''} WRITE on ${standby.name}`
      : `Keep the mirror from writing: close its transactional ids on ${standby.name}`,
    'sync-groups': `Copy the committed offsets of ${list(config.jobs.map((j) => j.consumerGroup))} a last time`,
    'choose-recovery-point': `Choose the newest usable checkpoint${from.length ? ` (now ${list(from)})` : ''}`,
    'prepare-restore': prepareTitle(points),
    'release-acls': `Let write on ${standby.name} who may on ${primary.name} (${view.withheldAcls?.length ?? 0} ACLs withheld from the copy)`,
    'end-drill': `End the jobs of ${list((view.drills ?? []).map(({ run }) => run))} on ${standby.name}: a drill makes way`,
    'start-jobs': `Start ${jobs} on ${standby.name}`,
    'end-transactions': `End the transactions that the mirror left open on ${standby.name}: commit what the sinks had pre-committed, abort the others`,
    promote: `Make ${standby.name} the primary (roles epoch ${roles.epoch + 1}); replication is suspended`,
    'flip-names': `Point ${names} to ${standby.address}`,
    'await-checkpoint': `Wait until ${jobs} completed a checkpoint of its own on ${standby.name}`,
    'verify-names': `See ${names} answer ${standby.address} at ${list(view.resolvers)}`,
    'confirm-jobs': `See the operator on ${standby.name} find ${jobs} READY and STABLE`,
  };
  const operated = config.regions[standby.name]?.flink.kubernetes !== undefined;
  const absent = new Set<FailoverStepId>([
    ...(operated ? [] : ['confirm-jobs' as const]),
    // A drill that is begun later ends itself.
    ...((view.drills ?? []).length > 0 ? [] : ['end-drill' as const]),
  ]);
  const ids = failoverStepIds.filter((id) => !absent.has(id));
  return ids.map((id) => ({ id, title: titles[id], manual: manual[id] }));
}

function fenceTitle(primary: Pick<Region, 'name' | 'fence'>, dark: boolean): string {
  const fence = usableFence({ region: primary });
  if ('none' in fence) return `Keep writers out of ${primary.name}'s Kafka: not by Argus (${fence.none})`;
  const who = list(fence.settings.principals.map((p) => p.principal));
  return `Deny ${who} WRITE on ${primary.name}, and see it${dark ? ', if its Kafka answers' : ''}`;
}

function prepareTitle(points: readonly UsedPoint[]): string {
  const claims = points.flatMap(({ claim }) => claim ?? []);
  if (claims.length === 0) return 'Restore from the replica as it lies: no job has to consume a copy';
  const [files, bytes] = [claims.reduce((n, c) => n + c.files, 0), claims.reduce((n, c) => n + c.bytes, 0)];
  const jobs = list(points.flatMap(({ job, claim }) => (claim ? [job] : [])));
  return `Copy what ${jobs} will consume (changelog state, CLAIM): ${files} files, ${formatByteSize(bytes)}, about ${seconds(estimateCopyMs({ files, bytes }))} (a guess)`;
}

/** Where a job would be restored from, for who starts it by hand. */
function manualRestore(point: UsedPoint, jobId: string, storeUri: string) {
  if (point.claim === undefined) return { pointUri: point.uri };
  return { pointUri: point.uri, copyUri: `${storeUri}/relocated/${jobId}` };
}

function blockersOf(view: PlanView): readonly Failure[] {
  const { context } = view;
  const { primary, standby, roles } = context;
  const blockers: Failure[] = [];
  const standbyNeeds = (what: string, asked: { readonly kind: string; readonly why?: string }) => {
    if (asked.kind === 'known') return;
    blockers.push({
      code: 'StandbyUnreachable',
      message: `${what} can't be asked: ${asked.why}`,
      hint: 'see `argus status`; a failover needs all of the standby',
    });
  };
  if (roles.replication === 'suspended') {
    blockers.push(suspendedRefusal(roles));
  }
  if (view.primaryJobs.kind === 'unknown' && !context.acceptUnfenced && context.guard === undefined) {
    blockers.push(unfencedRefusal(primary.name, view.primaryJobs.why));
  }
  standbyNeeds(`${standby.name}'s Flink`, view.standbyJobs);
  standbyNeeds(`${standby.name}'s Kafka`, view.mirroredEnds);
  if (view.mirroredEnds.kind === 'known') {
    const ends = view.mirroredEnds.value;
    for (const topic of context.config.topics.filter((t) => !ends.some((e) => e.topic === t))) {
      blockers.push({
        code: 'TopicMissing',
        message: `topic ${topic} does not exist on ${standby.name}`,
        hint: 'has `argus daemon` (or `argus mirror run`) ever run?',
      });
    }
  }
  // What an earlier run has started needs no point any more.
  const running = view.standbyJobs.kind === 'known' ? view.standbyJobs.value : [];
  for (const { job, choice } of view.choices) {
    if (findStandbyJob(running, roles.epoch + 1, job).kind === 'live') continue;
    if (choice.kind === 'unknown') standbyNeeds(`the replica of ${job}`, choice);
    else if (choice.value.kind === 'none') blockers.push(noPointRefusal(job, choice.value.rejected));
    else if (choice.value.point.needsClaim === true) {
      const config = context.jobs.find((j) => j.config.name === job)?.config;
      const refusal = config && claimRefusal(config, standby.name);
      if (refusal !== undefined) blockers.push(refusal);
    }
  }
  if (view.standbyJobs.kind === 'known') {
    let wanted = 0;
    for (const { config: job } of context.jobs) {
      const there = findStandbyJob(view.standbyJobs.value, roles.epoch + 1, job.name);
      if (there.kind === 'foreign') blockers.push(foreignJobRefusal(job.name, standby.name));
      if (there.kind === 'none') wanted += job.submit?.parallelism ?? 0;
    }
    const freed = (view.drills ?? []).reduce((sum, drill) => sum + drill.slots, 0);
    if (view.slots.kind === 'known' && view.slots.value.free + freed < wanted) {
      blockers.push({
        code: 'NoSlots',
        message: `${standby.name}'s Flink has ${view.slots.value.free} free task slots, the jobs need ${wanted}`,
        hint: 'start more task managers',
      });
    }
  }
  blockers.push(...nameBlockers(view));
  return blockers;
}

function nameBlockers({ context, records: names }: PlanView): readonly Failure[] {
  const { primary, standby, config } = context;
  const blockers: Failure[] = [];
  const addresses = { primary: primary.address, standby: standby.address };
  let changes = 0;
  for (const { name, records } of names) {
    if (records.kind === 'unknown') {
      blockers.push({
        code: 'NamesUnreachable',
        message: `the records of ${name} can't be read: ${records.why}`,
        hint: 'check dns in argus.yaml (`argus dns check` asks the same)',
      });
      continue;
    }
    const flip = flipOf(name, records.value, addresses);
    if (flip.kind === 'impossible') {
      const hint =
        flip.code === 'NameCantMove'
          ? '`argus dns check` says more'
          : 'set the record to the address of a region first';
      blockers.push({ code: flip.code, message: flip.why, hint });
    } else if (flip.kind === 'change') changes += flip.records.length;
  }
  const tooMany = tooManyChanges(changes, config.dns.maxChanges);
  if (tooMany !== undefined) {
    blockers.push({ code: 'DnsTooManyChanges', message: tooMany, hint: 'raise dns.maxChanges if that is meant' });
  }
  return blockers;
}

function warningsOf(
  view: PlanView,
  loss: Readonly<Record<string, TopicLoss>>,
  points: readonly UsedPoint[],
): readonly string[] {
  const { context, outage } = view;
  const { sighting, primary, config } = context;
  const warnings: string[] = [];
  if (view.primaryJobs.kind === 'unknown' && context.acceptUnfenced) {
    warnings.push(
      `${primary.name} can't be proven stopped: what it still takes in is lost, and both regions may write output`,
    );
  }
  if (view.primaryJobs.kind === 'known' && sighting?.firstFailureAtMs === undefined) {
    warnings.push(
      `${primary.name} answers: records that its clients still write there after the mirror stopped are lost`,
    );
  }
  if (outage.earliestAtMs !== undefined) {
    const since = outage.earliestAtMs === null ? '' : ` since ${new Date(outage.earliestAtMs).toISOString()}`;
    warnings.push(
      `nobody has watched ${primary.name}${since}: the outage may have begun earlier; state it with --outage-at`,
    );
  }
  if (sighting === undefined) warnings.push('no daemon has seen the primary: the loss can not be estimated');
  const budget = budgetOf(view, loss);
  if (budget.kind === 'exceeded')
    warnings.push(`${budget.error.message}: it stops and asks, or needs --accept-data-loss`);
  if (view.nowMs - outage.atMs > config.objectives.rto) {
    warnings.push(`the RTO of ${seconds(config.objectives.rto)} has passed already`);
  }
  warnings.push(...points.flatMap(outputWarnings));
  return warnings;
}

const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
const list = (words: readonly string[]) => words.join(', ');

/** Why roles whose replication is suspended can't be changed by a failover. */
export const suspendedRefusal = ({
  primary,
  standby,
  epoch,
}: Pick<Roles, 'primary' | 'standby' | 'epoch'>): Failure => ({
  code: 'ReplicationSuspended',
  message: `nothing is mirrored from ${primary} to ${standby} (roles epoch ${epoch}): the standby has none of its newer records`,
  hint: 'run `argus failback` first, so that there is a standby again',
});
