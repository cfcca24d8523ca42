import type { CallOptions, ObjectStore } from '../../regions/objects/object-store.ts';
import { type Json, listRuns, readRun } from '../../state/journal.ts';
import { foldRun, type RunRecord, type StepRecord } from '../../state/run-record.ts';
import type { SwitchoverContext, SwitchoverProof } from './context.ts';

type Earlier = Pick<SwitchoverContext, 'deniedAtMs' | 'earlierProof' | 'returnedJobs'>;

/** What earlier runs under these roles have left to the one that goes on with them. */
export async function readEarlier(store: ObjectStore, rolesEpoch: number, options: CallOptions = {}): Promise<Earlier> {
  const runs: RunRecord[] = [];
  for (const id of (await listRuns(store, options)).filter((r) => r.includes('-switchover-')).slice(-20)) {
    const run = foldRun(await readRun(store, id, options));
    if (run !== undefined) runs.push(run);
  }
  return earlierOf(runs, rolesEpoch);
}

/** Pure part of `readEarlier`; `runs` oldest first. What was taken back is over, and with it everything before. */
export function earlierOf(runs: readonly RunRecord[], rolesEpoch: number): Earlier {
  const own = runs.filter((r) => (r.details as { readonly rolesEpoch?: Json } | null)?.rolesEpoch === rolesEpoch);
  const returned = own.flatMap((r) => r.steps).flatMap(runningAgain);
  const last = own.findLastIndex((r) => r.steps.some((s) => s.id === 'deny-producers' && s.status === 'compensated'));
  const steps = own.slice(last + 1).flatMap((r) => r.steps);
  const denied = steps.find((s) => s.id === 'deny-producers' && s.status !== 'refused');
  const proven = steps.findLast((s) => s.id === 'prove-ends' && s.status === 'done');
  const evidence = proven !== undefined && 'evidence' in proven ? proven.evidence : undefined;
  const { proof } = (evidence ?? {}) as { readonly proof?: SwitchoverProof };
  return {
    ...(denied === undefined ? {} : { deniedAtMs: denied.startedAtMs }),
    ...(proof === undefined ? {} : { earlierProof: proof }),
    ...(returned.length === 0 ? {} : { returnedJobs: new Set(returned) }),
  };
}

/** Ids of the jobs that ran again when this step had been taken back. */
function runningAgain(step: StepRecord): readonly string[] {
  if (step.id !== 'stop-with-savepoint' || step.status !== 'compensated') return [];
  const { running } = (step.evidence ?? {}) as { readonly running?: Readonly<Record<string, string>> };
  return Object.values(running ?? {});
}
