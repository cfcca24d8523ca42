import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ArgusError } from '../../domain/errors.ts';
import type { DnsResolver } from './dns-records.ts';

const deadlineMs = 2_000;

/** Asks one DNS server directly over UDP (TCP when the answer is cut), with a new socket each time and so without any cache. */
export function nodeResolver(server: string): DnsResolver {
  const [host = '', port = ''] = splitHostPort(server);
  return {
    server,
    async resolve(name, type, options = {}) {
      options.signal?.throwIfAborted();
      // Node's own retries stay within the deadline: two tries of 0.9 s.
      const resolver = new Resolver({ timeout: deadlineMs * 0.45, tries: 2 });
      const stop = () => resolver.cancel();
      const timer = setTimeout(stop, deadlineMs);
      options.signal?.addEventListener('abort', stop, { once: true });
      try {
        const address = isIP(host) !== 0 ? host : await lookUp(host, server);
        resolver.setServers([`${address}:${port}`]);
        switch (type) {
          case 'A':
            return await resolver.resolve4(name);
          case 'AAAA':
            return await resolver.resolve6(name);
          case 'CNAME':
            return await resolver.resolveCname(name);
          default:
            return type satisfies never;
        }
      } catch (error) {
        options.signal?.throwIfAborted();
        if (error instanceof ArgusError) throw error;
        const { code } = error as NodeJS.ErrnoException;
        // No such name, or a name without such records: an answer like any other.
        if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
        throw unreachable(server, `does not answer for ${name} (${code ?? 'no reason given'})`, error);
      } finally {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', stop);
      }
    },
  };
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
