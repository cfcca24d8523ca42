import type { Config } from '../../domain/config.ts';
import { namesThatFollow } from '../../domain/dns-config.ts';
import { describeError } from '../../domain/errors.ts';
import type { InspectedResolver } from '../../regions/dns/node-resolver.ts';
import type { Names, Region } from '../../regions/region.ts';
import type { Asked } from '../failover/gather-plan-view.ts';
import type { NamesView, ServerAnswer } from './check-names.ts';

export interface NamesSources {
  readonly config: Config;
  readonly primary: Pick<Region, 'name' | 'address'>;
  readonly standby: Pick<Region, 'name' | 'address'>;
  readonly names: Pick<Names, 'records' | 'provider'>;
  readonly nowMs: number;
  /** Opens a server by `host:port`. */
  readonly resolver: (server: string) => InspectedResolver;
  readonly signal: AbortSignal;
}

/** Looks at the names from everywhere at once: the provider, its own account of itself, resolvers, the zone's servers. Reads only. */
export async function gatherNames(sources: NamesSources): Promise<NamesView> {
  const { config, names, signal, resolver } = sources;
  const { resolvers, authoritative, maxChanges } = config.dns;
  const [own, provider] = await Promise.all([
    authoritative === undefined ? findServers(sources) : { servers: authoritative, why: undefined },
    names.provider?.facts({ signal }),
  ]);
  const servers = [
    ...resolvers.map((server) => ({ server, authoritative: false })),
    ...own.servers.map((server) => ({ server, authoritative: true })),
  ];
  const followed = await Promise.all(
    namesThatFollow(config.dns).map(async ({ name, type }) => {
      const [records, answers] = await Promise.all([
        ask(names.records.find(name, type, { signal })),
        Promise.all(
          servers.map(
            async (s): Promise<ServerAnswer> => ({
              ...s,
              answer: await ask(resolver(s.server).answer(name, { signal })),
            }),
          ),
        ),
      ]);
      return { name, records, answers };
    }),
  );
  signal.throwIfAborted();
  const { primary, standby, nowMs } = sources;
  return {
    nowMs,
    primary: { name: primary.name, address: primary.address },
    standby: { name: standby.name, address: standby.address },
    maxChanges,
    names: followed,
    ...(provider && { provider }),
    ...(own.why === undefined ? {} : { serversUnknown: own.why }),
  };
}

/** The zone's own servers, as the first resolver that knows them says. */
async function findServers({
  config,
  resolver,
  signal,
}: NamesSources): Promise<{ readonly servers: readonly string[]; readonly why?: string | undefined }> {
  const zone = config.dns.cloudflare?.zone ?? config.dns.route53?.zone ?? '';
  let why = `nobody knows the servers of ${zone}`;
  for (const server of config.dns.resolvers) {
    try {
      const through = resolver(server);
      const found = await through.nameServers(zone, { signal });
      const addresses = await Promise.all(found.map((ns) => through.resolve(ns, 'A', { signal })));
      const servers = addresses.flatMap((list) => list.slice(0, 1)).map((address) => `${address}:53`);
      if (servers.length > 0) return { servers };
      if (found.length > 0) why = `${found.join(', ')} have no address at ${server}`;
    } catch (error) {
      signal.throwIfAborted();
      why = describeError(error);
    }
  }
  return { servers: [], why };
}

const ask = <T>(answer: Promise<T>): Promise<Asked<T>> =>
  answer.then(
    (value) => ({ kind: 'known', value }),
    (error: unknown) => ({ kind: 'unknown', why: describeError(error) }),
  );
