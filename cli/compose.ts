import type { Config, RegionConfig } from '../domain/config.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Names, Region } from '../regions/region.ts';
import { type LoadedConfig, pathFrom, resolveSecret } from './config/load.ts';

/** Every adapter that a command works with. */
export interface Composition {
  readonly config: Config;
  /** Where relative paths of the configuration start. */
  readonly folder: string;
  readonly regions: ReadonlyMap<string, Region>;
  readonly names: Names;
  readonly state: ObjectStore;
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
  for (const [name, region] of Object.entries(config.regions))
    regions.set(name, await openRegion(name, region, secret));
  const names = await openNames(config, secret);
  return {
    config,
    folder,
    regions,
    names,
    state,
    async close() {
      const closing = [...regions.values()].flatMap((r) => [r.kafka.close(), r.objects.close()]);
      await Promise.allSettled([...closing, state.close()]);
    },
  };
}

type Secret = (reference: string) => Promise<string>;

/** Only the state, for commands that look at nothing else. */
export async function openState(config: Config, folder: string, secret: Secret): Promise<ObjectStore> {
  if (typeof config.state === 'string') {
    const { fileObjectStore } = await import('../regions/objects/file-object-store.ts');
    return fileObjectStore(pathFrom(folder, config.state.replace(/^file:/, '')));
  }
  const { s3ObjectStore } = await import('../regions/objects/s3-object-store.ts');
  const { url, ...access } = config.state;
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*?)\/*$/.exec(url) ?? [];
  return s3ObjectStore({ ...access, ...(await keys(access, secret)), bucket, ...(prefix === '' ? {} : { prefix }) });
}

async function openRegion(name: string, region: RegionConfig, secret: Secret): Promise<Region> {
  const [{ PlatformaticAdmin }, { s3ObjectStore }, { flinkRestJobs }] = await Promise.all([
    import('../regions/kafka/platformatic-admin.ts'),
    import('../regions/objects/s3-object-store.ts'),
    import('../regions/flink/flink-rest-jobs.ts'),
  ]);
  return {
    name,
    address: region.address,
    kafka: new PlatformaticAdmin({ region: name, bootstrap: region.kafka.bootstrap }),
    objects: s3ObjectStore({ ...region.objects, ...(await keys(region.objects, secret)) }),
    flink: flinkRestJobs({ region: name, url: region.flink.rest }),
  };
}

async function openNames(config: Config, secret: Secret): Promise<Names> {
  const [{ cloudflareRecords }, { nodeResolver }] = await Promise.all([
    import('../regions/dns/cloudflare-records.ts'),
    import('../regions/dns/node-resolver.ts'),
  ]);
  const { zone, token, apiUrl } = config.dns.cloudflare;
  return {
    records: cloudflareRecords({ zone, token: await secret(token), ...(apiUrl === undefined ? {} : { apiUrl }) }),
    resolvers: config.dns.resolvers.map(nodeResolver),
  };
}

async function keys(access: { readonly accessKeyId: string; readonly secretAccessKey: string }, secret: Secret) {
  return { accessKeyId: await secret(access.accessKeyId), secretAccessKey: await secret(access.secretAccessKey) };
}
