import type { JobConfig } from '../../../domain/config.ts';
import { eachAtOnce } from '../../../domain/each-at-once.ts';
import { ArgusError } from '../../../domain/errors.ts';
import { claimFolder, keyInBucket } from '../../../replication/checkpoints/locations.ts';
import { decodeManifest } from '../../../replication/checkpoints/manifest.ts';
import {
  gatherRestoreCopy,
  lackingOf,
  makeCopy,
  needsClaim,
  type RestoreCopy,
} from '../../../replication/checkpoints/restore-copy.ts';
import type { Failure } from '../../../state/journal.ts';
import type { StepIo } from '../../engine/step.ts';
import type { FailoverContext, FailoverFacts, PreparedRestore, UsedPoint } from '../context.ts';
import { atOnce, evidence, type FailoverStep, type StepWords } from '../failover-step.ts';
import { standbyJobsNow } from '../standby-jobs-now.ts';

/** So slow a store may be at copying inside itself before the step gives up. */
const SLOWEST_BYTES_PER_SECOND = 10_000_000;

/**
 * Makes what each job is restored from. Most are restored from their point as it lies on the replica (NO_CLAIM). State of
 * the changelog backend can only be claimed, and Flink then deletes it, so that the job gets a copy of its own: made by
 * the store itself, in a folder that is named for the job's start, so that whoever goes on copies only what lacks.
 */
export function prepareRestore(words: StepWords, claimedBytes: number): FailoverStep {
  return {
    id: 'prepare-restore',
    ...words,
    waitsFor: 'the standby’s object store',
    timeoutMs: 300_000 + Math.ceil((claimedBytes / SLOWEST_BYTES_PER_SECOND) * 1_000),
    onFailure: {
      kind: 'stop',
      hint: 'what was copied stays for an hour: `argus failover` again copies the rest',
    },
    async observe(context, facts, io) {
      const wanted = await wantedRestores(context, facts, io);
      for (const { restore } of wanted.filter(({ restore: { claimMode } }) => claimMode === 'CLAIM')) {
        const { config } = context.jobs.find((j) => j.config.name === restore.job)!;
        const refusal = claimRefusal(config, context.standby.name);
        if (refusal !== undefined) return { kind: 'refused', error: refusal };
      }
      return (await firstLacking(context, wanted, io)) === undefined ? found(wanted) : { kind: 'todo' };
    },
    async act(context, facts, io) {
      const { objects } = context.standby;
      for (const { copy, restore } of await wantedRestores(context, facts, io)) {
        const lacking = copy && (await lackingOf(objects, copy, io));
        if (copy === undefined || lacking === undefined) continue;
        await makeCopy(objects, copy, lacking, {
          signal: io.signal,
          check: io.check,
          onProgress: ({ files, bytes }) =>
            io.progress(`${restore.job}: ${files} of ${lacking.files.length} files copied, ${bytes} bytes`),
        });
      }
    },
    async verify(context, facts, io) {
      const wanted = await wantedRestores(context, facts, io);
      const lacking = await firstLacking(context, wanted, io);
      if (lacking === undefined) return found(wanted);
      return {
        kind: 'failed',
        error: { code: 'CopyIncomplete', message: `${lacking.job}: ${lacking.what} is not as copied` },
      };
    },
  };
}

/** Why a region can't start a job from a point that Flink consumes (CLAIM); undefined: it can. Pure. */
export function claimRefusal({ name, kubernetes }: Pick<JobConfig, 'name' | 'kubernetes'>, region: string) {
  const place = kubernetes?.[region];
  if (place?.sessionJob === undefined) return undefined;
  const refusal: Failure = {
    code: 'ClaimImpossible',
    message: `the point of ${name} can only be claimed (changelog state), and the operator on ${region} submits the FlinkSessionJob ${place.namespace}/${place.sessionJob} without a claim`,
    hint: 'use a FlinkDeployment with spec.job for this job, or switch the changelog backend off',
  };
  return refusal;
}

/** What a job is to be restored from; with `copy`, once that is there. */
interface WantedRestore {
  readonly restore: PreparedRestore;
  readonly copy?: RestoreCopy;
}

/** For each job that is still to be started. */
async function wantedRestores(
  context: FailoverContext,
  facts: Partial<FailoverFacts>,
  io: StepIo,
): Promise<readonly WantedRestore[]> {
  const wanted = await eachAtOnce(await standbyJobsNow(context, io), atOnce, async ({ name, there }) => {
    if (there.kind !== 'none' && there.kind !== 'stuck') return [];
    const point = facts.points?.find((p) => p.job === name);
    if (point === undefined) throw new ArgusError('NoRecoveryPoint', `no recovery point was chosen for ${name}`);
    return [await wantedRestore(context, point, there.nextId, io)];
  });
  return wanted.flat();
}

/** Of the copies that are to be there, the first that is not whole, and what of it lacks. */
async function firstLacking(
  { standby: { objects } }: FailoverContext,
  wanted: readonly WantedRestore[],
  io: StepIo,
): Promise<{ readonly job: string; readonly what: string } | undefined> {
  const lacking = await eachAtOnce(wanted, atOnce, async ({ copy, restore: { job } }) => {
    const found = copy && (await lackingOf(objects, copy, io));
    return found && copy ? { job, what: found.files[0]?.to ?? copy.metadata.key } : undefined;
  });
  return lacking.find((each) => each !== undefined);
}

async function wantedRestore(
  { standby: { objects } }: FailoverContext,
  point: UsedPoint,
  jobId: string,
  { signal }: StepIo,
): Promise<WantedRestore> {
  const asItLies: WantedRestore = { restore: { job: point.job, uri: point.uri, claimMode: 'NO_CLAIM' } };
  const folder = keyInBucket(point.uri, objects.uri);
  if (folder === undefined) return asItLies;
  const stored = await objects.get(`${folder}/manifest.json`, { signal });
  const manifest = stored && decodeManifest(stored.body);
  if (manifest === undefined || 'problem' in manifest) {
    const why = manifest === undefined ? 'is gone' : manifest.problem;
    throw new ArgusError('ManifestUnreadable', `${folder}/manifest.json, the chosen point's manifest, ${why}`);
  }
  if (!(await needsClaim(objects, manifest, { signal }))) return asItLies;
  const copy = await gatherRestoreCopy(objects, manifest, claimFolder(point.job, jobId, point), { signal });
  const bytes = copy.files.reduce((sum, file) => sum + file.sizeBytes, copy.metadata.bytes.length);
  const { uri, files } = copy;
  return { copy, restore: { job: point.job, uri, claimMode: 'CLAIM', jobId, files: files.length, bytes } };
}

function found(wanted: readonly WantedRestore[]) {
  const restores = wanted.map(({ restore }) => restore);
  return { kind: 'done' as const, evidence: evidence({ restores }), facts: { restores } };
}
