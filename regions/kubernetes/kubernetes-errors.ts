import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';

/** What a request is for, in RBAC's words. */
export interface Purpose {
  /** `get`, `list`, `watch`, `create`, `patch`, `delete`; for an apply `patch`. */
  readonly verb: string;
  /** What a person would say, where it isn't the verb: `apply`. */
  readonly title?: string | undefined;
  /** Absent: no object is asked for, but something of the server itself. */
  readonly resource?:
    | { readonly group: string; readonly plural: string; readonly subresource?: string | undefined }
    | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

interface Where extends Purpose {
  readonly region: string;
  readonly server: string;
}

/** An answer that is no success. */
export interface FailedAnswer extends Where {
  readonly status: number;
  readonly text: string;
}

/** An answer, as the cause of our error. */
export class KubernetesAnswerError extends Error {
  override readonly name = 'KubernetesAnswerError';
  readonly status: number;
  /** What the server said. */
  readonly told: string;

  constructor(status: number, reason: string, told: string) {
    super(`HTTP ${status}${reason === '' ? '' : ` ${reason}`}`);
    this.status = status;
    this.told = told;
  }
}

/** The body of a failure. Source: apimachinery `meta/v1` Status. */
const statusShape = z.object({
  kind: z.literal('Status'),
  message: z.string().default(''),
  reason: z.string().default(''),
  details: z
    .object({
      name: z.string().optional(),
      kind: z.string().optional(),
      causes: z
        .array(
          z.object({
            reason: z.string().default(''),
            message: z.string().default(''),
            field: z.string().optional(),
          }),
        )
        .default([]),
    })
    .prefault({}),
});

/** `patch flinkdeployments.flink.apache.org argus-data/argus-flink` */
export function describePurpose({ verb, title = verb, resource, namespace, name }: Purpose): string {
  if (resource === undefined) return title;
  const at = name === undefined ? (namespace === undefined ? '' : ` in ${namespace}`) : ` ${path(namespace, name)}`;
  return `${title} ${resourceName(resource)}${at}`;
}

/** The error of a server that did not answer: not reached, or not in time, or with a certificate that isn't trusted. */
export function noAnswerError(failure: Where & { readonly timeoutMs: number; readonly cause: unknown }): ArgusError {
  const { region, server, cause, timeoutMs } = failure;
  const code = transportCode(cause);
  const what = describePurpose(failure);
  if (code !== undefined && certificateCodes.has(code)) {
    return new ArgusError(
      'KubernetesUntrusted',
      `${what}: Kubernetes of ${region} at ${server} shows a certificate that is not trusted (${code})`,
      {
        cause,
        hint: 'give the authority that signed it (certificate-authority in the kubeconfig, or `ca`), and see whether a proxy stands between',
      },
    );
  }
  const late = isTimeout(cause);
  return new ArgusError(
    'KubernetesUnreachable',
    late
      ? `${what}: Kubernetes of ${region} at ${server} did not answer within ${timeoutMs / 1000} s`
      : `${what}: Kubernetes of ${region} at ${server} can't be reached${code === undefined ? '' : ` (${code})`}`,
    {
      cause,
      hint: 'See whether the API server runs and can be reached from here: kubectl get --raw /readyz',
      retryable: true,
    },
  );
}

/** The error of an answer. What needs a further question (403, and 404 or 500 of a kind) is the caller's to refine. */
export function answerError(failure: FailedAnswer): ArgusError {
  const { region, server, status, resource, namespace, name } = failure;
  const what = describePurpose(failure);
  const parsed = parseStatus(failure.text);
  if (parsed === undefined && status !== 404 && status !== 401 && status !== 429) return notKubernetes(failure, what);
  const reason = parsed?.reason ?? '';
  const message = withoutValues(parsed?.message || failure.text.slice(0, 300));
  const cause = new KubernetesAnswerError(status, reason, message);
  const of = (code: string, text: string, hint?: string, retryable = false) =>
    new ArgusError(code, `${what}: ${text}`, { cause, retryable, ...(hint === undefined ? {} : { hint }) });
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      // Only who gives an object can give a wrong one.
      return failure.verb === 'create' || failure.verb === 'patch'
        ? invalidError(failure, message, fieldsOf(parsed?.details.causes ?? []), cause)
        : of('KubernetesRefused', `Kubernetes of ${region} answered ${status}: ${message}`);
    case 401:
      return of(
        'KubernetesUnauthenticated',
        `Kubernetes of ${region} at ${server} refuses the credentials: they have expired or are not of this cluster`,
        'renew the token or the kubeconfig, and try: kubectl auth whoami',
      );
    case 403:
      return of('KubernetesForbidden', `Kubernetes of ${region} does not allow it: ${message}`);
    case 404:
      if (parsed?.details.kind === 'namespaces' && resource?.plural !== 'namespaces') {
        return of(
          'KubernetesNamespaceMissing',
          `Kubernetes of ${region} has no namespace ${parsed.details.name ?? namespace}`,
          `kubectl create namespace ${parsed.details.name ?? namespace}`,
        );
      }
      if (parsed?.details.name !== undefined) {
        return of(
          'KubernetesObjectMissing',
          `Kubernetes of ${region} has no ${path(namespace, name ?? parsed.details.name)}`,
        );
      }
      return of(
        'KubernetesKindMissing',
        `Kubernetes of ${region} does not know ${resource ? resourceName(resource) : 'this'}`,
      );
    case 409:
      if (reason === 'AlreadyExists') {
        return of('KubernetesExists', `Kubernetes of ${region} has it already`);
      }
      return of(
        'KubernetesConflict',
        `Kubernetes of ${region} holds another state than the one to change: ${message}`,
        'somebody else changed the object meanwhile: look at it and try again',
      );
    case 410:
      return of('KubernetesExpired', `the position is too old for Kubernetes of ${region}`, undefined, true);
    case 429:
      return of('KubernetesRefused', `Kubernetes of ${region} is asked too often`, 'try again in a while', true);
    default:
      return of(
        'KubernetesRefused',
        `Kubernetes of ${region} answered ${status}: ${message}`,
        undefined,
        status >= 500,
      );
  }
}

/** The error for what RBAC does not allow, with what would make it allowed. */
export function forbiddenError(purpose: Purpose & { readonly region: string }, cause: unknown): ArgusError {
  const { verb, resource, namespace, name, region } = purpose;
  if (resource === undefined) throw new Error('only objects are forbidden');
  const where = namespace === undefined ? 'in the whole cluster' : `in the namespace ${namespace}`;
  const scope = namespace === undefined ? '--all-namespaces' : `-n ${namespace}`;
  const sub = resource.subresource === undefined ? '' : ` --subresource=${resource.subresource}`;
  const plain = { ...resource, subresource: undefined };
  return new ArgusError(
    'KubernetesForbidden',
    `${describePurpose(purpose)}: Kubernetes of ${region} does not allow Argus to ${verb} ${resourceName(resource)} ${where}`,
    {
      cause,
      hint: `let its role have the verb "${verb}" on "${resource.plural}${resource.subresource === undefined ? '' : `/${resource.subresource}`}" of ${resource.group === '' ? 'the core group' : `the group "${resource.group}"`}${name === undefined ? '' : ` (object ${name})`}; then: kubectl auth can-i ${verb} ${resourceName(plain)}${sub} ${scope}`,
    },
  );
}

/** The error for what RBAC allows and a quota or an admission rule does not. */
export function deniedError(purpose: Purpose & { readonly region: string }, cause: unknown): ArgusError {
  const message = cause instanceof KubernetesAnswerError ? cause.told : String(cause);
  return new ArgusError(
    'KubernetesDenied',
    `${describePurpose(purpose)}: a rule of Kubernetes of ${purpose.region} is against it: ${message}`,
    { cause, hint: 'see the quotas (kubectl describe quota), limits and admission rules of the namespace' },
  );
}

/** The error for a kind that the cluster doesn't serve; `served` are the versions of its group that it does serve. */
export function kindMissingError(
  region: string,
  wanted: { readonly apiVersion: string; readonly kind: string },
  served: readonly string[],
): ArgusError {
  const group = wanted.apiVersion.includes('/') ? (wanted.apiVersion.split('/')[0] ?? '') : '';
  const others = served.filter((version) => version !== wanted.apiVersion);
  const text =
    served.length === 0
      ? `Kubernetes of ${region} does not know ${wanted.kind} (${wanted.apiVersion}): nothing of the group ${group} is installed there`
      : served.includes(wanted.apiVersion)
        ? `Kubernetes of ${region} has no ${wanted.kind} in ${wanted.apiVersion}`
        : `Kubernetes of ${region} has the group ${group} only as ${others.join(', ')}, not ${wanted.apiVersion}`;
  return new ArgusError('KubernetesKindMissing', text, {
    hint:
      group === 'flink.apache.org'
        ? 'install the definitions of the Flink Kubernetes Operator in this cluster, of the same version as in the other region; see: kubectl api-resources --api-group flink.apache.org'
        : `see: kubectl api-resources --api-group ${group === '' ? '""' : group}`,
  });
}

/** Whether the error is one of these. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof ArgusError && codes.includes(error.code);
}

/**
 * The error of an apply whose fields the definition doesn't have or has as other types, to which the server answers 500
 * (structured-merge-diff `typed` errors: a line a field). `refusal` is what it said to the same object as a creation.
 */
export function invalidApplyError(purpose: Purpose & { readonly region: string }, cause: unknown, refusal: ArgusError) {
  const told = cause instanceof KubernetesAnswerError ? cause.told : '';
  const fields = [...told.matchAll(/(?:^|\n|\): )\s*\.(\S+): ([^\n]+)/g)].map(([, field, why]) => `${field}: ${why}`);
  return fields.length === 0 ? refusal : invalidError(purpose, '', fields, cause);
}

function fieldsOf(
  causes: readonly { readonly field?: string | undefined; readonly message: string }[],
): readonly string[] {
  return causes.flatMap(({ field, message }) => {
    const why = withoutValues(message);
    if (field === undefined || field === '' || field === '<nil>') return [];
    // Of a merge patch; the value is the whole object.
    return [field === 'patch' ? why.replace(/^Invalid value: "…": /, '') : `${field}: ${why}`];
  });
}

function invalidError(
  purpose: Purpose & { readonly region: string },
  message: string,
  fields: readonly string[],
  cause: unknown,
): ArgusError {
  const told = fields.length > 0 ? fields.join('; ') : message;
  return new ArgusError(
    'KubernetesInvalid',
    `${describePurpose(purpose)}: Kubernetes of ${purpose.region} refuses the object: ${told}`,
    { cause, hint: 'correct the fields that are named: kubectl explain shows those of the installed version' },
  );
}

/** Without long quoted values: the server repeats what it was given, which may be a whole object, a secret too. */
function withoutValues(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => (quoted.length > 62 ? '"…"' : quoted));
}

function notKubernetes(failure: FailedAnswer, what: string): ArgusError {
  return new ArgusError(
    'KubernetesRefused',
    `${what}: ${failure.server} did not answer like Kubernetes (${failure.status}: ${failure.text.trim().slice(0, 120)})`,
    {
      hint: 'see whether this is the URL of the API server, and whether a proxy stands between',
      retryable: failure.status >= 500,
    },
  );
}

function parseStatus(text: string): z.output<typeof statusShape> | undefined {
  try {
    return statusShape.safeParse(JSON.parse(text)).data;
  } catch {
    // Not JSON: a page of a proxy, or the plain "404 page not found" of a group that isn't there.
    return undefined;
  }
}

function resourceName({ group, plural, subresource }: NonNullable<Purpose['resource']>): string {
  return `${plural}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;
}

function path(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

const certificateCodes: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Node's code of the innermost error that has one; fetch wraps it. */
function transportCode(error: unknown): string | undefined {
  let found: string | undefined;
  for (let e = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) {
    const { code } = e as { code?: unknown };
    if (typeof code === 'string') found = code;
  }
  return found;
}

function isTimeout(error: unknown): boolean {
  const code = transportCode(error);
  return (
    (error instanceof Error && error.name === 'TimeoutError') ||
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    code === 'UND_ERR_HEADERS_TIMEOUT' ||
    code === 'ETIMEDOUT'
  );
}
