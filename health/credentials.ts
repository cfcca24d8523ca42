import type { Config } from '../domain/config.ts';
import { certificateEnd, serverCertificateEnd, type TlsServer } from '../regions/certificate-ends.ts';
import type { Names, Region } from '../regions/region.ts';
import type { ProbeTaskParts } from './probe-tasks.ts';
import { type Credential, probeExpiry } from './probes/expiry.ts';
import { type ProbeTask, sightOf } from './sight.ts';

const hourMs = 3_600_000;
const deadlineMs = 5_000;

/** Looks once an hour at every certificate and token that would one day end; `found` has what was read. */
export function expiryTask(parts: ProbeTaskParts, found: Map<string, number>): ProbeTask {
  const { config, regions, names, clock } = parts;
  const credentials = credentialsOf(config, regions, names);
  return {
    name: 'expiry',
    periodMs: hourMs,
    look: ({ signal }) =>
      Promise.all(
        credentials.map(async (credential) => {
          const limits = { nowMs: clock.now(), warnMs: config.probes.expiryWarning };
          const { endsAtMs, value: _, ...seen } = await probeExpiry(credential, limits, { clock, deadlineMs, signal });
          if (endsAtMs !== undefined) found.set(credential.what, endsAtMs);
          return sightOf({ probe: 'expiry', subject: credential.what }, seen);
        }),
      ),
  };
}

/** Everything with an end that the configuration names: certificates that servers show, those of clients, the provider's token. */
export function credentialsOf(
  config: Pick<Config, 'regions' | 'probes' | 'state'>,
  regions: readonly Pick<Region, 'name' | 'brokers'>[],
  names: Pick<Names, 'provider'>,
): readonly Credential[] {
  const urls = [
    ...Object.values(config.regions).flatMap((r) => [r.objects.endpoint, r.flink.rest]),
    ...Object.values(config.probes.ingress),
    typeof config.state === 'string' ? undefined : config.state.endpoint,
  ];
  const servers = [...new Set(urls.filter((url) => url?.startsWith('https:')))].map((url) => {
    const { hostname, port, origin } = new URL(url as string);
    return shown(origin, { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port) });
  });
  const kafka = regions.flatMap(({ name, brokers }) => {
    const { tls } = brokers.security ?? {};
    if (!tls) return [];
    const { cert, key, servername, ca } = tls;
    const own = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
    const named = servername === undefined ? {} : { servername };
    return [
      ...brokers.bootstrap.map((address) => {
        const colon = address.lastIndexOf(':');
        const server = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)), ...own, ...named };
        return shown(`Kafka of ${name} (${address})`, server);
      }),
      ...(cert === undefined ? [] : [held(`client certificate for Kafka of ${name}`, cert)]),
      ...(ca === undefined ? [] : [held(`authority that Kafka of ${name} is trusted by`, ca)]),
    ];
  });
  const { provider } = names;
  const token: Credential | undefined = provider && {
    what: 'token of the DNS provider',
    end: async (call) => (await provider.facts(call)).token?.expiresAtMs,
  };
  return [...servers, ...kafka, ...(token ? [token] : [])];
}

const shown = (who: string, server: TlsServer): Credential => ({
  what: `certificate of ${who}`,
  end: (call) => serverCertificateEnd(server, call),
});

const held = (what: string, pem: string): Credential => ({ what, end: async () => certificateEnd(pem) });
