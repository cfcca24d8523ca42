import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Lab } from '../../../lab/lab.ts';
import { names, type RegionName } from '../../../lab/lab-info.ts';
import { type Link, linkBetween, openLinks } from '../../../lab/links.ts';
import { freePort } from '../kafka-broker.ts';
import { type ObjectServer, startObjectServer } from '../object-server.ts';
import { startTestLab } from '../whole-lab.ts';
import { type GuardProcess, startGuard } from './guard-process.ts';
import { type Way, ways } from './schedule.ts';

/** A lab whose regions have a guard each, with a witness in a third place, and every way of theirs through toxiproxy. */
export interface GuardedLab {
  readonly lab: Lab;
  readonly guards: Readonly<Record<RegionName, GuardProcess>>;
  way(name: Way): Pick<Link, 'cut' | 'restore'>;
  /** The primary's region and its guard. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  stop(): Promise<void>;
}

export interface GuardTimes {
  readonly fenceTtlMs: number;
  readonly skewMs: number;
  readonly leaseMs: number;
}

const witnessBucket = 'argus-witness';
const { primary, standby } = names;

/** Starts it; `parts` as in `startLab`. Its `argus.yaml` names the guard, and the witness through `argus-witness`. */
export async function startGuardedLab(parts: 'whole' | 'brokers', times: GuardTimes): Promise<GuardedLab> {
  const [lab, witness] = await Promise.all([startTestLab({ parts }), startObjectServer({ buckets: [witnessBucket] })]);
  try {
    const state = lab.info.regions[standby].objects.endpoint.replace('http://', '');
    const upstream = (way: (typeof ways)[number]) =>
      way.endsWith('-witness') ? witness.endpoint.replace('http://', '') : state;
    const proxies = await Promise.all(ways.map(async (way) => proxyTo(lab, way, upstream(way), await freePort())));
    const link = new Map(ways.map((way, i) => [way, proxies[i]!]));
    const at = (way: (typeof ways)[number]) => `http://${link.get(way)!.listen}`;
    const secrets = join(lab.dir, 'witness');
    writeFileSync(`${secrets}-key`, witness.accessKeyId, { mode: 0o600 });
    writeFileSync(`${secrets}-secret`, witness.secretAccessKey, { mode: 0o600 });
    const own = parse(readFileSync(lab.configPath, 'utf8')) as LabYaml;
    const guardOf = (endpoint: string) => guardSection(times, endpoint, secrets);
    writeFileSync(lab.configPath, stringify({ ...own, guard: guardOf(at('argus-witness')) }, unaliased));
    const guardsOf = (region: RegionName, here: 'guard' | 'standby'): GuardProcess => {
      const folder = join(lab.dir, `guard-of-${region}`);
      mkdirSync(folder, { recursive: true });
      const yaml = {
        ...asSeenFrom(region, lab, own),
        state: { ...own.state, endpoint: at(`${here}-state`) },
        guard: guardOf(at(`${here}-witness`)),
      };
      writeFileSync(join(folder, 'argus.yaml'), stringify(yaml, unaliased));
      return startGuard(region, join(folder, 'argus.yaml'), lab.processEnv(`argus/guard-${region}`));
    };
    const guards = { [primary]: guardsOf(primary, 'guard'), [standby]: guardsOf(standby, 'standby') };
    const kafkaLink = lab.link(standby, primary);
    return {
      lab,
      guards,
      way: (name) => (name === 'argus-region' ? kafkaLink : link.get(name)!.link),
      async freeze() {
        guards[primary].signal('SIGSTOP');
        await lab.regions[primary].freeze();
      },
      async thaw() {
        guards[primary].signal('SIGCONT');
        await lab.regions[primary].thaw();
      },
      stop: () => stopAll(lab, witness, Object.values(guards)),
    };
  } catch (error) {
    await stopAll(lab, witness, []);
    throw error;
  }
}

const unaliased = { aliasDuplicateObjects: false };

interface LabYaml {
  readonly regions: Readonly<Record<string, { readonly kafka: object; readonly objects: object }>>;
  readonly state: object;
}

async function stopAll(lab: Lab, witness: ObjectServer, guards: readonly GuardProcess[]): Promise<void> {
  await Promise.all(guards.map((guard) => guard.stop()));
  await lab.down();
  await witness.stop();
}

/** A way of its own in the lab's toxiproxy. */
async function proxyTo(lab: Lab, way: string, upstream: string, port: number) {
  const listen = `127.0.0.1:${port}`;
  const proxy = { name: way, from: 'outside', to: standby, service: 'objects', listen, upstream } as const;
  const network = { toxiproxy: lab.info.toxiproxy, links: [proxy] };
  await openLinks(network);
  return { listen, link: linkBetween(network, 'outside', standby) };
}

/** A region reaches its own broker, store and Flink directly. */
function asSeenFrom(region: RegionName, lab: Lab, own: LabYaml) {
  const { kafka, objects, flink } = lab.info.regions[region];
  const there = own.regions[region]!;
  const here = {
    ...there,
    kafka: { ...there.kafka, bootstrap: [kafka.inside] },
    objects: { ...there.objects, endpoint: objects.endpoint },
    flink: { rest: flink.rest },
  };
  return { ...own, regions: { ...own.regions, [region]: here } };
}

const guardSection = ({ fenceTtlMs, skewMs, leaseMs }: GuardTimes, endpoint: string, secrets: string) => ({
  witness: {
    url: `s3://${witnessBucket}/lab`,
    endpoint,
    region: 'us-east-1',
    accessKeyId: `file:${secrets}-key`,
    secretAccessKey: `file:${secrets}-secret`,
  },
  fenceTtl: `${fenceTtlMs}ms`,
  skew: `${skewMs}ms`,
  lease: `${leaseMs}ms`,
});
