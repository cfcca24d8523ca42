import { readFile } from 'node:fs/promises';
import type { Config, RegionConfig } from '../domain/config.ts';
import { ArgusError } from '../domain/errors.ts';
import type { StorePlace } from '../domain/store-config.ts';
import type { DrillFlink } from '../regions/flink/flink-kubernetes-drills.ts';
import type { KafkaEndpoint } from '../regions/kafka/kafka-security.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Names, Region } from '../regions/region.ts';
import type { GuardLink } from '../runbooks/fencing/claim-primary.ts';
import { type LoadedConfig, pathFrom, resolveSecret } from './config/load.ts';
import { openFence } from './open-fence.ts';
import { type OpenKubernetes, openDrillFlink, openFlink } from './open-flink.ts';
import { openNames } from './open-names.ts';

/** Every adapter that a command works with. */
export interface Composition {
  readonly config: Config;
  /** Where relative paths of the configuration start. */
  readonly folder: string;
  /** Of the configuration's file. */
  readonly configSha256?: string;
  readonly regions: ReadonlyMap<string, Region>;
  /** A region's Flink as its drills use it: their jobs are listed. `NoDrillFlink` (exit code 3): there is none. */
  drillFlink(region: string): Promise<DrillFlink>;
  readonly names: Names;
  readonly state: ObjectStore;
  /** Absent: no region has a guard. */
  readonly guard?: GuardLink;
  /** Closes every connection; also those of a region that hangs. */
  close(): Promise<void>;
}

/**
 * Constructs the adapters of a configuration: the one place that knows which there are. Nothing is connected yet, but
 * every secret is resolved: a missing one ends the command before it does anything.
 */
export async function compose(loaded: LoadedConfig, env: NodeJS.ProcessEnv): Promise<Composition> {
  const { config, folder } = loaded;
  const secret = (reference: string) => resolveSecret(reference, folder, env);
  const state = await openState(config, folder, secret);
  const regions = new Map<string, Region>();
  const servers = new Map<string, OpenKubernetes>();
  for (const [name, region] of Object.entries(config.regions)) {
    const kubernetes = await openKubernetes(name, region.kubernetes, folder, env, secret);
    if (kubernetes !== undefined) servers.set(name, kubernetes);
    regions.set(name, await openRegion(name, region, config, folder, kubernetes, secret));
  }
  const names = await openNames(config, secret);
  const guard = config.guard && {
    witness: await openPlace(config.guard.witness, folder, secret),
    leaseMs: config.guard.lease,
  };
  return {
    config,
    folder,
    ...(loaded.sha256 === undefined ? {} : { configSha256: loaded.sha256 }),
    regions,
    drillFlink: (name) => openDrillFlink(name, config, servers.get(name)),
    names,
    state,
    ...(guard && { guard }),
    async close() {
      const closing = [...regions.values()].flatMap((r) => [r.kafka.close(), r.objects.close(), r.kubernetes?.close()]);
      await Promise.allSettled([...closing, state.close(), guard?.witness.close()]);
    },
  };
}

type Secret = (reference: string) => Promise<string>;

/** Only the state, for commands that look at nothing else. */
export function openState(config: Config, folder: string, secret: Secret): Promise<ObjectStore> {
  return openPlace(config.state, folder, secret);
}

async function openPlace(place: StorePlace, folder: string, secret: Secret): Promise<ObjectStore> {
  if (typeof place === 'string') {
    const { fileObjectStore } = await import('../regions/objects/file-object-store.ts');
    return fileObjectStore(pathFrom(folder, place.replace(/^file:/, '')));
  }
  const { s3ObjectStore } = await import('../regions/objects/s3-object-store.ts');
  const { url, ...access } = place;
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*?)\/*$/.exec(url) ?? [];
  return s3ObjectStore({ ...access, ...(await keys(access, secret)), bucket, ...(prefix === '' ? {} : { prefix }) });
}

/** Where a region's brokers are and how they are spoken to, secrets and files read. */
export async function kafkaEndpoint(
  name: string,
  { bootstrap, tls, sasl }: RegionConfig['kafka'],
  folder: string,
  secret: Secret,
): Promise<KafkaEndpoint> {
  if (!tls && !sasl) return { name, bootstrap };
  const read = async (path: string | undefined, key: string) =>
    path === undefined ? undefined : readPem(pathFrom(folder, path), `regions.${name}.kafka.tls.${key}`);
  return {
    name,
    bootstrap,
    security: {
      tls: tls && {
        ca: await read(tls.ca, 'ca'),
        cert: await read(tls.cert, 'cert'),
        key: tls.key === undefined ? undefined : await secret(tls.key),
        servername: tls.servername,
      },
      sasl: sasl && { mechanism: sasl.mechanism, username: sasl.username, password: await secret(sasl.password) },
    },
  };
}

async function readPem(path: string, key: string): Promise<string> {
  const wrong = (what: string, cause?: unknown) =>
    new ArgusError('ConfigError', `${key}: the file ${path} ${what}`, {
      cause,
      exitCode: 2,
      hint: 'name a PEM file: it holds -----BEGIN CERTIFICATE-----',
    });
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw wrong(`can't be read (${cause.code ?? 'error'})`, cause);
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw wrong('holds no certificate');
  return text;
}

async function openRegion(
  name: string,
  region: RegionConfig,
  { jobs, mirror }: Config,
  folder: string,
  kubernetes: OpenKubernetes | undefined,
  secret: Secret,
): Promise<Region> {
  const [{ PlatformaticAdmin }, { s3ObjectStore }] = await Promise.all([
    import('../regions/kafka/platformatic-admin.ts'),
    import('../regions/objects/s3-object-store.ts'),
  ]);
  const brokers = await kafkaEndpoint(name, region.kafka, folder, secret);
  const fence = await openFence(brokers, region.kafka, mirror.principal, secret);
  return {
    name,
    address: region.address,
    brokers,
    kafka: new PlatformaticAdmin({ region: name, bootstrap: brokers.bootstrap, security: brokers.security }),
    ...(fence && { fence }),
    objects: s3ObjectStore({ ...region.objects, ...(await keys(region.objects, secret)) }),
    flink: await openFlink({ name, flink: region.flink, kubernetes, jobs, folder }),
    ...(kubernetes && { kubernetes: kubernetes.client }),
  };
}

async function openKubernetes(
  name: string,
  section: RegionConfig['kubernetes'],
  folder: string,
  env: NodeJS.ProcessEnv,
  secret: Secret,
): Promise<OpenKubernetes | undefined> {
  if (section === undefined) return undefined;
  const [{ kubernetesAccess }, { clientNodeTransport }, { kubernetesClient }] = await Promise.all([
    import('./kubernetes-access.ts'),
    import('../regions/kubernetes/client-node-transport.ts'),
    import('../regions/kubernetes/kubernetes-client.ts'),
  ]);
  const pem = (path: string) => readPem(path, `regions.${name}.kubernetes.ca`);
  const transport = await clientNodeTransport(name, await kubernetesAccess(section, { folder, env, secret, pem }));
  return { transport, client: kubernetesClient(transport) };
}

async function keys(access: { readonly accessKeyId: string; readonly secretAccessKey: string }, secret: Secret) {
  return { accessKeyId: await secret(access.accessKeyId), secretAccessKey: await secret(access.secretAccessKey) };
}
