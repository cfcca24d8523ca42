import { ArgusError } from '../../domain/errors.ts';
import { answerError, forbiddenError } from './kubernetes-errors.ts';
import type { KubernetesTransport } from './kubernetes-requests.ts';

/** A port of a service in the cluster, by its name. */
export interface ServicePort {
  readonly namespace: string;
  readonly service: string;
  readonly port: string;
}

/** What `fetch` gives, as far as it is needed. */
export interface ProxiedAnswer {
  readonly status: number;
  text(): Promise<string>;
}

/** A request to a path of a service. Throws where Kubernetes answers in the service's place. */
export type ServiceFetch = (
  path: string,
  init: { readonly method?: string; readonly body?: unknown; readonly signal: AbortSignal },
) => Promise<ProxiedAnswer>;

/** And the verbs that they are to RBAC. */
const verbs = { GET: 'get', PATCH: 'patch', POST: 'create' } as const;
const methods = ['GET', 'PATCH', 'POST'] as const;

/**
 * HTTP to a service through the API server (`services/proxy`): from wherever the API server can be reached, without a
 * route into the cluster's network.
 */
export function serviceProxy(
  transport: KubernetesTransport,
  { namespace, service, port }: ServicePort,
  timeoutMs = 10_000,
): ServiceFetch {
  const root = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${encodeURIComponent(service)}:${encodeURIComponent(port)}/proxy`;
  return async (path, init) => {
    const method = methods.find((each) => each === (init.method ?? 'GET'));
    if (method === undefined) throw new Error(`${init.method} through a service is not offered`);
    const { body } = init;
    if (body !== undefined && body !== null && typeof body !== 'string') {
      throw new Error('only JSON can be sent through a service');
    }
    const signal = AbortSignal.any([init.signal, AbortSignal.timeout(timeoutMs)]);
    for (let renewed = false; ; renewed = true) {
      const sent = body ? { body, contentType: 'application/json' } : {};
      const answer = await transport.send({ method, path: root + path, signal, ...sent });
      const text = await answer.text();
      if (answer.status < 400 || !isStatus(text)) return { status: answer.status, text: async () => text };
      if (answer.status === 401 && !renewed) {
        await transport.renew();
        continue;
      }
      const { region, server } = transport;
      const verb = verbs[method];
      const resource = { group: '', plural: 'services', subresource: 'proxy' };
      const failure = { verb, resource, region, server, namespace, name: service, status: answer.status, text };
      const error = answerError(failure);
      if (answer.status === 403) throw forbiddenError(failure, error.cause);
      // The service isn't there yet, or no pod of it is ready: nobody answered.
      throw answer.status === 401 ? error : new ArgusError('ServiceSilent', error.message, { retryable: true });
    }
  };
}

/** Whether it is Kubernetes that speaks. */
function isStatus(text: string): boolean {
  try {
    const { kind, apiVersion } = JSON.parse(text) as { kind?: unknown; apiVersion?: unknown };
    return kind === 'Status' && apiVersion === 'v1';
  } catch {
    // A page of the service, or of a proxy.
    return false;
  }
}
