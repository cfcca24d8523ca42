import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgusError, describeError } from '../domain/errors.ts';
import { readPod } from '../regions/flink/flink-deployment.ts';
import { troubleOf } from '../regions/flink/flink-reasons.ts';
import type { KubernetesApi, KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import { type ProbedTarget, type ProbeTarget, probePod, readProbe } from './probe-pod.ts';
import type { Looked } from './standby-check.ts';

export interface RunProbePod {
  readonly kubernetes: KubernetesApi;
  readonly namespace: string;
  /** The job's FlinkDeployment, whose image and account the pod has. */
  readonly object: KubernetesObject;
  readonly targets: readonly ProbeTarget[];
  readonly signal: AbortSignal;
  /** Until the pod has ended; default 90 s. */
  readonly timeoutMs?: number;
  /** Told when the pod could not be deleted. */
  readonly onLeft: (message: string) => void;
}

const goneWithinMs = 5_000;
const unhappy = new Set(['KubernetesUnreachable', 'KubernetesUntrusted', 'KubernetesUnauthenticated']);

/**
 * Runs a short-lived pod in the job's namespace that tries the targets, and deletes it, also when the signal ends. A
 * process that is killed leaves a pod that ends by itself, with the label `probeLabel`.
 */
export async function runProbePod(options: RunProbePod): Promise<Looked<readonly ProbedTarget[]>> {
  const { kubernetes, namespace, signal } = options;
  const name = `argus-probe-${randomBytes(4).toString('hex')}`;
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace, name };
  try {
    await kubernetes.create(probePod(options.object, { namespace, name }, options.targets), { signal });
    return await watchPod(options, ref);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ArgusError) || unhappy.has(error.code)) throw error;
    const { code, message, hint } = error;
    return { unseen: { code, message, ...(hint === undefined ? {} : { hint }) } };
  } finally {
    await remove(options, ref);
  }
}

/** Whatever came of the creation's answer; not bound to the signal: Ctrl-C must not leave the pod behind. */
async function remove({ kubernetes, namespace, signal, onLeft }: RunProbePod, ref: PodRef): Promise<void> {
  const call = { graceSeconds: 0, timeoutMs: goneWithinMs };
  try {
    if ((await kubernetes.delete(ref, call)) === 'asked' || !signal.aborted) return;
    // A creation that was given up may still be on its way.
    await sleep(1_000);
    await kubernetes.delete(ref, call);
  } catch (error) {
    onLeft(`the pod ${ref.name} is left in ${namespace}, and ends by itself (${describeError(error)})`);
  }
}

interface PodRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

async function watchPod(
  { kubernetes, namespace, targets, signal, timeoutMs = 90_000 }: RunProbePod,
  ref: PodRef,
): Promise<Looked<readonly ProbedTarget[]>> {
  let why = 'it did not start';
  for (const endsAt = performance.now() + timeoutMs; performance.now() < endsAt; ) {
    await sleep(500, undefined, { signal });
    const found = await kubernetes.get(ref, { signal });
    if (found === undefined) return unseen('ProbePodGone', `somebody deleted the pod ${ref.name}`);
    const pod = readPod(found);
    if (pod.phase === 'Succeeded' || pod.phase === 'Failed') {
      const log = await kubernetes.logs({ namespace, name: ref.name, container: 'probe' }, { signal });
      if (!log.includes('argus-probe ')) {
        return unseen(
          'ProbePodFailed',
          `the pod ended without a word: ${log.trim().slice(0, 200) || 'has its image bash?'}`,
        );
      }
      return { seen: readProbe(log, targets) };
    }
    const events = await kubernetes.events(ref, { signal }).catch(() => []);
    const trouble = troubleOf({ name: ref.name, deployment: undefined, pods: [pod], events });
    if (trouble?.hope === 'none') return unseen('ProbePodFailed', trouble.why);
    why = trouble?.why ?? `it is ${pod.phase}`;
  }
  return unseen('ProbePodFailed', `the pod ${ref.name} did not end within ${timeoutMs / 1_000} s: ${why}`);
}

const unseen = (code: string, message: string) => ({
  unseen: { code, message, hint: 'see the same for the job’s own pods: kubectl get pods, events' },
});
