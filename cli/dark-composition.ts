import { ArgusError } from '../domain/errors.ts';
import type { DnsResolver } from '../regions/dns/dns-records.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { Region } from '../regions/region.ts';
import type { Composition } from './compose.ts';
import type { LoadedConfig } from './config/load.ts';

/** A composition in which nothing answers, for that reason: what a runbook says when Argus can't even begin to ask. */
export function darkComposition({ config, folder }: LoadedConfig, why: string): Composition {
  const port = <T extends object>(given: object = {}): T =>
    new Proxy(given as T, {
      get: (known, key) =>
        // Nobody may take a port for a promise.
        key in known || key === 'then'
          ? Reflect.get(known, key)
          : () => Promise.reject(new ArgusError('NotAsked', why)),
    });
  const regions = Object.entries(config.regions).map(([name, { address, kafka, objects }]): [string, Region] => [
    name,
    {
      name,
      address,
      kafka: port(),
      brokers: { name, bootstrap: kafka.bootstrap },
      objects: port<ObjectStore>({ uri: `s3://${objects.bucket}` }),
      flink: port(),
    },
  ]);
  return {
    config,
    folder,
    regions: new Map(regions),
    drillFlink: () => Promise.reject(new ArgusError('NotAsked', why)),
    names: {
      records: port(),
      resolvers: config.dns.resolvers.map((server) => port<DnsResolver>({ server })),
    },
    state: port<ObjectStore>({ uri: 'state' }),
    close: async () => undefined,
  };
}
