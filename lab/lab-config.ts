import { stringify } from 'yaml';
import { configSchema } from '../domain/config.ts';
import { clusterJob } from './cluster-job/job-objects.ts';
import { loginConfig } from './components/kafka-users.ts';
import { type ClusterPlace, type LabInfo, type LinkProxy, names, type Place, type RegionName } from './lab-info.ts';

/** The `host:port` through which `from` reaches a service of the region `to`. */
export function proxyOf(info: LabInfo, from: Place, to: RegionName, service: LinkProxy['service']): string {
  const link = info.links.find((l) => l.from === from && l.to === to && l.service === service);
  if (!link) throw new Error(`no link from ${from} to ${to} carries ${service}`);
  return link.listen;
}

/** The job's program arguments in a region. */
export function jobArgs(info: LabInfo, region: RegionName): readonly string[] {
  const args = ['--brokers', info.regions[region].kafka.inside, '--in', names.events.topic];
  args.push('--out', names.metrics.topic, '--group', names.consumerGroup, '--txid', `counts-${region}`);
  if (info.regions[region].kafka.users) args.push('--user', 'job');
  return args;
}

/** The text of `argus.yaml` for an Argus that runs at the standby: the primary through the link, home directly. */
export function renderConfig(info: LabInfo): string {
  const { primary, standby } = names;
  const s3Of = (region: RegionName, endpoint: string) => ({
    endpoint,
    region: 'us-east-1',
    accessKeyId: `env:${region.toUpperCase()}_ACCESS_KEY_ID`,
    secretAccessKey: `env:${region.toUpperCase()}_SECRET_ACCESS_KEY`,
  });
  const far = (service: LinkProxy['service']): string => proxyOf(info, standby, primary, service);
  const home = info.regions[standby];
  const flinkOf = (region: RegionName, rest: () => string) => {
    const place = info.cluster?.regions[region];
    if (!place) return { flink: { rest: rest() } };
    const kubeconfig = region === primary ? place.remoteKubeconfig : place.kubeconfig;
    return { kubernetes: { kubeconfig }, flink: { kubernetes: {} } };
  };
  const config = {
    regions: {
      [primary]: {
        address: info.regions[primary].address,
        kafka: { bootstrap: [far('kafka')], ...loginConfig(primary, info.regions[primary].kafka.users) },
        objects: { ...s3Of(primary, `http://${far('objects')}`), bucket: info.regions[primary].objects.bucket },
        ...flinkOf(primary, () => `http://${far('flink')}`),
      },
      [standby]: {
        address: home.address,
        kafka: { bootstrap: [home.kafka.inside], ...loginConfig(standby, home.kafka.users) },
        objects: { ...s3Of(standby, home.objects.endpoint), bucket: home.objects.bucket },
        ...flinkOf(standby, () => home.flink.rest),
      },
    },
    roles: { primary, standby },
    topics: [names.events.topic],
    jobs: [
      {
        name: names.job,
        checkpoints: { prefix: names.checkpointPrefix },
        consumerGroup: names.consumerGroup,
        ...(info.cluster ? { kubernetes: deploymentsOf(info.cluster) } : { submit: submitOf(info) }),
      },
    ],
    dns: {
      cloudflare: { zone: info.dns.zone, token: 'env:CLOUDFLARE_API_TOKEN', apiUrl: info.dns.apiUrl },
      records: [{ name: info.ingestName }],
      resolvers: [info.dns.server],
    },
    objectives: { rto: '15m', rpo: '1m' },
    state: { url: `s3://${names.stateBucket}/lab`, ...s3Of(standby, home.objects.endpoint) },
    daemon: { host: '127.0.0.1', port: info.daemonPort },
  };
  configSchema.parse(config);
  return `# Written by the lab. The secrets are in argus.env beside this file.\n${stringify(config, { aliasDuplicateObjects: false })}`;
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
