import { describeError } from '../../../domain/errors.ts';
import { fencedTopics } from '../../fencing/fence-rules.ts';
import {
  allowKafkaWrites,
  denyKafkaWrites,
  everybody,
  type FenceTarget,
  fenceWatch,
  usableFence,
} from '../../fencing/kafka-fencing.ts';
import type { FailoverContext } from '../context.ts';
import { evidence, type FailoverStep, type StepWords, within } from '../failover-step.ts';
import { refuseOncePromoted } from './freeze-mirror.ts';

/** How long a primary may take to answer before it counts as unreachable. */
const patienceMs = 3_000;

/** How long a denial may take, where a person accepts that the primary may still write. */
const acceptedAfterMs = 15_000;

/**
 * Denies the primary's writers at its Kafka, sees each of them refused by each leader, and sees the logs stand still. A
 * primary without a fence, or that can't be asked, is recorded as such; where a fence is configured and can't be
 * reached, only a person's word lets the failover go on.
 */
export function fencePrimary(words: StepWords): FailoverStep {
  let look: ReturnType<typeof fenceWatch> | undefined;
  let beganAt: number | undefined;
  let why: string | undefined;
  return {
    id: 'fence-primary',
    ...words,
    waitsFor: 'Kafka of the primary',
    timeoutMs: 45_000,
    onFailure: {
      kind: 'stop',
      hint: "keep the primary's clients out by hand, then run `argus failover --accept-unfenced` again",
    },
    async observe(context, _facts, io) {
      const fence = usableFence({ region: context.primary });
      if ('none' in fence) return unfenced('none', [fence.none]);
      const asked = await authorizerOf(context, within(io.signal, patienceMs), io.signal);
      if (asked === 'there') return { kind: 'todo' };
      const { settings } = fence;
      if (asked === 'none') {
        const none = `${context.primary.name}'s brokers have no authorizer`;
        if (settings.required && !context.acceptUnfenced)
          return { kind: 'refused', error: kafkaUnfenced(context.primary.name, none) };
        return unfenced('none', [none]);
      }
      if (context.acceptUnfenced) return unfenced('unproven', [asked.why], context.by);
      return { kind: 'refused', error: kafkaUnfenced(context.primary.name, asked.why) };
    },
    async act(context, _facts, io) {
      try {
        const author = { by: context.run, atMs: io.clock.now() };
        await denyKafkaWrites(targetOf(context), everybody, author, io);
      } catch (error) {
        io.signal.throwIfAborted();
        if (!context.acceptUnfenced) throw error;
        why = describeError(error);
      }
    },
    async verify(context, _facts, io) {
      const fence = usableFence({ region: context.primary });
      if ('none' in fence) return unfenced('none', [fence.none]);
      beganAt ??= io.clock.monotonic();
      look ??= fenceWatch(targetOf(context), everybody);
      const accepts = context.acceptUnfenced && io.clock.monotonic() - beganAt >= acceptedAfterMs;
      if (why !== undefined) return unfenced('unproven', [why], context.by);
      try {
        const seen = await look(fence, io.clock.monotonic(), within(io.signal, 2 * patienceMs));
        if (seen.kind === 'pending') {
          return accepts ? unfenced('unproven', [seen.waitingFor], context.by) : seen;
        }
        const { kind, principals, brokers } = seen;
        return {
          kind: 'done',
          evidence: evidence(seen),
          facts: { kafkaFencing: { kind, why: seen.why, principals, brokers }, fencedEnds: seen.ends },
        };
      } catch (error) {
        io.signal.throwIfAborted();
        if (!accepts) return { kind: 'pending', waitingFor: describeError(error) };
        return unfenced('unproven', [describeError(error)], context.by);
      }
    },
    async compensate(context, _facts, io) {
      await refuseOncePromoted(context, io.signal);
      const author = { by: context.run, atMs: io.clock.now() };
      const lifted = await allowKafkaWrites(targetOf(context), everybody, author, io);
      return lifted.length === 0 ? undefined : evidence({ lifted: lifted.length });
    },
  };
}

const targetOf = ({ primary, state, config }: FailoverContext): FenceTarget => ({
  region: primary,
  state,
  topics: fencedTopics(config, primary.fence?.settings),
});

const unfenced = (kind: 'none' | 'unproven', why: readonly string[], by?: string) =>
  ({
    kind: 'done',
    evidence: evidence({ fenced: false, why, ...(by === undefined ? {} : { acceptedBy: by }) }),
    facts: { kafkaFencing: { kind, why } },
  }) as const;

async function authorizerOf(
  { primary }: FailoverContext,
  signal: AbortSignal,
  outer: AbortSignal,
): Promise<'there' | 'none' | { readonly why: string }> {
  try {
    return (await primary.kafka.listAcls({ permission: 'DENY' }, { signal })) === undefined ? 'none' : 'there';
  } catch (error) {
    outer.throwIfAborted();
    return { why: describeError(error) };
  }
}

/** Why a primary whose Kafka can't be fenced stops a failover. */
const kafkaUnfenced = (primary: string, why: string) => ({
  code: 'KafkaUnfenced',
  message: `${primary}'s Kafka can't be fenced: ${why}`,
  hint: `make sure that ${primary} takes no more data, then add --accept-unfenced`,
});
