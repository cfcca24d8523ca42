import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';
import type { KubernetesApi, KubernetesEvent, KubernetesObject, WriteOptions } from './kubernetes-api.ts';
import { kubernetesCalls } from './kubernetes-calls.ts';
import { hasCode, invalidApplyError, KubernetesAnswerError } from './kubernetes-errors.ts';
import { listAll, toObject, watchSource } from './kubernetes-lists.ts';
import type { Call, KubernetesTransport } from './kubernetes-requests.ts';
import { watchObjects } from './watch-objects.ts';

export interface KubernetesClientOptions {
  /** Deadline of a call; default 10 s. */
  readonly timeoutMs?: number;
  /** How many objects an answer of a list holds at most; the rest is asked for. Default 500. */
  readonly pageSize?: number;
}

const fieldManager = 'argus';
const defaultTimeoutMs = 10_000;
const defaultPageSize = 500;
const defaultPeriodMs = 20_000;
const defaultLogLines = 200;
const logLimitBytes = 1 << 20;

const versionShape = z.object({ gitVersion: z.string() });
const userShape = z.object({
  status: z.object({ userInfo: z.object({ username: z.string(), groups: z.array(z.string()).default([]) }) }),
});
const eventShape = z.object({
  type: z.string().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  count: z.number().nullish(),
  firstTimestamp: z.string().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
});

/** One cluster's API server over a transport. */
export function kubernetesClient(transport: KubernetesTransport, options: KubernetesClientOptions = {}): KubernetesApi {
  const calls = kubernetesCalls(transport, options.timeoutMs ?? defaultTimeoutMs, options.pageSize ?? defaultPageSize);
  const { requests } = calls;

  async function write(
    verb: 'create' | 'apply',
    object: KubernetesObject,
    call: WriteOptions | undefined,
  ): Promise<KubernetesObject> {
    const { name, namespace: wanted } = object.metadata;
    if (!name) {
      // Of a manifest that nobody has looked at yet.
      throw new ArgusError('KubernetesInvalid', `${verb} ${object.kind}: metadata.name is missing`, {
        hint: 'give the object a name',
      });
    }
    const place = await calls.placeOf(object, wanted, call);
    const creation: Call = {
      ...place,
      verb: 'create',
      method: 'POST',
      name,
      query: { fieldManager, fieldValidation: 'Strict', ...dryRun(call) },
      body:
        place.namespace === undefined
          ? object
          : { ...object, metadata: { ...object.metadata, namespace: place.namespace } },
    };
    if (verb === 'create') return toObject(await calls.json(object, creation, ['create'], call), object);
    const application: Call = {
      ...creation,
      verb: 'patch',
      title: 'apply',
      method: 'PATCH',
      path: `${place.path}/${encodeURIComponent(name)}`,
      query: { ...creation.query, force: 'true' },
      contentType: 'application/apply-patch+yaml',
    };
    try {
      // Who applies what isn't there makes it.
      return toObject(await calls.json(object, application, ['patch', 'create'], call), object);
    } catch (error) {
      if (causeOf(error)?.status !== 500) throw error;
      // A field that the definition doesn't have is told as a fault of the server. Asked to make the object, it says
      // which; what is there already doesn't matter, since the fields are looked at first.
      const trial = { ...creation, query: { ...creation.query, dryRun: 'All' } };
      const refusal = await calls.json(object, trial, ['create'], call).catch((other: unknown) => other);
      if (!(refusal instanceof ArgusError) || refusal.code !== 'KubernetesInvalid') throw error;
      throw invalidApplyError({ ...application, region: transport.region }, causeOf(error), refusal);
    }
  }

  return {
    region: transport.region,
    server: transport.server,
    namespace: transport.namespace,
    may: (question, call) => calls.may(question, call),

    async version(call) {
      const answer = await requests.json({ verb: 'ask for the version', method: 'GET', path: '/version' }, call);
      return versionShape.parse(answer).gitVersion;
    },

    async user(call) {
      const answer = await requests.json(
        {
          verb: 'ask who we are',
          method: 'POST',
          path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        },
        call,
      );
      const { username, groups } = userShape.parse(answer).status.userInfo;
      return { name: username, groups };
    },

    async get(ref, call) {
      try {
        return toObject(await calls.json(ref, await calls.on(ref, 'get', 'GET', call), ['get'], call), ref);
      } catch (error) {
        if (hasCode(error, 'KubernetesObjectMissing')) return undefined;
        throw error;
      }
    },

    async list(kind, selection = {}, call) {
      return (await listAll(calls, kind, selection, call)).items;
    },

    watch: (kind, selection, { signal, periodMs }) =>
      watchObjects(watchSource(calls, kind, selection, periodMs ?? defaultPeriodMs), { signal }),

    create: (object, call) => write('create', object, call),
    apply: (object, call) => write('apply', object, call),

    async patch(ref, change, call) {
      const on = await calls.on(ref, 'patch', 'PATCH', call);
      const query = { fieldManager, fieldValidation: 'Strict', ...dryRun(call) };
      const contentType = 'application/merge-patch+json';
      return toObject(await calls.json(ref, { ...on, query, body: change, contentType }, ['patch'], call), ref);
    },

    async delete(ref, call) {
      const { dependents = 'background', uid, resourceVersion } = call ?? {};
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: `${dependents.charAt(0).toUpperCase()}${dependents.slice(1)}`,
        preconditions: { uid, resourceVersion },
        gracePeriodSeconds: call?.graceSeconds,
        ...(call?.dryRun ? { dryRun: ['All'] } : {}),
      };
      try {
        await calls.json(ref, { ...(await calls.on(ref, 'delete', 'DELETE', call)), body }, ['delete'], call);
        return 'asked';
      } catch (error) {
        if (hasCode(error, 'KubernetesObjectMissing')) return 'absent';
        throw error;
      }
    },

    async events(ref, call) {
      const { namespace = 'default' } = await calls.placeOf(ref, ref.namespace, call);
      const fields = [`involvedObject.kind=${ref.kind}`, `involvedObject.name=${ref.name}`];
      if (ref.uid !== undefined) fields.push(`involvedObject.uid=${ref.uid}`);
      const kind = { apiVersion: 'v1', kind: 'Event' };
      const { items } = await listAll(calls, kind, { namespace, fields: fields.join(',') }, call);
      return items.map(toEvent).sort((a, b) => a.atMs - b.atMs);
    },

    async logs({ namespace, name, container }, call) {
      const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name };
      const on = await calls.on(pod, 'get', 'GET', call);
      const of: Call = {
        ...on,
        path: `${on.path}/log`,
        resource: { group: '', plural: 'pods', subresource: 'log' },
        query: {
          container,
          tailLines: call?.lines ?? defaultLogLines,
          previous: call?.previous ? 'true' : undefined,
          limitBytes: logLimitBytes,
        },
      };
      try {
        return await requests.text(of, call);
      } catch (error) {
        throw await calls.refined(pod, of, ['get'], call, error);
      }
    },

    close: () => transport.close(),
  };
}

function dryRun(options: WriteOptions | undefined): { readonly dryRun?: 'All' } {
  return options?.dryRun ? { dryRun: 'All' } : {};
}

/** The answer that an error is about. */
function causeOf(error: unknown): KubernetesAnswerError | undefined {
  return error instanceof ArgusError && error.cause instanceof KubernetesAnswerError ? error.cause : undefined;
}

function toEvent(object: KubernetesObject): KubernetesEvent {
  const event = eventShape.parse(object);
  const at = Date.parse(event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? '');
  return {
    type: event.type ?? '',
    reason: event.reason ?? '',
    message: event.message ?? '',
    count: event.count ?? 1,
    atMs: Number.isNaN(at) ? 0 : at,
  };
}
