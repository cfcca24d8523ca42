import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { replicaFolder } from './locations.ts';
import { listReplica } from './replica.ts';
import { planRetention, type RetentionPlan, type RetentionRules } from './retention.ts';

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * What retention would do with a job's replica now. With `writeClock` the store itself is asked for the time, by writing
 * one small object in the job's folder; else `nowMs` counts.
 */
export async function gatherRetention(
  store: ObjectStore,
  job: string,
  rules: RetentionRules,
  held: ReadonlySet<string>,
  time: { readonly nowMs: number } | 'writeClock',
  options: CallOptions = {},
): Promise<RetentionPlan> {
  const storeNowMs = time === 'writeClock' ? await storeTime(store, job, options) : time.nowMs;
  // A point whose `_metadata` is damaged must not push out a whole one.
  const replica = await listReplica(store, job, { ...options, hashMetadata: true });
  return planRetention({ job, replica, rules, held, storeNowMs });
}

async function storeTime(store: ObjectStore, job: string, options: CallOptions): Promise<number> {
  const key = `${replicaFolder(job)}clock`;
  await store.put(key, new Uint8Array(1), options);
  return (await store.head(key, options))?.modifiedAtMs ?? 0;
}

/**
 * Carries a plan out: each point's manifest, then its `_metadata`; when no removed manifest is left, the files and
 * orphans. Whatever interrupts it, each manifest that is there still has its files; the next plan goes on. No copy of
 * the job may be under way meanwhile. `check` is asked before each deletion and throws when it may no longer be.
 */
export async function applyRetention(
  store: ObjectStore,
  plan: RetentionPlan,
  options: CallOptions & { readonly check?: () => void } = {},
): Promise<void> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const remove = async (key: string) => {
    options.check?.();
    await store.delete(key, call);
  };
  for (const { folder, manifest } of plan.removed) {
    await remove(`${folder}/manifest.json`);
    await remove(manifest.metadata.key);
  }
  const keys = [...plan.files, ...plan.orphans].map((o) => o.key);
  await eachAtOnce(keys, DELETES_AT_ONCE, remove);
}

const DELETES_AT_ONCE = 8;
