import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';
import type { AccessQuestion, CallOptions, ObjectKind, ObjectRef } from './kubernetes-api.ts';
import { deniedError, forbiddenError } from './kubernetes-errors.ts';
import { type ServedKind, servedKinds } from './kubernetes-kinds.ts';
import {
  type Call,
  type KubernetesRequests,
  type KubernetesTransport,
  kubernetesRequests,
} from './kubernetes-requests.ts';

/** Where objects of a kind are: what they are called in a URL and for RBAC. */
export interface Place {
  /** Path of the collection. */
  readonly path: string;
  readonly resource: { readonly group: string; readonly plural: string };
  /** Absent: the kind has no namespaces, or all of them are meant. */
  readonly namespace: string | undefined;
}

/** Calls about objects of any kind, whose errors say all that can be found out. */
export interface KubernetesCalls {
  readonly transport: KubernetesTransport;
  readonly requests: KubernetesRequests;
  readonly timeoutMs: number;
  readonly pageSize: number;
  /** Without a namespace, that of the connection; `*` for all of them. */
  placeOf(kind: ObjectKind, namespace: string | undefined, options: CallOptions | undefined): Promise<Place>;
  /** A call for one object, still without query and body. */
  on(ref: ObjectRef, verb: string, method: Call['method'], options: CallOptions | undefined): Promise<Call>;
  /** `needs` are the verbs that RBAC may lack when it is forbidden. */
  json(kind: ObjectKind, call: Call, needs: readonly string[], options: CallOptions | undefined): Promise<unknown>;
  /** The error with what only a further question can tell. */
  refined(
    kind: ObjectKind,
    call: Call,
    needs: readonly string[],
    options: CallOptions | undefined,
    error: unknown,
  ): Promise<unknown>;
  may(question: AccessQuestion, options: CallOptions | undefined): Promise<boolean>;
}

const accessShape = z.object({ status: z.object({ allowed: z.boolean() }) });

/** Kinds are found by discovery, so that any manifest can be applied. */
export function kubernetesCalls(transport: KubernetesTransport, timeoutMs: number, pageSize: number): KubernetesCalls {
  const { region } = transport;
  const requests = kubernetesRequests(transport, timeoutMs);
  const kinds = servedKinds(region, requests);

  const calls: KubernetesCalls = {
    transport,
    requests,
    timeoutMs,
    pageSize,

    async placeOf(kind, wanted, options) {
      const served = await kinds.find(kind, options);
      const namespace = !served.namespaced || wanted === '*' ? undefined : (wanted ?? transport.namespace);
      return {
        path: collectionPath(served, namespace),
        resource: { group: served.group, plural: served.plural },
        namespace,
      };
    },

    async on(ref, verb, method, options) {
      const place = await calls.placeOf(ref, ref.namespace, options);
      return { ...place, verb, method, name: ref.name, path: `${place.path}/${encodeURIComponent(ref.name)}` };
    },

    async json(kind, call, needs, options) {
      try {
        return await requests.json(call, options);
      } catch (error) {
        throw await calls.refined(kind, call, needs, options, error);
      }
    },

    async refined(kind, call, needs, options, error) {
      const { resource } = call;
      if (resource === undefined || !(error instanceof ArgusError)) return error;
      if (error.code === 'KubernetesForbidden') {
        for (const verb of needs) {
          const { group, plural, subresource } = resource;
          // A role may be for one object alone; who lists or makes one gives no name.
          const name = verb === 'create' || verb === 'list' || verb === 'watch' ? undefined : call.name;
          const question = { verb, group, resource: plural, subresource, namespace: call.namespace, name };
          if (!(await calls.may(question, options))) return forbiddenError({ ...call, verb, region }, error.cause);
        }
        return deniedError({ ...call, region }, error.cause);
      }
      if (error.code === 'KubernetesKindMissing') {
        kinds.forget(kind);
        // Finds nothing, and says what there is; or the definition has just come back.
        return kinds.find(kind, options).then(
          () => error,
          (better: unknown) => better,
        );
      }
      return error;
    },

    async may(question, options) {
      const resourceAttributes = { ...question, namespace: question.namespace ?? '' };
      const answer = await requests.json(
        {
          verb: 'ask what is allowed',
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes },
          },
        },
        options,
      );
      return accessShape.parse(answer).status.allowed;
    },
  };
  return calls;
}

function collectionPath(served: ServedKind, namespace: string | undefined): string {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${served.root}${within}/${served.plural}`;
}
