import { ArgusError } from '../../../domain/errors.ts';
import {
  byPartition,
  endOf,
  type LogRange,
  type PartitionOffset,
  partitionKey,
  partitionsOf,
  type TopicPartition,
} from '../../../domain/offsets.ts';
import {
  confirmFreeze,
  type Frozen,
  firstFrozen,
  noteFencing,
  readFrozen,
  requestFreeze,
  thaw,
} from '../../../state/freeze.ts';
import { keepMirrorProducer, readMirrorProducer } from '../../../state/mirror-producer.ts';
import { readRoleGrant } from '../../../state/role-grant.ts';
import { readRoles } from '../../../state/roles.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext, FailoverFacts } from '../context.ts';
import { evidence, type FailoverStep, type StepWords, within } from '../failover-step.ts';
import { findStandbyJob } from '../standby-job.ts';

/** How long a mirror has for its confirmation after draining. */
const confirmMs = 5_000;

/**
 * Makes mirror and checkpoint sync stand still, and settles where mirrored data ends. A mirror that doesn't confirm
 * is shut out by the standby's brokers instead, or the step fails (`give-up`).
 */
export function freezeMirror(
  words: StepWords,
  drainMs: number,
  unanswered: 'fence' | 'give-up' = 'fence',
): FailoverStep {
  return {
    id: 'freeze-mirror',
    ...words,
    timeoutMs: drainMs + confirmMs + 45_000,
    onFailure: { kind: 'stop', hint: "check the standby's Kafka (`argus status`), then run `argus failover` again" },
    async observe(context, _facts, io) {
      const there = await firstFrozen(context.state, context.roles.epoch, { signal: io.signal });
      if (there === undefined) return { kind: 'todo' };
      return { kind: 'done', ...(await found(context, there.frozen, io)) };
    },
    async act(context, _facts, io) {
      const { state, epoch, roles, run, clock } = context;
      io.check();
      await requestFreeze(
        state,
        { run, epoch, rolesEpoch: roles.epoch, atMs: clock.now(), drainMs },
        { signal: io.signal },
      );
      io.progress('waiting for the mirror to stop and say where it ended');
      const until = clock.monotonic() + drainMs + confirmMs;
      while (clock.monotonic() < until) {
        if (await readFrozen(state, epoch, { signal: io.signal })) return;
        await clock.sleep(100, io.signal);
      }
      if (unanswered === 'give-up') {
        throw new ArgusError('MirrorSilent', 'the mirror did not confirm that it has stopped', {
          hint: 'see that `argus daemon` runs, and what it logs',
        });
      }
      io.progress("the mirror does not answer: fencing its producer at the standby's brokers");
      await confirmFreeze(state, await forceStop(context, io), { signal: io.signal });
    },
    async verify(context, _facts, io) {
      const frozen = await readFrozen(context.state, context.epoch, { signal: io.signal });
      if (frozen === undefined) return { kind: 'pending', waitingFor: 'the confirmation in the state' };
      const ends = await standbyRanges(context, io.signal);
      const moved = ends.find((range) => {
        const at = frozen.endOffsets.find((e) => e.topic === range.topic && e.partition === range.partition)?.offset;
        // A fence's markers stand behind the data.
        return at === undefined || (frozen.by === 'mirror' ? range.logEndOffset !== at : range.logEndOffset < at);
      });
      if (moved !== undefined) {
        return {
          kind: 'failed',
          error: {
            code: 'StandbyLogMoves',
            message: `${moved.topic}-${moved.partition} on ${context.standby.name} ends at ${moved.logEndOffset}, not where the mirror said it stopped`,
            hint: `find out who else writes to ${moved.topic} on ${context.standby.name}`,
          },
        };
      }
      return { kind: 'done', ...(await found(context, frozen, io)) };
    },
    async compensate(context, _facts, io) {
      const { state, roles, run, epoch, clock } = context;
      const { signal } = io;
      await refuseOncePromoted(context, signal);
      const frozen = (await firstFrozen(state, roles.epoch, { signal }))?.frozen;
      if (frozen?.by === 'failover') {
        throw new ArgusError('MirrorFenced', 'the mirror was fenced at the brokers: it can not go on as it was', {
          hint: 'run `argus failover` again and finish it',
        });
      }
      io.check();
      const reason = 'the run gave up before it started a job';
      await thaw(state, { run, epoch, atMs: clock.now(), reason }, { signal });
      return { thawed: epoch };
    },
  };
}

/**
 * Nothing is taken back once an earlier run has begun to promote the standby: the mirror would go on below it, or both
 * sides would be written to. Throws also when that can't be told.
 */
export async function refuseOncePromoted(context: FailoverContext, signal: AbortSignal): Promise<void> {
  if (context.resumes === undefined) return;
  const jobs = context.jobs.length === 0 ? [] : await context.standby.flink.list({ signal });
  const started = context.jobs.find(
    ({ config }) => findStandbyJob(jobs, context.roles.epoch + 1, config.name).kind === 'live',
  );
  const inForce = (await readRoles(context.state, { signal }))?.epoch;
  const given = await readRoleGrant(context.state, context.roles.epoch + 1, { signal });
  if (started === undefined && given === undefined && inForce === context.roles.epoch) return;
  const { name } = context.standby;
  const gave = given === undefined ? 'wrote the roles' : `let ${name} run`;
  const what = started === undefined ? gave : `started ${started.config.name}`;
  throw new ArgusError('PastReturn', `${context.resumes} ${what} already: nothing may be taken back any more`, {
    hint: 'mend what stopped this run, then run its command again: it goes on from there',
  });
}

async function found(
  context: FailoverContext,
  frozen: Frozen,
  io: StepIo,
): Promise<{ readonly evidence: ReturnType<typeof evidence>; readonly facts: Partial<FailoverFacts> }> {
  const primaryEnds = await primaryEndsIfReachable(context, frozen.endOffsets, io);
  const { by, drained, endOffsets, openTransactions } = frozen;
  return {
    evidence: evidence({ by, drained, endOffsets, openTransactions, primaryEnds }),
    facts: {
      promotedAt: endOffsets,
      mirrorDrained: drained,
      toldTransactions: frozen.openTransactions ?? [],
      ...(primaryEnds === undefined ? {} : { primaryEnds }),
    },
  };
}

/** The primary's log ends, undefined while it is dark. What is above the mirror's end is what the standby will not have. */
export async function primaryEndsIfReachable(
  context: Pick<FailoverContext, 'primary'>,
  partitions: readonly TopicPartition[],
  io: StepIo,
): Promise<readonly PartitionOffset[] | undefined> {
  try {
    const ranges = await context.primary.kafka.logRanges(partitions, { signal: within(io.signal, 1_500) });
    return ranges.map(endOf);
  } catch {
    // Dark: the loss is estimated from the last sighting instead.
    io.signal.throwIfAborted();
    return undefined;
  }
}

async function forceStop(context: FailoverContext, io: StepIo): Promise<Frozen> {
  const { state, roles, standby, epoch, clock } = context;
  const options = { signal: io.signal };
  const before = (await standbyRanges(context, io.signal)).map(endOf);
  const producer = (await readMirrorProducer(state, roles.epoch, options)) ?? (await claimProducer(context, options));
  const noted = await noteFencing(state, roles.epoch, before, options);
  io.check();
  const aborted = await standby.kafka.fenceProducer(producer, before, options);
  const after = (await standbyRanges(context, io.signal)).map(endOf);
  return {
    epoch,
    atMs: clock.now(),
    drained: false,
    by: 'failover',
    endOffsets: dataEnds(noted.first, noted.endOffsets, after, aborted),
  };
}

/** No mirror has produced yet; one that hangs in its start will find an identity, and that one is fenced. */
async function claimProducer(context: FailoverContext, options: { readonly signal: AbortSignal }) {
  const { state, roles, standby, run } = context;
  const transactionalId = `argus-mirror-${standby.name}-${roles.epoch}-${run.slice(-4)}`;
  const made = await standby.kafka.initProducer(transactionalId, options);
  return keepMirrorProducer(state, roles.epoch, { transactionalId, ...made }, options);
}

/**
 * Where data ends in logs that end in a fence's marker. Pure. The first fence leaves one marker of one offset in each
 * partition, whatever was still appended before it, and one for each transaction that it aborted (`partitionKey`);
 * after a repeated one nobody can tell data from markers by offsets, and the ends from before the first hold.
 */
export function dataEnds(
  first: boolean,
  before: readonly PartitionOffset[],
  after: readonly PartitionOffset[],
  aborted: ReadonlyMap<string, number> = new Map(),
): PartitionOffset[] {
  if (!first) return [...before];
  return after.map((end) => {
    const was = before.find((b) => b.topic === end.topic && b.partition === end.partition)?.offset ?? 0n;
    const data = end.offset - 1n - BigInt(aborted.get(partitionKey(end)) ?? 0);
    return { ...end, offset: data > was ? data : was };
  });
}

async function standbyRanges(context: FailoverContext, signal: AbortSignal): Promise<readonly LogRange[]> {
  const { kafka } = context.standby;
  const topics = await kafka.describeTopics(context.config.topics, { signal });
  return kafka.logRanges(partitionsOf(topics.values()).toSorted(byPartition), { signal });
}
