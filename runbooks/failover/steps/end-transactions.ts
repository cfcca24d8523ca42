import { partitionKey } from '../../../domain/offsets.ts';
import {
  decideOpenTransactions,
  type OpenTransaction,
  preCommittedBy,
} from '../../../replication/topics/decide-transactions.ts';
import type { EndedTransaction } from '../../../replication/topics/end-open-transactions.ts';
import type { FailoverContext, FailoverFacts } from '../context.ts';
import { evidence, type FailoverStep, type StepWords } from '../failover-step.ts';

/**
 * Ends the transactions that the mirror left open, so that nobody who reads committed records waits behind them: those
 * that a person names and those that the restored jobs' sinks had pre-committed are committed, the others aborted. Their
 * markers stand above the promotion offsets. It can't be taken back: a mirror that went on would find them in its way.
 */
export function endTransactions(words: StepWords): FailoverStep {
  let ended: readonly EndedTransaction[] = [];
  let unmatched: readonly string[] = [];
  return {
    id: 'end-transactions',
    ...words,
    waitsFor: 'Kafka of the standby',
    timeoutMs: 120_000,
    pointOfNoReturn: true,
    onFailure: { kind: 'stop', hint: "check the standby's Kafka (`argus status`), then run the same command again" },
    async observe(context, facts, io) {
      const open = await listOpen(context, facts, io.signal);
      if (open.some((t) => t.owner === 'mirror')) return { kind: 'todo' };
      unmatched = context.commitTransactions ?? [];
      return { kind: 'done', ...found([], unmatched, open) };
    },
    async act(context, facts, io) {
      const { jobs } = context;
      const preCommitted = (facts.points ?? []).map((point) =>
        preCommittedBy(
          point,
          jobs.find((j) => j.config.name === point.job)?.config.writes ?? [],
          facts.promotedAt ?? [],
        ),
      );
      const open = await listOpen(context, facts, io.signal);
      const decided = decideOpenTransactions(open, { asked: context.commitTransactions ?? [], preCommitted });
      unmatched = decided.unmatched;
      io.progress(`ending ${decided.own.length} transactions that the mirror left open`);
      ended = await context.remains.endTransactions(decided.own, facts.promotedAt ?? [], () => io.check(), io.signal);
    },
    async verify(context, facts, io) {
      const open = await listOpen(context, facts, io.signal);
      const own = open.filter((t) => t.owner === 'mirror');
      if (own.length > 0) return { kind: 'pending', waitingFor: `the end of ${own.map(describe).join(', ')}` };
      const foreign = new Set(open.map(partitionKey));
      const held = await context.remains.heldPartitions(facts.promotedAt ?? [], io.signal);
      const stuck = held.filter((p) => !foreign.has(partitionKey(p)));
      // A transaction that began meanwhile holds its readers for a moment only.
      if (stuck.length > 0) {
        const where = stuck.map((p) => `${partitionKey(p)} at ${p.offset}`).join(', ');
        return { kind: 'pending', waitingFor: `readers of committed records to get on in ${where}` };
      }
      return { kind: 'done', ...found(ended, unmatched, open) };
    },
  };
}

function listOpen(context: FailoverContext, facts: Partial<FailoverFacts>, signal: AbortSignal) {
  return context.remains.openTransactions(facts.promotedAt ?? [], facts.toldTransactions ?? [], signal);
}

function found(
  endedTransactions: readonly EndedTransaction[],
  unmatchedCommits: readonly string[],
  foreignTransactions: readonly OpenTransaction[],
) {
  const facts = { endedTransactions, unmatchedCommits, foreignTransactions };
  return { evidence: evidence(facts), facts };
}

const describe = ({ transactionalId, firstOffset, ...tp }: OpenTransaction) =>
  `${transactionalId ?? 'a transaction'} in ${partitionKey(tp)}${firstOffset === undefined ? '' : ` from ${firstOffset}`}`;
