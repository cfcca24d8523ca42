import type { Clock } from '../../domain/clock.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { Names } from '../../regions/region.ts';
import type { DnsBefore } from '../../state/dns-before.ts';
import type { RunEvent, RunResult } from '../engine/run.ts';
import type { Step, StepIo } from '../engine/step.ts';
import { type LocalProcesses, runUnderLease } from '../engine/under-lease.ts';
import { evidence } from '../failover/failover-step.ts';
import type { Occasion } from '../occasion.ts';
import { decideRollback, type Rollback } from './decide-rollback.ts';

/** As the journal names it. */
export const rollbackRunbook = 'rollback';

interface RollbackContext {
  readonly before: DnsBefore;
  readonly names: Pick<Names, 'records'>;
}

export interface RollBackNames extends RollbackContext {
  readonly run: string;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly holder: string;
  readonly processes?: LocalProcesses | undefined;
  readonly by: string;
  readonly occasion?: Occasion;
  /** The lease when the roles were read and this was planned (`leaseMark`): refused when anybody acted since. */
  readonly plannedAtLease: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onWaiting?: (message: string) => void;
}

/** What would be done with each record. Reads only. */
export async function planRollback(
  { before, names }: RollbackContext,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly { readonly name: string; readonly content: string; readonly rollback: Rollback }[]> {
  return Promise.all(
    before.records.map(async (record) => {
      const now = await names.records.find(record.name, record.type, { ...options, urgent: true });
      return { name: record.name, content: record.content, rollback: decideRollback(record, before.to, now) };
    }),
  );
}

/** Puts back what a run changed at the DNS provider, under the lease and in the journal. Throws nothing after the lease is taken. */
export function rollBackNames(options: RollBackNames): Promise<RunResult<object>> {
  const { before, names, run, state, clock, holder, by, signal, onEvent, onWaiting, processes, plannedAtLease } =
    options;
  return runUnderLease<RollbackContext, object>({
    state,
    clock,
    run,
    holder,
    processes,
    purpose: 'dns rollback',
    plannedAtLease,
    runbook: rollbackRunbook,
    by,
    details: evidence({ of: before.run, records: before.records, ...options.occasion }),
    steps: [rollBackStep(before)],
    context: () => ({ before, names }),
    resumeHint: `run \`argus dns rollback ${before.run}\` again`,
    report: (result) => evidence({ outcome: result.outcome }),
    ...(signal === undefined ? {} : { signal }),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(onWaiting === undefined ? {} : { onWaiting }),
  });
}

function rollBackStep({ run, records }: DnsBefore): Step<RollbackContext, object> {
  const look = (context: RollbackContext, io: StepIo) => planRollback(context, { signal: io.signal });
  return {
    id: 'roll-back-names',
    title: `Put back what ${run} changed at the DNS provider (${records.length})`,
    manual: records.map((r) => `# ${r.name}: ${r.pools ? r.pools.defaultPools.join(', ') : r.content}`),
    waitsFor: 'the DNS provider',
    timeoutMs: 60_000,
    onFailure: { kind: 'stop', hint: 'look at the records at the provider, then run the command again' },
    async observe(context, _facts, io) {
      const plan = await look(context, io);
      const changed = plan.flatMap(({ rollback }) => (rollback.kind === 'changed-since' ? [rollback.why] : []));
      if (changed.length > 0) {
        return { kind: 'refused', error: { code: 'NameChangedSince', message: changed.join('; ') } };
      }
      if (plan.some(({ rollback }) => rollback.kind === 'restore')) return { kind: 'todo' };
      return { kind: 'done', evidence: evidence({ names: plan.map((p) => p.name) }) };
    },
    async act(context, _facts, io) {
      for (const { rollback } of await look(context, io)) {
        if (rollback.kind !== 'restore') continue;
        io.check();
        const { names } = context;
        if (names.records.restore === undefined) throw new ArgusError('DnsFailed', 'these names can not be put back');
        await names.records.restore(rollback.record, { signal: io.signal, urgent: true });
      }
    },
    async verify(context, _facts, io) {
      const plan = await look(context, io);
      const open = plan.find(({ rollback }) => rollback.kind !== 'already');
      return open
        ? { kind: 'pending', waitingFor: `${open.name} at the provider` }
        : { kind: 'done', evidence: evidence({ names: plan.map((p) => p.name) }) };
    },
  };
}
