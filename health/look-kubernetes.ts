import { ArgusError } from '../domain/errors.ts';
import type { CallOptions, KubernetesApi, KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import type { Looked, StandbyJob, UsedVerb } from './standby-check.ts';
import { type Reference, referencesOf } from './standby-pods.ts';

/** Without an answer there is nothing to judge. */
const noAnswer = new Set(['KubernetesUnreachable', 'KubernetesUntrusted', 'KubernetesUnauthenticated']);

/** What a look gave, or why there is none; without an answer of the server it throws. */
export async function look<T>(act: () => Promise<T>, { signal }: CallOptions, fatal = noAnswer): Promise<Looked<T>> {
  try {
    return { seen: await act() };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ArgusError) || fatal.has(error.code)) throw error;
    const { code, message, hint } = error;
    return { unseen: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}

/** Those of these verbs that Argus may not use. */
export async function missing(
  kubernetes: KubernetesApi,
  verbs: readonly UsedVerb[],
  call: CallOptions,
): Promise<readonly UsedVerb[]> {
  const allowed = await Promise.all(
    verbs.map(({ optional: _, without: _without, ...question }) => kubernetes.may(question, call)),
  );
  return verbs.filter((_, i) => allowed[i] !== true);
}

/** Whether what the object's pods need is there, but for what is brought along with it. */
export async function lookAtReferences(
  kubernetes: KubernetesApi,
  namespace: string,
  of: {
    readonly object: Looked<KubernetesObject | undefined>;
    readonly brought: readonly KubernetesObject[] | undefined;
  },
  call: CallOptions,
): Promise<StandbyJob['references']> {
  const named = 'seen' in of.object && of.object.seen !== undefined ? referencesOf(of.object.seen) : [];
  const brought = new Set(of.brought?.map(({ metadata }) => metadata.name));
  return Promise.all(
    named
      .filter(({ kind, name }) => kind !== 'ConfigMap' || !brought.has(name))
      .map(async (reference) => ({
        reference,
        found: await look(() => find(kubernetes, namespace, reference, call), call),
      })),
  );
}

/** Whether an object that pods need is there. */
async function find(
  kubernetes: KubernetesApi,
  namespace: string,
  { kind, name, key }: Reference,
  call: CallOptions,
): Promise<'there' | 'absent' | 'no-key'> {
  const found = await kubernetes.get({ apiVersion: 'v1', kind, namespace, name }, call);
  if (found === undefined) return 'absent';
  // Of a secret only its keys are looked at.
  const keys = [found.data, found.binaryData].flatMap((data) => Object.keys((data as object | null | undefined) ?? {}));
  return key === undefined || keys.includes(key) ? 'there' : 'no-key';
}
