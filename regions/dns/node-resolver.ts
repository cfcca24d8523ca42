import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ArgusError } from '../../domain/errors.ts';
import type { DnsResolver } from './dns-records.ts';

const deadlineMs = 2_000;

/** A DNS server that also tells how long its answer may be kept, and who serves a zone. */
export interface InspectedResolver extends DnsResolver {
  /** IPv4 addresses with the seconds for which the server's answer may be kept; none: it knows none. */
  answer(
    name: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly addresses: readonly string[]; readonly ttlSeconds: number }>;
  /** Names of the zone's servers; empty: it knows none. */
  nameServers(zone: string, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
}

/** Asks one DNS server directly over UDP (TCP when the answer is cut), with a new socket each time and so without any cache. */
export function nodeResolver(server: string): InspectedResolver {
  return {
    server,
    resolve: async (name, type, options) =>
      (await ask(server, name, options?.signal, (resolver) => {
        switch (type) {
          case 'A':
            return resolver.resolve4(name);
          case 'AAAA':
            return resolver.resolve6(name);
          case 'CNAME':
            return resolver.resolveCname(name);
          default:
            return type satisfies never;
        }
      })) ?? [],
    async answer(name, options) {
      const found = (await ask(server, name, options?.signal, (r) => r.resolve4(name, { ttl: true }))) ?? [];
      return {
        addresses: found.map((f) => f.address),
        ttlSeconds: found.length === 0 ? 0 : Math.max(...found.map((f) => f.ttl)),
      };
    },
    nameServers: async (zone, options) => (await ask(server, zone, options?.signal, (r) => r.resolveNs(zone))) ?? [],
  };
}

/** The answer within the deadline; undefined: no such name, or a name without such records. */
async function ask<T>(
  server: string,
  name: string,
  signal: AbortSignal | undefined,
  question: (resolver: Resolver) => Promise<T>,
): Promise<T | undefined> {
  signal?.throwIfAborted();
  const [host = '', port = ''] = splitHostPort(server);
  // Node's own retries stay within the deadline: two tries of 0.9 s.
  const resolver = new Resolver({ timeout: deadlineMs * 0.45, tries: 2 });
  const stop = () => resolver.cancel();
  const timer = setTimeout(stop, deadlineMs);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const address = isIP(host) !== 0 ? host : await lookUp(host, server);
    resolver.setServers([`${isIP(address) === 6 ? `[${address}]` : address}:${port}`]);
    return await question(resolver);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ArgusError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return undefined;
    throw unreachable(server, `does not answer for ${name} (${code ?? 'no reason given'})`, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** A resolver that is given by its own name is found through the system's resolver first. */
async function lookUp(host: string, server: string): Promise<string> {
  const [address] = await new Resolver({ timeout: 900, tries: 1 }).resolve4(host).catch((error: unknown) => {
    throw unreachable(server, 'has no address of its own', error);
  });
  if (address === undefined) throw unreachable(server, 'has no address of its own');
  return address;
}

function splitHostPort(server: string): readonly string[] {
  const colon = server.lastIndexOf(':');
  return [server.slice(0, colon).replace(/^\[|\]$/g, ''), server.slice(colon + 1)];
}

const unreachable = (server: string, what: string, cause?: unknown) =>
  new ArgusError('DnsUnreachable', `DNS server ${server} ${what}`, {
    hint: `try: dig @${server.slice(0, server.lastIndexOf(':'))} -p ${server.slice(server.lastIndexOf(':') + 1)} <name>`,
    cause,
    retryable: true,
  });
