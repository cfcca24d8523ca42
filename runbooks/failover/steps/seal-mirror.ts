import type { PartitionOffset } from '../../../domain/offsets.ts';
import { describeOpen } from '../../../replication/topics/deny-writes.ts';
import type { FailoverContext } from '../context.ts';
import { evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { refuseOncePromoted } from './freeze-mirror.ts';

/**
 * Keeps a mirror that has stopped, or one that goes on elsewhere, from writing to the standby any more: what it still
 * has under way for its transactional ids is refused and, where the configuration names its principal, that loses WRITE,
 * which is seen. Both are taken back when the failover gives up.
 */
export function sealMirror(words: StepWords): FailoverStep {
  let closedIds: number | undefined;
  return {
    id: 'seal-mirror',
    ...words,
    waitsFor: 'Kafka of the standby',
    timeoutMs: 60_000,
    onFailure: {
      kind: 'continue',
      hint: 'the mirror has stopped, but its right to write was not seen taken away: deny it by hand, and stop every mirror',
    },
    async observe() {
      // An earlier run's seal says nothing of what came under way since.
      return { kind: 'todo' };
    },
    async act(context, facts, io) {
      const partitions = facts.promotedAt ?? [];
      const principal = deniedPrincipal(context);
      io.check();
      closedIds = await context.remains.closeIdleIds(partitions, io.signal);
      if (principal === undefined) return;
      io.check();
      await context.remains.denyWrites(principal, topicsOf(partitions), io.signal);
    },
    async verify(context, facts, io) {
      // An act that failed before must not pass for done.
      if (closedIds === undefined)
        return { kind: 'pending', waitingFor: "the mirror's transactional ids to be closed" };
      const principal = deniedPrincipal(context);
      if (principal === undefined) {
        const because = 'mirror.principal and mirror.denyWrite are not set';
        return {
          kind: 'done',
          evidence: evidence({ closedIds, denied: false, because }),
          facts: { writeDenied: false },
        };
      }
      const seen = await context.remains.lookAtDenial(facts.promotedAt ?? [], io.signal);
      switch (seen.kind) {
        case 'denied':
          return {
            kind: 'done',
            evidence: evidence({ closedIds, denied: true, principal }),
            facts: { writeDenied: true },
          };
        case 'no-authorizer': {
          const because = `${context.standby.name}'s brokers have no authorizer`;
          return {
            kind: 'done',
            evidence: evidence({ closedIds, denied: false, because }),
            facts: { writeDenied: false },
          };
        }
        case 'open': {
          const who = `${principal} as which this login writes`;
          return { kind: 'pending', waitingFor: `the denial of ${who}: ${describeOpen(seen.partitions)}` };
        }
        default:
          return seen satisfies never;
      }
    },
    async compensate(context, facts, io) {
      const principal = deniedPrincipal(context);
      if (principal === undefined) return undefined;
      await refuseOncePromoted(context, io.signal);
      io.check();
      // Where the mirror ended may not be known on the way back; the mirrored topics are.
      const topics = facts.promotedAt === undefined ? context.config.topics : topicsOf(facts.promotedAt);
      await context.remains.allowWrites(principal, topics, io.signal);
      return { allowed: principal };
    },
  };
}

/** Whose WRITE is taken away; undefined: nobody's, by configuration. */
function deniedPrincipal({ config }: Pick<FailoverContext, 'config'>): string | undefined {
  return config.mirror.denyWrite ? config.mirror.principal : undefined;
}

const topicsOf = (partitions: readonly PartitionOffset[]) => [...new Set(partitions.map((p) => p.topic))];
