import { describeError } from '../../domain/errors.ts';
import type { StorePlace } from '../../domain/store-config.ts';
import type { SeenStore } from '../../health/doctor/buckets.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import type { S3Access } from '../../regions/objects/s3-requests.ts';
import { REPLICA_ROOT } from '../../replication/checkpoints/locations.ts';
import type { Composition } from '../compose.ts';
import { resolveSecret } from '../config/load.ts';

/** A place for objects that the configuration names, and how it is looked at. */
export interface NamedStore extends Pick<SeenStore, 'what' | 'region' | 'conditional' | 'kept'> {
  readonly store: ObjectStore;
  /** Absent: a folder has none. */
  readonly settings?: (signal: AbortSignal) => Promise<NonNullable<SeenStore['settings']>>;
}

/** Each region's bucket, the state and a guard's witness. */
export function storesOf(composition: Composition, env: NodeJS.ProcessEnv): readonly NamedStore[] {
  const { config, folder, regions, state, guard } = composition;
  const secret = (reference: string) => resolveSecret(reference, folder, env);
  type Keys = Pick<S3Access, 'accessKeyId' | 'secretAccessKey'>;
  const settingsOf = (access: S3Access) => async (signal: AbortSignal) => {
    const { s3BucketSettings } = await import('../../regions/objects/s3-bucket-settings.ts');
    const keys: Keys = {
      accessKeyId: await secret(access.accessKeyId),
      secretAccessKey: await secret(access.secretAccessKey),
    };
    return s3BucketSettings({ ...access, ...keys }, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      return { unknown: describeError(error) };
    });
  };
  const place = (what: string, store: ObjectStore, of: StorePlace): NamedStore => {
    if (typeof of === 'string') return { what, store, conditional: true, kept: [] };
    const { url, ...access } = of;
    const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*?)\/*$/.exec(url) ?? [];
    return {
      what,
      store,
      conditional: true,
      kept: [prefix === '' ? '' : `${prefix}/`],
      settings: settingsOf({ ...access, bucket }),
    };
  };
  const prefixes = config.jobs.map(({ checkpoints }) => `${checkpoints.prefix}/`);
  return [
    ...[...regions.values()].map(({ name, objects }): NamedStore => {
      const access = config.regions[name]?.objects;
      return {
        what: `the bucket of ${name}`,
        region: name,
        store: objects,
        conditional: false,
        kept: [...new Set([REPLICA_ROOT, ...prefixes])],
        ...(access && { settings: settingsOf(access) }),
      };
    }),
    place('the state', state, config.state),
    ...(guard && config.guard ? [place('the witness of guards', guard.witness, config.guard.witness)] : []),
  ];
}
