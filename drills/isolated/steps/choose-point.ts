import { ArgusError } from '../../../domain/errors.ts';
import { endOf, offsetFromJson, type PartitionOffset, partitionKey, partitionsOf } from '../../../domain/offsets.ts';
import { estimateLoss, type TopicLoss } from '../../../replication/topics/estimate-loss.ts';
import type { StepIo } from '../../../runbooks/engine/step.ts';
import { evidence, within } from '../../../runbooks/failover/failover-step.ts';
import { noPointRefusal } from '../../../runbooks/failover/steps/choose-recovery-point.ts';
import { listDrillNotes, writeDrillNote } from '../../../state/drill-notes.ts';
import { readSighting } from '../../../state/sightings.ts';
import { causesOfRefused } from '../../prove/causes.ts';
import type { IsolatedContext, IsolatedFacts, IsolatedStep } from '../context.ts';
import { untilAnswered } from '../until-answered.ts';

/** How long the primary may take to say where its logs end. */
const primaryPatienceMs = 2_500;

/** Chooses as a failover would, with where the mirror ends now, and tells what would be lost now. */
export function choosePoint(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  let found: Pick<IsolatedFacts, 'points' | 'rejected' | 'rpo'> | undefined;
  return {
    id: 'choose-recovery-point',
    ...words,
    timeoutMs: 60_000,
    onFailure: { kind: 'stop', hint: 'see `argus recovery-points --explain` for what the replica holds' },
    async observe() {
      return { kind: 'todo' };
    },
    async act(context, _facts, io) {
      const { config, standby, jobs, findings, state, run } = context;
      const ends = await untilAnswered(() => endsOf(standby.kafka, config.topics, io.signal), io);
      const rpo = await rpoOf(context, ends, io);
      const asked = jobs.map((job) => ({ config: job.config }));
      const choose = () =>
        untilAnswered(() => context.questions.chooseRecoveryPoints(asked, ends, io.signal), io).then((choices) => ({
          choices,
          rejected: [...choices.values()].flatMap((choice) => choice.rejected),
        }));
      const first = await choose();
      // A listing takes its time: of a checkpoint that was copied meanwhile it may have the end alone. What is damaged is
      // so at a second look, too.
      const { choices, rejected } = causesOfRefused(first.rejected).length === 0 ? first : await choose();
      findings.causes.push(...causesOfRefused(rejected.filter((each) => first.rejected.some(isSamePoint(each)))));
      const points: IsolatedFacts['points'][number][] = [];
      for (const { config: job } of jobs) {
        const choice = choices.get(job.name);
        if (choice?.kind !== 'chosen') {
          const { code, message, hint } = noPointRefusal(job.name, choice?.rejected ?? []);
          throw new ArgusError(code, message, { hint });
        }
        const { point } = choice;
        points.push({
          job: job.name,
          checkpointId: point.checkpointId,
          completedAtMs: point.completedAtMs,
          uri: point.replicaUri,
          replayRecords: replayed(point.sourceOffsets.map(offsetFromJson), ends),
          manifest: point,
        });
      }
      const notes = await untilAnswered(() => listDrillNotes(state, { signal: io.signal }), io);
      const note = notes.find((each) => each.run === run);
      if (note === undefined) throw new ArgusError('DrillNotNoted', `the note of ${run} is gone`);
      // From now on retention keeps them.
      await untilAnswered(() => {
        io.check();
        return writeDrillNote(state, { ...note, points: points.map(({ uri }) => uri) }, { signal: io.signal });
      }, io);
      found = { points, rejected, rpo };
    },
    async verify() {
      if (found === undefined) return { kind: 'pending', waitingFor: 'a choice' };
      const points = found.points.map(({ manifest: _, ...point }) => point);
      return { kind: 'done', evidence: evidence({ ...found, points }), facts: found };
    },
  };
}

const isSamePoint =
  (one: { readonly job: string; readonly checkpointId: number }) =>
  (other: { readonly job: string; readonly checkpointId: number }): boolean =>
    one.job === other.job && one.checkpointId === other.checkpointId;

async function endsOf(
  kafka: Pick<IsolatedContext['primary']['kafka'], 'describeTopics' | 'logRanges'>,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<readonly PartitionOffset[]> {
  const partitions = partitionsOf((await kafka.describeTopics(topics, { signal })).values());
  return partitions.length === 0 ? [] : (await kafka.logRanges(partitions, { signal })).map(endOf);
}

/** What would be lost if the primary died now: counted by its logs' ends where it answers, else by its last sight. */
async function rpoOf(
  { config, primary, sighting, clock, state }: IsolatedContext,
  ends: readonly PartitionOffset[],
  { signal }: StepIo,
): Promise<IsolatedFacts['rpo']> {
  // Asked after the standby: what comes in between counts as missing, never the other way round.
  const primaryEnds = await endsOf(primary.kafka, config.topics, within(signal, primaryPatienceMs)).catch(
    () => undefined,
  );
  signal.throwIfAborted();
  // The one from before the drill may be older than the clean-up that came first took.
  const newest = await readSighting(state, primary.name, { signal: within(signal, primaryPatienceMs) }).catch(
    () => undefined,
  );
  signal.throwIfAborted();
  const losses = estimateLoss({
    topics: config.topics,
    sighting: newest ?? sighting,
    promotedAt: ends,
    outageAtMs: clock.now(),
    primaryStopped: false,
    ...(primaryEnds === undefined ? {} : { primaryEnds }),
  });
  return rpoFrom(losses, { objectiveMs: config.objectives.rpo, counted: primaryEnds !== undefined });
}

/** The loss per topic as a drill reports it; what nobody can tell is left out. Pure. */
export function rpoFrom(
  losses: Readonly<Record<string, TopicLoss>>,
  { objectiveMs, counted }: { readonly objectiveMs: number; readonly counted: boolean },
): IsolatedFacts['rpo'] {
  const all = Object.entries(losses);
  const topics = all.flatMap(([topic, { estimatedRecords: records, ms }]) =>
    records === null ? [] : [{ topic, records, ...(ms === null ? {} : { ms }) }],
  );
  const times = topics.flatMap(({ ms }) => (ms === undefined ? [] : [ms]));
  return {
    objectiveMs,
    ...(times.length === all.length && all.length > 0 ? { ms: Math.max(...times) } : {}),
    ...(topics.length === all.length ? { records: topics.reduce((sum, each) => sum + each.records, 0) } : {}),
    certainty: counted ? 'counted' : 'estimated',
    topics,
  };
}

/** Records between a point's offsets and where the mirror ends. Pure. */
function replayed(offsets: readonly PartitionOffset[], ends: readonly PartitionOffset[]): number {
  const end = new Map(ends.map((each) => [partitionKey(each), each.offset]));
  const sum = offsets.reduce((total, each) => {
    const ahead = (end.get(partitionKey(each)) ?? each.offset) - each.offset;
    return each.offset < 0n || ahead < 0n ? total : total + ahead;
  }, 0n);
  return Number(sum);
}
