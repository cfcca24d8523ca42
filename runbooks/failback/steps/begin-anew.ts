import { evidence, type StepWords } from '../../failover/failover-step.ts';
import type { FailbackContext, FailbackFacts, FailbackStep } from '../context.ts';

/**
 * Deletes those topics of the old primary that diverged, and makes them anew, since Kafka can't cut a log's end: only
 * what is kept, verified and noted. The others stay, and are mirrored on from where they are.
 */
export function beginTopicsAnew(words: StepWords): FailbackStep {
  const begun = new Set<string>();
  const left = (context: FailbackContext, { found = [] }: Partial<FailbackFacts>, signal: AbortSignal) =>
    context.lookForDiverged(found, signal);
  const done = () => ({ evidence: evidence({ begunAnew: [...begun] }), facts: { begunAnew: [...begun] } });
  return {
    id: 'begin-topics-anew',
    ...words,
    timeoutMs: 12 * 3_600_000,
    pointOfNoReturn: true,
    onFailure: { kind: 'stop', hint: 'mend what stopped it, then run `argus failback` again' },
    async observe(context, facts, io) {
      const topics = await left(context, facts, io.signal);
      return topics.length > 0 ? { kind: 'todo' } : { kind: 'done', ...done() };
    },
    async act(context, facts, io) {
      for (const topic of await left(context, facts, io.signal)) {
        io.check();
        io.progress(`comparing ${topic} from end to end, then beginning it anew`);
        const kept = (facts.verified ?? []).filter((p) => p.topic === topic);
        await context.beginAnew(topic, kept, () => io.check(), io.signal);
        begun.add(topic);
      }
    },
    async verify(context, facts, io) {
      const [topic] = await left(context, facts, io.signal);
      return topic === undefined
        ? { kind: 'done', ...done() }
        : { kind: 'pending', waitingFor: `${topic} to be empty` };
    },
  };
}
