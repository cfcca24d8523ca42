import { stringify } from 'yaml';
import { configSchema } from '../domain/config.ts';
import { clusterJob } from './cluster-job/job-objects.ts';
import { loginConfig } from './components/kafka-users.ts';
import { faultHooks } from './faults/fault-hooks.ts';
import {
  type ClusterPlace,
  type FlinkPlace,
  type LabInfo,
  type LinkProxy,
  names,
  type Place,
  type RegionName,
  regionNames,
} from './lab-info.ts';

/** The `host:port` through which `from` reaches a service of the region `to`. */
export function proxyOf(info: LabInfo, from: Place, to: Place, service: LinkProxy['service']): string {
  const link = info.links.find((l) => l.from === from && l.to === to && l.service === service);
  if (!link) throw new Error(`no link from ${from} to ${to} carries ${service}`);
  return link.listen;
}

/** The job's program arguments in a region. */
export function jobArgs(info: LabInfo, region: RegionName): readonly string[] {
  const own = { out: names.metrics.topic, group: names.consumerGroup, txid: `counts-${region}`, user: 'job' };
  return argsWith(info, region, own);
}

function argsWith(
  info: LabInfo,
  region: RegionName,
  { out, group, txid, user }: Readonly<Record<'out' | 'group' | 'txid' | 'user', string>>,
): readonly string[] {
  const { inside, users } = info.regions[region].kafka;
  const args = ['--brokers', inside, '--in', names.events.topic, '--out', out, '--group', group, '--txid', txid];
  return users ? [...args, '--user', user] : args;
}

/** The text of `argus.yaml` for an Argus somewhere, by default at the standby: what is elsewhere through its links, home directly. */
export function renderConfig(info: LabInfo, from: Place = names.standby): string {
  const { primary, standby } = names;
  const s3Of = (region: RegionName, endpoint: string) => ({
    endpoint,
    region: 'us-east-1',
    accessKeyId: `env:${region.toUpperCase()}_ACCESS_KEY_ID`,
    secretAccessKey: `env:${region.toUpperCase()}_SECRET_ACCESS_KEY`,
  });
  const bare = (url: string): string => url.replace('http://', '');
  const inside = (region: RegionName, service: 'kafka' | 'objects' | 'flink'): string => {
    const { kafka, objects, flink } = info.regions[region];
    return { kafka: kafka.inside, objects: bare(objects.endpoint), flink: bare(flink.rest) }[service];
  };
  const way = (region: RegionName, service: 'kafka' | 'objects' | 'flink'): string =>
    region === from ? inside(region, service) : proxyOf(info, from, region, service);
  const flinkOf = (region: RegionName, rest: () => string) => {
    const place = info.cluster?.regions[region];
    if (!place) return { flink: { rest: rest() } };
    const kubeconfig = region === primary ? place.remoteKubeconfig : place.kubeconfig;
    return { kubernetes: { kubeconfig }, flink: { kubernetes: {} } };
  };
  const regionOf = (region: RegionName) => ({
    address: info.regions[region].address,
    kafka: { bootstrap: [way(region, 'kafka')], ...loginConfig(region, info.regions[region].kafka.users) },
    objects: { ...s3Of(region, `http://${way(region, 'objects')}`), bucket: info.regions[region].objects.bucket },
    ...flinkOf(region, () => `http://${way(region, 'flink')}`),
  });
  const drills = info.regions[standby].drill;
  const config = {
    regions: {
      [primary]: regionOf(primary),
      [standby]: regionOf(standby),
    },
    roles: { primary, standby },
    topics: drills ? [names.events.topic, names.metrics.topic] : [names.events.topic],
    jobs: [
      {
        name: names.job,
        checkpoints: { prefix: names.checkpointPrefix },
        consumerGroup: names.consumerGroup,
        ...(drills && { writes: [names.metrics.topic], drill: drillOfJob(info) }),
        ...(info.cluster ? { kubernetes: deploymentsOf(info.cluster) } : { submit: submitOf(info) }),
      },
    ],
    dns: {
      cloudflare: { zone: info.dns.zone, token: 'env:CLOUDFLARE_API_TOKEN', apiUrl: info.dns.apiUrl },
      records: [{ name: info.ingestName }],
      resolvers: [info.dns.server],
    },
    objectives: { rto: '15m', rpo: '1m' },
    ...(info.observers
      ? watched(info, info.observers, from)
      : { state: { url: stateUrl, ...s3Of(standby, info.regions[standby].objects.endpoint) } }),
    drill: {
      ...(drills?.flink && { regions: { [standby]: drillPlace(drills.flink) }, timeout: '5m' }),
      faults: faultHooks(info),
    },
    daemon: { host: '127.0.0.1', port: info.daemonPort, http: { tokens: { act: 'env:ARGUS_WEBHOOK_TOKEN' } } },
    alerts: {
      rules: [
        { match: { severity: 'critical' }, do: 'propose' },
        { match: { alertname: '/.+/' }, do: 'check' },
      ],
    },
  };
  configSchema.parse(config);
  return `# Written by the lab. The secrets are in argus.env beside this file.\n${stringify(config, { aliasDuplicateObjects: false })}`;
}

/** What the job is in a drill: other arguments, or with pods a FlinkDeployment of its own. */
function drillOfJob(info: LabInfo) {
  const { standby } = names;
  const place = info.cluster?.regions[standby].drill;
  return place ? { kubernetes: { [standby]: place } } : { args: { [standby]: drillArgs(info) } };
}

/** What drills use in the standby. */
function drillPlace({ rest }: FlinkPlace) {
  return { flink: { rest }, principal: 'User:drill', quota: { read: '50MB', write: '50MB' } };
}

/** The job's arguments as drills start it: the same program, with names of the drill's in place of production's. */
export function drillArgs(info: LabInfo): readonly string[] {
  const own = {
    out: `{topic:${names.metrics.topic}}`,
    group: '{group}',
    txid: '{transactionalIdPrefix}',
    user: 'drill',
  };
  return argsWith(info, names.standby, own);
}

const stateUrl = `s3://${names.stateBucket}/lab`;

/** What a lab with observers has beside the rest. */
function watched(info: LabInfo, { list, objects }: NonNullable<LabInfo['observers']>, from: Place) {
  const endpoint = from === 'outside' ? objects.endpoint : `http://${proxyOf(info, from, 'outside', 'objects')}`;
  const ingressOf = (region: RegionName): string => {
    const { direct, public: front } = info.regions[region].ingest;
    return `${region === from ? direct : front}/healthz`;
  };
  return {
    state: {
      url: stateUrl,
      endpoint,
      region: 'us-east-1',
      accessKeyId: 'env:STATE_ACCESS_KEY_ID',
      secretAccessKey: 'env:STATE_SECRET_ACCESS_KEY',
    },
    automatic: { observers: list.map(({ name, place }) => ({ name, place })), stateIsOutside: true },
    probes: { ingress: Object.fromEntries(regionNames.map((region) => [region, ingressOf(region)])) },
  };
}

function submitOf(info: LabInfo) {
  return {
    jar: info.artifacts.jobJar,
    entryClass: names.jobClass,
    parallelism: names.parallelism,
    args: { [names.primary]: jobArgs(info, names.primary), [names.standby]: jobArgs(info, names.standby) },
  };
}

function deploymentsOf({ regions }: NonNullable<LabInfo['cluster']>) {
  const { namespace, configMap, restorePathKey } = clusterJob;
  const restorePath = { configMap, key: restorePathKey };
  const of = ({ deployment, manifest, session }: ClusterPlace) => ({
    namespace,
    deployment,
    ...(session && { sessionJob: session.job, standby: 'warm' }),
    manifest,
    restorePath,
  });
  return { [names.primary]: of(regions[names.primary]), [names.standby]: of(regions[names.standby]) };
}

/** The secrets as lines for a shell: `set -a; . argus.env`. */
export function renderEnv(info: LabInfo): string {
  return Object.entries(info.env)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
