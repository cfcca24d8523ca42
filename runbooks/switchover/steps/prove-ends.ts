import { type LogRange, offsetToJson, partitionKey } from '../../../domain/offsets.ts';
import { evidence, type StepWords } from '../../failover/failover-step.ts';
import type { SwitchoverContext, SwitchoverFacts, SwitchoverProof } from '../context.ts';
import { notProven, type SwitchoverStep, startedThere } from '../switchover-step.ts';
import { mirroredPartitions } from './deny-writers.ts';

/**
 * Proves that nothing is lost: with producers, jobs and mirror kept from writing, every partition ends at the same offset
 * on both sides, and no transaction stands open. Anything else takes the switchover back.
 */
export function proveEnds(words: StepWords): SwitchoverStep {
  return {
    id: 'prove-ends',
    ...words,
    waitsFor: 'Kafka of both sides',
    timeoutMs: 30_000,
    pollMs: 500,
    onFailure: { kind: 'stop', hint: 'see `argus mirror status`; then run `argus switchover` again' },
    async observe(context, _facts, io) {
      const started = await startedThere(context, io.signal);
      if (started === 'none') return { kind: 'todo' };
      const refusal = notProven(context, started);
      if (refusal !== undefined) return { kind: 'refused', error: refusal };
      // The first job that runs may have written since: then ends can't be compared any more.
      const proof = context.earlierProof!;
      return { kind: 'done', evidence: evidence({ proof }), facts: { proof, primaryStopped: true } };
    },
    async act() {
      // Nothing to do but to look.
    },
    async verify(context, _facts, io) {
      const partitions = await mirroredPartitions(context, io.signal);
      const call = { signal: io.signal };
      const held = await context.heldAtPrimary(partitions, io.signal);
      if (held.length > 0) {
        const where = held.map((p) => `${partitionKey(p)} at ${p.offset}`).join(', ');
        return { kind: 'pending', waitingFor: `transactions that stand open on ${context.primary.name}: ${where}` };
      }
      const [here, there] = [
        await context.primary.kafka.logRanges(partitions, call),
        await context.standby.kafka.logRanges(partitions, call),
      ];
      const other = unequalEnds(here, there);
      if (other.length > 0) {
        const error = { code: 'EndsDiffer', message: describe(context, other) };
        return { kind: 'failed', error };
      }
      const proof = proofOf(here, there, io.clock.now());
      const facts = { proof, primaryStopped: true } satisfies Partial<SwitchoverFacts>;
      return { kind: 'done', evidence: evidence({ proof }), facts };
    },
  };
}

interface UnequalEnd {
  readonly partition: string;
  readonly here: bigint;
  /** Undefined: the standby has not got the partition. */
  readonly there: bigint | undefined;
}

/** Partitions that don't end at the same offset on both sides. Pure. */
export function unequalEnds(here: readonly LogRange[], there: readonly LogRange[]): readonly UnequalEnd[] {
  const at = new Map(there.map((r) => [partitionKey(r), r.logEndOffset]));
  return here.flatMap((range) => {
    const end = at.get(partitionKey(range));
    return end === range.logEndOffset ? [] : [{ partition: partitionKey(range), here: range.logEndOffset, there: end }];
  });
}

function proofOf(here: readonly LogRange[], there: readonly LogRange[], atMs: number): SwitchoverProof {
  const at = new Map(there.map((r) => [partitionKey(r), r.logEndOffset]));
  const partitions = here.map((range) => {
    const { topic, partition, offset } = offsetToJson({ ...range, offset: range.logEndOffset });
    return { topic, partition, primaryEnd: offset, standbyEnd: String(at.get(partitionKey(range))) };
  });
  return { atMs, partitions };
}

function describe({ primary, standby }: SwitchoverContext, other: readonly UnequalEnd[]): string {
  const shown = other.slice(0, 3).map((o) => `${o.partition}: ${o.here} and ${o.there ?? 'nothing'}`);
  const more = other.length > 3 ? ` and ${other.length - 3} more` : '';
  return `logs of ${primary.name} and ${standby.name} don't end at the same offsets: ${shown.join(', ')}${more}`;
}
