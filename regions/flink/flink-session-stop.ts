import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../../domain/errors.ts';
import type { KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import type { FlinkJobs, ForcedStop } from './flink-jobs.ts';
import { sessionJobsOf } from './flink-session-job.ts';
import { type KubernetesSessionJob, lookAtSession, type SessionRest, sessionJobRef } from './flink-session-look.ts';

interface Sources {
  readonly kubernetes: KubernetesApi;
  readonly rest: Pick<SessionRest, 'list' | 'cancel'>;
}
interface Call {
  readonly signal?: AbortSignal;
}

/** Asks for the end of the object's job; what is left of it is observed. */
export async function stopSessionJob(
  { kubernetes, rest }: Sources,
  place: KubernetesSessionJob,
  how: 'delete' | 'suspend',
  call: Call,
): Promise<void> {
  const { job } = await lookAtSession(kubernetes, rest, place, call);
  if (job === undefined || job.deleting) return;
  if (how === 'delete') await kubernetes.delete(sessionJobRef(place), { ...call, uid: job.uid });
  else if (job.wanted === 'running') {
    const { resourceVersion } = job;
    const change = { metadata: { resourceVersion }, spec: { job: { state: 'suspended' } } };
    await kubernetes.patch(sessionJobRef(place), change, call);
  }
}

/** How long a cancelled job gets to end before its object's finalizers are looked at. */
const cancelledWithinMs = 5_000;

/**
 * Ends a session job without the operator: its object, the job by the cluster's own REST interface, then the finalizers.
 * The cluster and the other jobs in it stay. A cluster that doesn't answer can't be told anything: then nothing is
 * proven, and the finalizers stay, unless the job is to be given up.
 */
export async function forceSessionJob(
  { kubernetes, rest }: Sources,
  place: KubernetesSessionJob,
  before: ReadonlySet<string>,
  { giveUp = false, ...call }: Call & { readonly giveUp?: boolean },
): Promise<ForcedStop> {
  const { name, sessionJob } = place;
  const done: string[] = [];
  const unproven: string[] = [];
  const { job } = await lookAtSession(kubernetes, rest, place, call);
  if (job !== undefined && !job.deleting) {
    await kubernetes.delete(sessionJobRef(place), { ...call, uid: job.uid });
    done.push(`asked for the end of the FlinkSessionJob ${sessionJob}`);
  }
  const cancelled = new Set<string>();
  let live: readonly string[] | undefined;
  for (const endsAt = performance.now() + cancelledWithinMs; ; await sleep(250, undefined, call)) {
    live = await liveOf({ kubernetes, rest }, place, before, call);
    for (const id of live ?? []) {
      if (cancelled.has(id)) continue;
      try {
        await rest.cancel(id, call);
        cancelled.add(id);
        done.push(`asked for the end of the job ${id} in ${place.deployment}`);
      } catch (error) {
        call.signal?.throwIfAborted();
        if (performance.now() > endsAt)
          unproven.push(`job ${id} of ${name}, which can't be cancelled (${describeError(error)})`);
      }
    }
    if (live === undefined || live.length === 0 || performance.now() > endsAt) break;
  }
  if (live === undefined) unproven.push(`${name} in the session cluster ${place.deployment}, which does not answer`);
  const { job: left } = await lookAtSession(kubernetes, rest, place, call);
  const over = live !== undefined && live.length === 0;
  if (left?.deleting === true && left.finalizers.length > 0 && (over || giveUp)) {
    const change = { metadata: { finalizers: null, resourceVersion: left.resourceVersion } };
    await kubernetes.patch(sessionJobRef(place), change, call);
    done.push(`took its finalizers away (${left.finalizers.join(', ')})`);
  }
  return { done, unproven };
}

/** Flink's ids of what goes on; undefined: nobody tells. */
async function liveOf(
  { kubernetes, rest }: { readonly kubernetes: KubernetesApi; readonly rest: Pick<FlinkJobs, 'list'> },
  place: KubernetesSessionJob,
  before: ReadonlySet<string>,
  call: Call,
): Promise<readonly string[] | undefined> {
  const seen = await lookAtSession(kubernetes, rest, place, call);
  if (seen.told === undefined) return seen.pods.length === 0 ? [] : undefined;
  const jobs = sessionJobsOf(place.name, { ...seen, before });
  const inFlink = new Set(seen.told.filter(({ state }) => !ended.has(state)).map(({ id }) => id));
  return jobs === 'unknown'
    ? undefined
    : jobs.flatMap(({ flinkId }) => (flinkId && inFlink.has(flinkId) ? [flinkId] : []));
}

const ended = new Set(['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED']);
