import { partitionsOf } from '../../../domain/offsets.ts';
import type { FlinkCheckpoints } from '../../../regions/flink/flink-jobs.ts';
import { keyInBucket } from '../../../replication/checkpoints/locations.ts';
import { evidence } from '../../../runbooks/failover/failover-step.ts';
import { hasRecovered } from '../../../runbooks/failover/steps/await-checkpoint.ts';
import type { DrilledJob, IsolatedContext, IsolatedFacts, IsolatedStep } from '../context.ts';
import { jobsNow } from './start-jobs.ts';

/** A job that has recovered may have nothing to write: its first record is not waited for any longer than this. */
const outputPatienceMs = 20_000;

/** What a job that is begun again and again may still get over; all else stays as it is. */
const passing: ReadonlySet<string> = new Set(['JobFailed', 'NoSlots']);

/**
 * Waits until each job was restored from its copy, has completed a checkpoint of its own in the bubble and, where it had
 * something to read, has written a first record: that is when it is seen at work.
 */
export function awaitDrillCheckpoints(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  let checkpointsAt: { readonly monotonic: number; readonly nowMs: number } | undefined;
  const own = new Map<string, FlinkCheckpoints['latestCompleted']>();
  return {
    id: 'await-checkpoints',
    ...words,
    waitsFor: 'Flink of the drill',
    timeoutMs: 300_000,
    pollMs: 500,
    onFailure: { kind: 'stop', hint: "see the job's exceptions and checkpoints in the drill's Flink" },
    async observe() {
      return { kind: 'todo' };
    },
    async act() {
      // Nothing to do but to look.
    },
    async verify(context, facts, io) {
      const { jobs, standby, questions } = context;
      const looked = await jobsNow(context, io.signal);
      if (looked.kind !== 'alive') return looked;
      for (const job of jobs.filter(({ config }) => !own.has(config.name))) {
        const checkpoints = await standby.flink.checkpoints(job.flinkJobId, { signal: io.signal });
        const elsewhere = outsideOf(context, job, facts, checkpoints);
        if (elsewhere !== undefined) return { kind: 'failed', error: elsewhere };
        if (hasRecovered(checkpoints)) {
          own.set(job.config.name, checkpoints.latestCompleted);
          continue;
        }
        const { state } = looked.there.find(({ id }) => id === job.flinkJobId)!;
        const why =
          state === 'RESTARTING' || state === 'FAILING'
            ? await standby.flink.failureOf(job.flinkJobId, { signal: io.signal })
            : undefined;
        const cause = why === undefined ? undefined : questions.causeOf(job.config.name, why);
        if (cause !== undefined && !passing.has(cause.code)) {
          context.findings.causes.push(cause);
          return { kind: 'failed', error: { code: cause.code, message: cause.message } };
        }
        const waitingFor = `${job.config.name} is ${state}, without a checkpoint of its own yet`;
        return { kind: 'pending', waitingFor: why === undefined ? waitingFor : `${waitingFor}: ${why}` };
      }
      checkpointsAt ??= { monotonic: io.clock.monotonic(), nowMs: io.clock.now() };
      const silent = await withoutOutput(context, facts, io.signal);
      const waited = io.clock.monotonic() - checkpointsAt.monotonic;
      if (silent.length > 0 && waited < outputPatienceMs) {
        return { kind: 'pending', waitingFor: `the first record of ${silent.join(', ')}` };
      }
      // What a job wrote before its checkpoint was there by then.
      const recoveredAtMs = silent.length > 0 ? checkpointsAt.nowMs : io.clock.now();
      const firstOutput = silent.length === 0 ? 'seen' : `not observed: ${silent.join(', ')}`;
      return {
        kind: 'done',
        evidence: evidence({ checkpoints: Object.fromEntries(own), firstOutput }),
        facts: { recoveredAtMs },
      };
    },
  };
}

/** Why what Flink says of a job's checkpoints shows that it doesn't keep to the bubble. */
function outsideOf(
  { standby }: IsolatedContext,
  { config, checkpoints }: DrilledJob,
  { copies }: Partial<IsolatedFacts>,
  { restored, latestCompleted }: FlinkCheckpoints,
) {
  const { uri } = standby.objects;
  const keyOf = (path: string) => keyInBucket(path.replace(/\/+$/, ''), uri);
  const asked = copies?.get(config.name)?.uri;
  if (restored !== undefined && asked !== undefined && keyOf(restored.path) !== keyOf(asked)) {
    const message = `${config.name} was restored from ${restored.path}, not from ${asked}`;
    return { code: 'RestoredElsewhere', message };
  }
  if (latestCompleted === undefined || keyOf(latestCompleted.path)?.startsWith(`${checkpoints}/`)) return undefined;
  return {
    code: 'CheckpointOutsideBubble',
    message: `${config.name} writes its checkpoints to ${latestCompleted.path}, not to ${uri}/${checkpoints}`,
    hint: 'the program sets its own directory: give it {checkpoints} in drill.args',
  };
}

/** Jobs that had something to read and have written to none of their topics yet. */
async function withoutOutput(
  { jobs, standby }: IsolatedContext,
  { points = [] }: Partial<IsolatedFacts>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const silent: string[] = [];
  for (const { config, topics } of jobs) {
    const read = points.find(({ job }) => job === config.name)?.replayRecords ?? 0;
    if (topics.size === 0 || read === 0) continue;
    const there = await standby.kafka.describeTopics([...topics.values()], { signal });
    const ranges = await standby.kafka.logRanges(partitionsOf(there.values()), { signal });
    if (!ranges.some(({ logEndOffset, logStartOffset }) => logEndOffset > logStartOffset)) silent.push(config.name);
  }
  return silent;
}
