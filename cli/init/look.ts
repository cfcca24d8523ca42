import { isOfSomeDrill } from '../../domain/bubble.ts';
import type { RegionConfig } from '../../domain/config.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import { kafkaSection } from '../../domain/kafka-config.ts';
import type { DnsRecord } from '../../regions/dns/dns-records.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { kafkaEndpoint } from '../compose.ts';
import { resolveSecret } from '../config/load.ts';
import type { SideAnswers } from './answers.ts';

/** What a connection gave, or why it gave nothing. */
export type Looked<T> = { readonly found: T } | { readonly failed: string };

/** A job that runs, as far as its platform tells. */
export interface FoundJob {
  readonly name: string;
  /** `<prefix>` of its checkpoints in the bucket; absent: none was completed yet. */
  readonly prefix?: string;
  /** Its FlinkDeployment, or its FlinkSessionJob in the session cluster of that name. */
  readonly deployment?: { readonly namespace: string; readonly name: string; readonly sessionJob?: string };
}

/** What a region showed. */
export interface FoundRegion {
  readonly kafka: Looked<{ readonly topics: readonly string[]; readonly groups: readonly string[] }>;
  readonly objects: Looked<{ readonly folders: readonly string[] }>;
  readonly flink: Looked<readonly FoundJob[]>;
}

interface LookOptions {
  /** Where relative paths start. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const deadlineMs = 10_000;

async function looked<T>(
  signal: AbortSignal,
  act: (call: { readonly signal: AbortSignal }) => Promise<T>,
): Promise<Looked<T>> {
  const late = AbortSignal.timeout(deadlineMs);
  const both = AbortSignal.any([signal, late]);
  try {
    const aborted = new Promise<never>((_, reject) =>
      both.addEventListener('abort', () => reject(both.reason), { once: true }),
    );
    return { found: await Promise.race([act({ signal: both }), aborted]) };
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) return { failed: `no answer within ${deadlineMs / 1_000} s` };
    return { failed: error instanceof ArgusError ? error.message : describeError(error) };
  }
}

/** The Kafka section that these answers make. */
export function kafkaOf(side: SideAnswers) {
  const { kafka = [], kafkaUser, kafkaMechanism = 'SCRAM-SHA-512', kafkaPassword, kafkaTls = 'none' } = side;
  return {
    bootstrap: kafka,
    ...(kafkaTls === 'none' ? {} : { tls: kafkaTls === 'system' ? {} : { ca: kafkaTls } }),
    ...(kafkaUser === undefined
      ? {}
      : { sasl: { mechanism: kafkaMechanism, username: kafkaUser, password: kafkaPassword ?? '' } }),
  };
}

/** Looks at a region's Kafka, bucket and Flink at once; changes nothing. */
export async function lookAtRegion(side: SideAnswers, { folder, env, signal }: LookOptions): Promise<FoundRegion> {
  const secret = (reference: string) => resolveSecret(reference, folder, env);
  const name = side.name ?? '';
  const [kafka, objects, flink] = await Promise.all([
    looked(signal, async (call) => {
      const section: RegionConfig['kafka'] = kafkaSection.parse(kafkaOf(side));
      const { bootstrap, security } = await kafkaEndpoint(name, section, folder, secret);
      const { PlatformaticAdmin } = await import('../../regions/kafka/platformatic-admin.ts');
      const admin = new PlatformaticAdmin({ region: name, bootstrap, security });
      try {
        const [topics, groups] = await Promise.all([
          admin.describeTopics(undefined, call),
          admin.listGroups(call).catch(() => []),
        ]);
        return { topics: [...topics.keys()], groups };
      } finally {
        await admin.close();
      }
    }),
    looked(signal, async (call) => {
      const { objects: endpoint = '', bucket = '', s3Region: region = 'auto', s3Key = '', s3Secret = '' } = side;
      const [accessKeyId, secretAccessKey] = [await secret(s3Key), await secret(s3Secret)];
      const { s3ObjectStore } = await import('../../regions/objects/s3-object-store.ts');
      const store = s3ObjectStore({ endpoint, bucket, region, accessKeyId, secretAccessKey, pathStyle: true });
      try {
        const { prefixes } = await store.list('', { ...call, delimiter: '/' });
        return { folders: prefixes.map((prefix) => prefix.replace(/\/$/, '')) };
      } finally {
        await store.close();
      }
    }),
    looked(signal, (call) => jobsOf(name, side, { folder, env, ...call })),
  ]);
  return { kafka, objects, flink };
}

async function jobsOf(name: string, side: SideAnswers, options: LookOptions): Promise<readonly FoundJob[]> {
  const { signal } = options;
  if (side.flink === 'kubernetes') return deploymentsOf(name, side, options);
  const { flinkRestJobs } = await import('../../regions/flink/flink-rest-jobs.ts');
  const flink = flinkRestJobs({ region: name, url: side.flink ?? '' });
  const running = (await flink.list({ signal })).filter(({ state }) => state === 'RUNNING').slice(0, 20);
  return Promise.all(
    running.map(async (job) => {
      const newest = await flink.checkpoints(job.id, { signal }).then(
        ({ latestCompleted }) => latestCompleted?.path,
        () => undefined,
      );
      const prefix = newest === undefined ? undefined : prefixOf(newest);
      return { name: job.name, ...(prefix === undefined ? {} : { prefix }) };
    }),
  );
}

/** `s3://bucket/<prefix>/<job id>/chk-7`: the prefix. Pure. */
export function prefixOf(path: string): string | undefined {
  return /^s3[an]?:\/\/[^/]+\/(.+)\/[0-9a-f]{32}\/chk-\d+\/?$/.exec(path)?.[1];
}

async function deploymentsOf(
  name: string,
  { kubeconfig, kubeContext: context }: SideAnswers,
  { folder, env, signal }: LookOptions,
): Promise<readonly FoundJob[]> {
  const [
    { kubernetesAccess },
    { clientNodeTransport },
    { kubernetesClient },
    { flinkDeploymentKind },
    { flinkSessionJobKind },
  ] = await Promise.all([
    import('../kubernetes-access.ts'),
    import('../../regions/kubernetes/client-node-transport.ts'),
    import('../../regions/kubernetes/kubernetes-client.ts'),
    import('../../regions/flink/flink-deployment.ts'),
    import('../../regions/flink/flink-session-job.ts'),
  ]);
  const section = {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  };
  const from = { folder, env, secret: async (given: string) => given, pem: async (given: string) => given };
  const client = kubernetesClient(await clientNodeTransport(name, await kubernetesAccess(section, from)));
  try {
    const everywhere = { namespace: '*' };
    const [deployments, sessionJobs] = await Promise.all([
      client.list(flinkDeploymentKind, everywhere, { signal }),
      // A cluster that doesn't know them, or doesn't show them, has none to choose from.
      client.list(flinkSessionJobKind, everywhere, { signal }).catch(() => []),
    ]);
    return [...deployments, ...sessionJobs].flatMap(foundJob);
  } finally {
    await client.close();
  }
}

/** The job of an object; none of a session cluster, which has jobs of its own, and of a drill. Pure. */
export function foundJob({ kind, metadata, spec }: KubernetesObject): readonly FoundJob[] {
  const { name, namespace = 'default' } = metadata;
  const { job, deploymentName } = (spec ?? {}) as { readonly job?: unknown; readonly deploymentName?: unknown };
  if (isOfSomeDrill('kubernetes', name)) return [];
  if (kind === 'FlinkSessionJob') {
    return [{ name, deployment: { namespace, name: `${deploymentName ?? name}`, sessionJob: name } }];
  }
  return job === undefined || job === null ? [] : [{ name, deployment: { namespace, name } }];
}

/** The zone's A records at Cloudflare. */
export function lookAtZone(
  { zone, token, apiUrl }: { readonly zone: string; readonly token: string; readonly apiUrl?: string },
  { folder, env, signal }: LookOptions,
): Promise<Looked<readonly DnsRecord[]>> {
  return looked(signal, async (call) => {
    const [{ cloudflareAccess }, { cloudflareNames }] = await Promise.all([
      import('../../regions/dns/cloudflare-access.ts'),
      import('../../regions/dns/cloudflare-records.ts'),
    ]);
    const access = {
      zone,
      token: await resolveSecret(token, folder, env),
      ...(apiUrl === undefined ? {} : { apiUrl }),
    };
    return cloudflareNames(cloudflareAccess(access), call);
  });
}
