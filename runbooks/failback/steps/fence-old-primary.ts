import { evidence, type StepWords } from '../../failover/failover-step.ts';
import { fencedTopics } from '../../fencing/fence-rules.ts';
import { denyKafkaWrites, everybody, type FenceTarget, fenceWatch, usableFence } from '../../fencing/kafka-fencing.ts';
import type { FailbackContext, FailbackStep } from '../context.ts';

/**
 * Denies the old primary's writers at its Kafka and sees each of them refused, before its logs are looked at. It stays so
 * while it is the standby. Without a fence nothing is denied: then the logs' ends have to stand still.
 */
export function fenceOldPrimary(words: StepWords): FailbackStep {
  let look: ReturnType<typeof fenceWatch> | undefined;
  let none: string | undefined;
  return {
    id: 'fence-old-primary',
    ...words,
    timeoutMs: 60_000,
    onFailure: { kind: 'stop', hint: "keep the old primary's clients out, then run `argus failback` again" },
    async observe(context) {
      const fence = usableFence({ region: context.standby });
      return 'none' in fence ? unfenced(fence.none) : { kind: 'todo' };
    },
    async act(context, _facts, io) {
      const author = { by: context.run, atMs: io.clock.now() };
      const denial = await denyKafkaWrites(targetOf(context), everybody, author, io);
      if (denial.kind === 'none') none = denial.because;
    },
    async verify(context, _facts, io) {
      const fence = usableFence({ region: context.standby });
      if ('none' in fence || none !== undefined) return unfenced('none' in fence ? fence.none : (none ?? ''));
      look ??= fenceWatch(targetOf(context), everybody);
      const seen = await look(fence, io.clock.monotonic(), io.signal);
      if (seen.kind === 'pending') return seen;
      return { kind: 'done', evidence: evidence(seen), facts: { kafkaFenced: seen.kind } };
    },
  };
}

const targetOf = ({ standby, state, config }: FailbackContext): FenceTarget => ({
  region: standby,
  state,
  topics: fencedTopics(config, standby.fence?.settings),
});

const unfenced = (why: string) =>
  ({ kind: 'done', evidence: evidence({ fenced: false, why }), facts: { kafkaFenced: 'none' } }) as const;
