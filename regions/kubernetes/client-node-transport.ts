import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { HttpMethod, IsomorphicFetchHttpLibrary, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { ArgusError } from '../../domain/errors.ts';
import { describeAccess, type KubernetesAccess } from './kubernetes-access.ts';
import type { KubernetesAnswer, KubernetesRequest, KubernetesTransport } from './kubernetes-requests.ts';

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>;

/**
 * The SDK gives every request a connection pool of its own, with the certificates as they are then. So long one pool is
 * used for all of them: certificates that are renewed are seen soon enough, connections are kept.
 */
const poolForMs = 60_000;
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** One cluster through the official client: its ways to authenticate and its HTTP. Throws `KubernetesConfig`. */
export async function clientNodeTransport(region: string, access: KubernetesAccess): Promise<KubernetesTransport> {
  let config = await load(region, access);
  const http = new IsomorphicFetchHttpLibrary();
  let pool: { readonly dispatcher: Dispatcher; readonly madeAt: number } | undefined;
  let closed = false;

  function pooled(context: RequestContext): void {
    const fresh = context.getDispatcher();
    if (fresh === undefined) return;
    if (pool === undefined || performance.now() - pool.madeAt > poolForMs) {
      // What still runs on the old one goes on to its end.
      void pool?.dispatcher.close();
      pool = { dispatcher: fresh, madeAt: performance.now() };
    }
    context.setDispatcher(pool.dispatcher);
  }

  function dropPool(): void {
    void pool?.dispatcher.close();
    pool = undefined;
  }

  async function sendOnce(request: KubernetesRequest): Promise<KubernetesAnswer> {
    const context = new RequestContext(serverOf(config) + request.path, HttpMethod[request.method]);
    // A credential plugin of a kubeconfig is a program that may hang.
    await endsBy(request.signal, applyCredentials(region, access, config, context));
    context.setHeaderParam('Accept', 'application/json, */*;q=0.8');
    context.setHeaderParam('User-Agent', 'argus');
    if (request.body !== undefined) {
      context.setHeaderParam('Content-Type', request.contentType ?? 'application/json');
      context.setBody(request.body);
    }
    context.setSignal(request.signal);
    pooled(context);
    const answer = await http.send(context).toPromise();
    return {
      status: answer.httpStatusCode,
      retryAfter: answer.headers['retry-after'],
      text: () => answer.body.text(),
      stream: () => answer.body.stream(),
    };
  }

  return {
    region,
    server: serverOf(config),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    async send(request: KubernetesRequest): Promise<KubernetesAnswer> {
      try {
        return await sendOnce(request);
      } catch (error) {
        if (closed || !maySendAgain(request, error)) throw error;
        return await sendOnce(request);
      }
    },
    async renew() {
      config = await load(region, access);
      dropPool();
    },
    async close() {
      closed = true;
      const last = pool;
      pool = undefined;
      await last?.dispatcher.destroy();
    },
  };
}

/**
 * Whether the request may be sent again: it was never sent, since its connections had been closed by then (undici's
 * `ClientClosedError`); or it only reads, and the server ended the connection under it (GOAWAY), as it does after each
 * 401, and now and then to spread its clients.
 */
function maySendAgain({ method }: KubernetesRequest, error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown; readonly message?: unknown } };
  const code = cause?.code ?? (error as { readonly code?: unknown }).code;
  if (code === 'UND_ERR_CLOSED') return true;
  return method === 'GET' && code === 'UND_ERR_INFO' && `${cause?.message}`.includes('GOAWAY');
}

function serverOf(config: KubeConfig): string {
  return (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
}

async function applyCredentials(
  region: string,
  access: KubernetesAccess,
  config: KubeConfig,
  context: RequestContext,
): Promise<void> {
  try {
    await config.applySecurityAuthentication(context);
  } catch (cause) {
    // The cause may hold what a plugin printed: a secret, perhaps.
    throw configError(region, `${describeAccess(access)} gives no credentials (${briefly(cause)})`, {
      hint: 'try the same context with kubectl: files and plugins that it names must be there and work',
    });
  }
}

async function load(region: string, access: KubernetesAccess): Promise<KubeConfig> {
  const config = new KubeConfig();
  switch (access.kind) {
    case 'kubeconfig':
      loadFiles(region, access.files, config);
      choose(region, access, config);
      return config;
    case 'in-cluster':
      if (!process.env.KUBERNETES_SERVICE_HOST || !readable(`${serviceAccountFolder}/token`)) {
        throw configError(region, 'this process does not run in a pod with a service account', {
          hint: 'name a kubeconfig, or server and token; in a pod, let its service account be mounted',
        });
      }
      config.loadFromCluster();
      return config;
    case 'server':
      config.loadFromOptions({
        clusters: [
          {
            name: region,
            server: access.url,
            skipTLSVerify: access.url.startsWith('http:'),
            ...(access.ca === undefined ? {} : { caData: Buffer.from(access.ca).toString('base64') }),
            ...(access.serverName === undefined ? {} : { tlsServerName: access.serverName }),
          },
        ],
        users: [{ name: 'argus', token: await access.token() }],
        contexts: [{ name: region, cluster: region, user: 'argus', namespace: access.namespace }],
        currentContext: region,
      });
      return config;
  }
}

function loadFiles(region: string, files: readonly string[], config: KubeConfig): void {
  let found = 0;
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // As kubectl does, when there are others.
      if (code === 'ENOENT') continue;
      throw configError(region, `the kubeconfig ${file} can't be read (${code ?? 'error'})`, { cause });
    }
    const each = new KubeConfig();
    try {
      each.loadFromString(text);
      each.makePathsAbsolute(dirname(file));
      if (found++ === 0) Object.assign(config, { currentContext: undefined });
      mergeMissing(config, each);
    } catch (cause) {
      throw configError(region, `the kubeconfig ${file} is not one (${briefly(cause)})`, {
        hint: 'see `kubectl config view --kubeconfig FILE`',
      });
    }
  }
  if (found === 0) {
    throw configError(region, `there is no kubeconfig at ${files.join(' or ')}`, {
      hint: `name one in regions.${region}.kubernetes.kubeconfig, or by KUBECONFIG`,
    });
  }
}

/** The first file that has an entry wins. */
function mergeMissing(config: KubeConfig, next: KubeConfig): void {
  const missing = <T extends { readonly name: string }>(into: T[], from: readonly T[]): void => {
    for (const each of from) if (!into.some(({ name }) => name === each.name)) into.push(each);
  };
  missing(config.clusters, next.clusters);
  missing(config.users, next.users);
  missing(config.contexts, next.contexts);
  if (!config.currentContext) config.setCurrentContext(next.currentContext);
}

function choose(
  region: string,
  access: Extract<KubernetesAccess, { readonly kind: 'kubeconfig' }>,
  config: KubeConfig,
): void {
  if (access.context !== undefined) config.setCurrentContext(access.context);
  const name = config.getCurrentContext();
  const where = access.files.join(', ');
  const context = name ? config.getContextObject(name) : undefined;
  if (!context) {
    const known = config.contexts.map((each) => each.name);
    throw configError(region, name ? `${where} has no context "${name}"` : `${where} has no current context`, {
      hint: `regions.${region}.kubernetes.context: ${known.length === 0 ? 'the file has none' : `there are ${known.join(', ')}`}`,
    });
  }
  if (!config.getCurrentCluster()) {
    throw configError(
      region,
      `context "${name}" of ${where} names the cluster "${context.cluster}", which isn't there`,
    );
  }
  if (!config.getCurrentUser()) {
    throw configError(region, `context "${name}" of ${where} names the user "${context.user}", who isn't there`);
  }
}

function readable(file: string): boolean {
  try {
    return readFileSync(file).length > 0;
  } catch {
    // Absent or locked: not to be read either way.
    return false;
  }
}

function configError(region: string, what: string, options: { hint?: string; cause?: unknown } = {}): ArgusError {
  return new ArgusError('KubernetesConfig', `Kubernetes of ${region}: ${what}`, {
    exitCode: 2,
    hint: options.hint ?? 'correct it; `kubectl config get-contexts` shows what is there',
    ...(options.cause === undefined ? {} : { cause: options.cause }),
  });
}

/** What went wrong without what it was about: the parser's and the plugins' texts quote the file, secrets included. */
function briefly(error: unknown): string {
  const { code, reason, mark } = error as { code?: unknown; reason?: unknown; mark?: { line?: unknown } };
  if (typeof reason === 'string') {
    return typeof mark?.line === 'number' ? `line ${mark.line + 1}: ${reason}` : reason;
  }
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : 'error';
}

/** The promise, or the signal's reason when that comes first. */
function endsBy<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
