import { spawn } from 'node:child_process';
import { type Link, linkBetween, type Network, openLinks } from '../../../lab/links.ts';
import { ensureArtifacts } from '../../../lab/setup/artifacts.ts';
import { freePort, startTestBroker, type TestBroker } from '../kafka-broker.ts';
import type { ChaosSide } from './plan.ts';

/** Two brokers, and toxiproxy on the way to them. */
export interface LinkedPair {
  readonly brokers: Readonly<Record<ChaosSide, TestBroker>>;
  /** Where they are reached over the links; `TestBroker.address` goes around them. */
  readonly farAddress: Readonly<Record<ChaosSide, string>>;
  readonly links: Readonly<Record<ChaosSide, Link>>;
  stop(): Promise<void>;
}

const host = '127.0.0.1';
const regionOf = { source: 'mumbai', standby: 'singapore' } as const;
/** A broker that was killed may register again only when its session of before is over. */
const prompt = { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '300' };

/** Starts all of it, with open links. */
export async function startLinkedPair(): Promise<LinkedPair> {
  const start = async (side: ChaosSide) => {
    const far = { port: await freePort(), proxyPort: await freePort() };
    const proxy = {
      name: `to-${side}`,
      from: 'outside' as const,
      to: regionOf[side],
      service: 'kafka' as const,
      listen: `${host}:${far.proxyPort}`,
      upstream: `${host}:${far.port}`,
    };
    return { broker: await startTestBroker(prompt, { far }), proxy };
  };
  const [source, standby, proxies] = await Promise.all([start('source'), start('standby'), startToxiproxy()]);
  const network: Network = { toxiproxy: proxies.url, links: [source.proxy, standby.proxy] };
  await openLinks(network);
  return {
    brokers: { source: source.broker, standby: standby.broker },
    farAddress: { source: source.proxy.listen, standby: standby.proxy.listen },
    links: {
      source: linkBetween(network, 'outside', regionOf.source),
      standby: linkBetween(network, 'outside', regionOf.standby),
    },
    stop: async () => {
      await Promise.all([source.broker.stop(), standby.broker.stop(), proxies.stop()]);
    },
  };
}

async function startToxiproxy() {
  const { toxiproxy } = await ensureArtifacts({});
  const port = await freePort();
  const url = `http://${host}:${port}`;
  const env = { ...process.env, LOG_LEVEL: 'error' };
  const child = spawn(toxiproxy, ['-host', host, '-port', String(port)], { stdio: 'ignore', env });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${url}/version`).catch(() => undefined); // Not yet: asked again.
    if (answer?.ok) break;
    if (attempt > 200 || child.exitCode !== null) throw new Error('toxiproxy did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
