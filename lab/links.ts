import { ArgusError } from '../domain/errors.ts';
import { type LabInfo, type LinkProxy, type Place, regionNames } from './lab-info.ts';

/** Toxiproxy and the links that go through it. */
export type Network = Pick<LabInfo, 'links' | 'toxiproxy'>;

/** What is done to the bytes of a link, in toxiproxy's terms. Source: toxiproxy 2.5 README, "Toxics". */
interface Toxic {
  readonly name: string;
  readonly type: 'timeout' | 'latency' | 'bandwidth';
  readonly stream: 'upstream' | 'downstream';
  readonly toxicity: 1;
  readonly attributes: Readonly<Record<string, number>>;
}

export interface LinkState {
  readonly from: Place;
  readonly to: Place;
  readonly state: 'open' | 'cut';
  /** Added in each direction. */
  readonly delayMs: number;
  /** In each direction; 0: unlimited. */
  readonly rateKBps: number;
}

/** The connections that one place opens to another. The way back of their answers belongs to them. */
export interface Link {
  /** Lets every byte vanish in both directions; connections stay open and hang, as in a partition. Idempotent. */
  cut(): Promise<void>;
  /** Ends the connections of before, then lets new ones through, without delay or limit: no stream goes on with a hole in it. */
  restore(): Promise<void>;
  /** Holds each byte back for so long, in each direction; 0 ends it. Open connections are slowed, too. */
  delay(ms: number): Promise<void>;
  /** Limits each connection to so many kilobytes a second in each direction; 0 ends it. */
  bandwidth(rateKBps: number): Promise<void>;
  state(): Promise<LinkState>;
}

const streams = ['upstream', 'downstream'] as const;

/** The two toxics, one for each direction, of an effect. */
export function toxicsOf(type: Toxic['type'], attributes: Readonly<Record<string, number>>): readonly Toxic[] {
  return streams.map((stream) => ({ name: `${type}-${stream}`, type, stream, toxicity: 1, attributes }));
}

/** What a proxy's toxics amount to. */
export function describeToxics(
  toxics: readonly { readonly type: string; readonly attributes: Readonly<Record<string, number>> }[],
): Pick<LinkState, 'state' | 'delayMs' | 'rateKBps'> {
  const of = (type: Toxic['type']) => toxics.find((t) => t.type === type)?.attributes;
  return {
    state: of('timeout') ? 'cut' : 'open',
    delayMs: of('latency')?.latency ?? 0,
    rateKBps: of('bandwidth')?.rate ?? 0,
  };
}

/** Makes the proxies of all links, open. */
export async function openLinks(info: Network): Promise<void> {
  const body = info.links.map(({ name, listen, upstream }) => ({ name, listen, upstream, enabled: true }));
  await api(info, 'POST', '/populate', body);
}

/** The link between two places. `NoSuchLink` (exit code 2) when nothing goes that way. */
export function linkBetween(info: Network, from: string, to: string): Link {
  const proxies = info.links.filter((l) => l.from === from && l.to === to);
  const first = proxies[0];
  if (!first) {
    throw new ArgusError('NoSuchLink', `there is no link from "${from}" to "${to}"`, {
      exitCode: 2,
      hint: `from ${['outside', ...regionNames].join(', ')}, to ${regionNames.join(' or ')}`,
    });
  }
  const each = async (change: (proxy: LinkProxy) => Promise<void>): Promise<void> => {
    await Promise.all(proxies.map(change));
  };
  return {
    cut: () => each((proxy) => setToxics(info, proxy.name, 'timeout', { timeout: 0 })),
    restore: () => each((proxy) => reopen(info, proxy.name)),
    delay: (ms) =>
      each((proxy) => setToxics(info, proxy.name, 'latency', ms > 0 ? { latency: ms, jitter: 0 } : undefined)),
    bandwidth: (rate) => each((proxy) => setToxics(info, proxy.name, 'bandwidth', rate > 0 ? { rate } : undefined)),
    async state() {
      const proxy = (await api(info, 'GET', `/proxies/${first.name}`)) as { toxics: Toxic[] };
      return { from: first.from, to: first.to, ...describeToxics(proxy.toxics) };
    },
  };
}

/** Every link's state. */
export function linkStates(info: Network): Promise<readonly LinkState[]> {
  const pairs = new Map(info.links.map((l) => [`${l.from} ${l.to}`, l]));
  return Promise.all([...pairs.values()].map((l) => linkBetween(info, l.from, l.to).state()));
}

/** Adds an effect in both directions, changes it where it is there already, or removes it. */
async function setToxics(
  info: Network,
  proxy: string,
  type: Toxic['type'],
  attributes: Readonly<Record<string, number>> | undefined,
): Promise<void> {
  await Promise.all(
    toxicsOf(type, attributes ?? {}).map(async (toxic) => {
      const path = `/proxies/${proxy}/toxics`;
      if (attributes === undefined) return void (await api(info, 'DELETE', `${path}/${toxic.name}`, undefined, [404]));
      if ((await api(info, 'POST', path, toxic, [409])) === undefined) {
        await api(info, 'POST', `${path}/${toxic.name}`, { attributes });
      }
    }),
  );
}

async function reopen(info: Network, proxy: string): Promise<void> {
  // Disabling closes the listener and every connection through it.
  await api(info, 'POST', `/proxies/${proxy}`, { enabled: false });
  const { toxics } = (await api(info, 'GET', `/proxies/${proxy}`)) as { toxics: Toxic[] };
  for (const { name } of toxics) await api(info, 'DELETE', `/proxies/${proxy}/toxics/${name}`, undefined, [404]);
  await api(info, 'POST', `/proxies/${proxy}`, { enabled: true });
}

/** One call to toxiproxy; undefined for an answer without body or with one of the `accepted` error codes. */
async function api(
  info: Network,
  method: string,
  path: string,
  body?: unknown,
  accepted: readonly number[] = [],
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`${info.toxiproxy}${path}`, {
      method,
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch (cause) {
    throw new ArgusError('LinkFailed', `the lab's network does not answer (${method} ${path})`, {
      cause,
      hint: 'is the lab up? `npm run lab -- status`',
    });
  }
  const text = await response.text();
  if (accepted.includes(response.status)) return undefined;
  if (!response.ok) throw new ArgusError('LinkFailed', `the lab's network refused ${method} ${path}: ${text.trim()}`);
  return text === '' ? undefined : JSON.parse(text);
}
