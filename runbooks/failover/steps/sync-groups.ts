import { eachAtOnce } from '../../../domain/each-at-once.ts';
import type { SyncedGroup } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { findStandbyJob } from '../standby-job.ts';

/**
 * The last copy of committed offsets: those of the jobs, never after one started on the standby, since then they are its
 * own; and of the groups that are followed by name.
 */
export function syncGroups(words: StepWords): FailoverStep {
  return {
    id: 'sync-groups',
    ...words,
    waitsFor: 'Kafka of both regions',
    timeoutMs: 20_000,
    onFailure: {
      kind: 'continue',
      hint: 'the jobs start from their checkpoints all the same; other readers of these groups may read some records again',
    },
    async observe(context, _facts, io) {
      const running = await context.standby.flink.list({ signal: io.signal });
      const started = context.jobs.some(
        (j) => findStandbyJob(running, context.roles.epoch + 1, j.config.name).kind === 'live',
      );
      if (!started) return { kind: 'todo' };
      return { kind: 'done', evidence: 'the standby commits its own offsets already', facts: { groups: [] } };
    },
    async act() {
      // Copying and reading back is one call per group and idempotent: it is made in verify, which keeps its result.
    },
    async verify(context, facts, io) {
      const names = [...new Set(context.jobs.map(({ config }) => config.consumerGroup))];
      const ends = facts.promotedAt ?? [];
      const syncOthers = async () => {
        io.check();
        return (await context.syncOtherGroups?.(names, ends, io.signal)) ?? [];
      };
      const [own, others] = await Promise.all([
        eachAtOnce(names, atOnce, (group): Promise<SyncedGroup> => {
          io.check();
          return context.syncGroup(group, ends, io.signal);
        }),
        syncOthers(),
      ]);
      const groups = [...own, ...others];
      return { kind: 'done', evidence: evidence(groups), facts: { groups } };
    },
  };
}
