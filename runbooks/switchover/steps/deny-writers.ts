import { partitionsOf, type TopicPartition } from '../../../domain/offsets.ts';
import { evidence, type StepWords } from '../../failover/failover-step.ts';
import { refuseOncePromoted } from '../../failover/steps/freeze-mirror.ts';
import type { SwitchoverContext, SwitchoverFacts, Writers, WritersSeen } from '../context.ts';
import { hasTakenOver, over, type SwitchoverStep } from '../switchover-step.ts';

/**
 * Keeps the services that take in data from writing to the primary, and sees it. Without the means to do so a person has
 * to have stopped them (`producersStopped`), and the logs' standing still is seen by the step after.
 */
export function denyProducers(words: StepWords): SwitchoverStep {
  let beganAtMs: number | undefined;
  return {
    ...denying('producers', words),
    async observe(context, _facts, io) {
      if (await hasTakenOver(context, io.signal)) return over;
      const seen = await look(context, 'producers', io.signal);
      if (seen.kind === 'open') return { kind: 'todo' };
      if (seen.kind === 'no-means' && !context.producersStopped) return { kind: 'refused', error: noMeans(seen.why) };
      return { kind: 'done', ...denied(seen, context.deniedAtMs ?? io.clock.now()) };
    },
    async act(context, _facts, io) {
      io.check();
      beganAtMs = io.clock.now();
      await context.denyWriters('producers', io);
    },
    async verify(context, _facts, io) {
      const seen = await look(context, 'producers', io.signal);
      if (seen.kind === 'open') return { kind: 'pending', waitingFor: `the producers' denial: ${seen.where}` };
      return { kind: 'done', ...denied(seen, context.deniedAtMs ?? beganAtMs ?? io.clock.now()) };
    },
  };
}

/** Keeps the jobs' principals from writing once the jobs have ended: what they had to commit is committed. */
export function denyJobs(words: StepWords): SwitchoverStep {
  return {
    ...denying('jobs', words),
    async observe(context, _facts, io) {
      if (await hasTakenOver(context, io.signal)) return over;
      const seen = await look(context, 'jobs', io.signal);
      return seen.kind === 'open' ? { kind: 'todo' } : { kind: 'done', evidence: evidence(seen) };
    },
    async act(context, _facts, io) {
      io.check();
      await context.denyWriters('jobs', io);
    },
    async verify(context, _facts, io) {
      const seen = await look(context, 'jobs', io.signal);
      if (seen.kind === 'open') return { kind: 'pending', waitingFor: `the denial of the jobs: ${seen.where}` };
      return { kind: 'done', evidence: evidence(seen) };
    },
  };
}

/** Lets the mirror write to the old primary, from which a seal may have kept it since it became primary. */
export function openMirror(words: StepWords): SwitchoverStep {
  return {
    id: 'open-mirror',
    ...words,
    waitsFor: 'Kafka of the old primary',
    timeoutMs: 60_000,
    pointOfNoReturn: true,
    onFailure: {
      kind: 'continue',
      hint: 'nothing is mirrored back before the mirror may write there: take the rule away by hand (see the step)',
    },
    async observe(context, _facts, io) {
      const seen = await context.lookAtMirror(io.signal);
      return seen.kind === 'denied' ? { kind: 'todo' } : { kind: 'done', evidence: evidence(seen) };
    },
    async act(context, _facts, io) {
      io.check();
      await context.allowMirror(io.signal);
    },
    async verify(context, _facts, io) {
      const seen = await context.lookAtMirror(io.signal);
      if (seen.kind === 'denied') return { kind: 'pending', waitingFor: 'the mirror to be let write' };
      return { kind: 'done', evidence: evidence(seen) };
    },
  };
}

/** What it is to deny, and how it is taken back, whoever they are. */
const denying = (who: Writers, words: StepWords): Omit<SwitchoverStep, 'observe' | 'act' | 'verify'> => ({
  id: `deny-${who}`,
  ...words,
  waitsFor: 'Kafka of the primary',
  timeoutMs: 60_000,
  onFailure: { kind: 'stop', hint: "check the primary's Kafka (`argus status`), then run `argus switchover` again" },
  async compensate(context, _facts, io) {
    await refuseOncePromoted(context, io.signal);
    io.check();
    await context.allowWriters(who, io);
    return { allowed: who, on: context.primary.name };
  },
});

const look = (context: SwitchoverContext, who: Writers, signal: AbortSignal): Promise<WritersSeen> =>
  context.lookAtWriters(who, signal);

/** Of the mirrored topics, as the primary has them; the standby has the same. */
export async function mirroredPartitions(
  context: Pick<SwitchoverContext, 'primary' | 'standby' | 'config'>,
  signal: AbortSignal,
): Promise<readonly TopicPartition[]> {
  const topics = await context.standby.kafka.describeTopics(context.config.topics, { signal });
  return partitionsOf(topics.values());
}

function denied(seen: Exclude<WritersSeen, { kind: 'open' }>, producersDeniedAtMs: number) {
  const how: SwitchoverFacts['producersDenied'] =
    seen.kind === 'no-means' ? 'by-person' : seen.proven ? 'proven' : 'by-rules';
  return { evidence: evidence(seen), facts: { producersDeniedAtMs, producersDenied: how } };
}

/** Why a switchover is refused where nobody keeps the producers from writing. */
export const noMeans = (why: string) => ({
  code: 'ProducersNotFenced',
  message: `the producers can't be kept from writing to the primary: ${why}`,
  hint: 'configure regions.<region>.kafka.fence, or stop them yourself and add --producers-stopped: then the logs are seen standing still',
});
