import { join } from 'node:path';
import type { ClusterRegion } from './cluster/cluster-region.ts';
import { clusterDrills } from './cluster-job/drill-objects.ts';
import { clusterJob } from './cluster-job/job-objects.ts';
import { sessionNames } from './cluster-job/session-objects.ts';
import { passwordVariable } from './components/kafka-users.ts';
import {
  type ClusterPlace,
  kafkaUsers,
  type LabInfo,
  type LinkProxy,
  names,
  type Place,
  type RegionInfo,
  type RegionName,
  regionNames,
} from './lab-info.ts';
import type { Artifacts } from './setup/artifacts.ts';
import type { FlinkImage } from './setup/flink-image.ts';
import type { FlinkChoice } from './setup/flink-releases.ts';

const layout = {
  mumbai: { address: '127.0.1.1', bucket: 'argus-flink-checkpoints', more: [] },
  singapore: { address: '127.0.2.1', bucket: 'argus-flink-checkpoints-replica', more: [names.stateBucket] },
} as const satisfies Record<RegionName, { address: string; bucket: string; more: readonly string[] }>;

/** Where the world outside the regions has its servers, and its ends of links. */
const outsideAddress = '127.0.0.1';

export interface PlanInput {
  readonly id: string;
  readonly dir: string;
  readonly nowMs: number;
  readonly artifacts: Artifacts;
  readonly flink: FlinkChoice;
  /** The port on which toxiproxy's API listens. */
  readonly anchorPort: number;
  /** Gives a port that no other part of the lab has. */
  readonly takePort: () => number;
  /** Gives a secret of 32 hex digits. */
  readonly secret: () => string;
  /** Three observers, and a store outside both regions for the state; not in the flavour cluster. */
  readonly observers?: boolean;
  /** The standby has a place for drills. */
  readonly drills?: boolean;
  /** Present: the flavour cluster, with its regions, which are up. */
  readonly cluster?: {
    readonly image: FlinkImage;
    readonly regions: Readonly<Record<RegionName, PlannedNode>>;
    /** Present: the standby keeps a session cluster, in which the job would run from this jar. */
    readonly sessionJar?: string;
  };
}

/** What is known of a region with pods when its node is up. */
export type PlannedNode = Pick<ClusterRegion, 'addresses' | 'kubeconfig' | 'record' | 'node'>;

/** Every address, name and credential of a lab that is about to start; no process is in it yet. */
export function planLab(input: PlanInput): LabInfo {
  const local = (port: number): string => `127.0.0.1:${port}`;
  const ingestPort = input.takePort();
  const regions = {
    mumbai: planRegion('mumbai', ingestPort, input),
    singapore: planRegion('singapore', ingestPort, input),
  };
  const token = input.secret();
  const observers = input.observers ? planObservers(input) : undefined;
  return {
    id: input.id,
    dir: input.dir,
    startedAtMs: input.nowMs,
    pids: {},
    regions,
    links: [...planLinks(regions, input), ...(observers ? stateLinks(observers.objects, input) : [])],
    toxiproxy: `http://${local(input.anchorPort)}`,
    dns: {
      apiUrl: `http://${local(input.takePort())}/client/v4`,
      server: local(input.takePort()),
      zone: names.zone,
      token,
    },
    ingestName: names.ingest,
    ingestPort,
    daemonPort: input.takePort(),
    configPath: join(input.dir, 'argus.yaml'),
    env: {
      MUMBAI_ACCESS_KEY_ID: regions.mumbai.objects.accessKeyId,
      MUMBAI_SECRET_ACCESS_KEY: regions.mumbai.objects.secretAccessKey,
      SINGAPORE_ACCESS_KEY_ID: regions.singapore.objects.accessKeyId,
      SINGAPORE_SECRET_ACCESS_KEY: regions.singapore.objects.secretAccessKey,
      CLOUDFLARE_API_TOKEN: token,
      ARGUS_WEBHOOK_TOKEN: input.secret(),
      ...(observers && {
        STATE_ACCESS_KEY_ID: observers.objects.accessKeyId,
        STATE_SECRET_ACCESS_KEY: observers.objects.secretAccessKey,
      }),
      ...passwordsOf('mumbai', regions.mumbai),
      ...passwordsOf('singapore', regions.singapore),
    },
    flinkJobId: '',
    artifacts: input.artifacts,
    flink: input.flink,
    ...(observers && { observers }),
    ...(input.cluster && planCluster(input, input.cluster)),
  };
}

function planObservers({ dir, takePort, secret }: PlanInput): NonNullable<LabInfo['observers']> {
  const at = (place: Place): string => join(dir, place === names.standby ? 'argus.yaml' : `argus-${place}.yaml`);
  return {
    list: [...regionNames, 'outside' as const].map((place) => ({ name: place, place, configPath: at(place) })),
    objects: {
      endpoint: `http://${outsideAddress}:${takePort()}`,
      bucket: names.stateBucket,
      buckets: [names.stateBucket],
      accessKeyId: 'lab-outside',
      secretAccessKey: secret(),
    },
  };
}

function stateLinks({ endpoint }: RegionInfo['objects'], { takePort }: PlanInput): LinkProxy[] {
  return regionNames.map((from) => ({
    name: `${from}-outside-objects`,
    from,
    to: 'outside',
    service: 'objects',
    listen: `${layout[from].address}:${takePort()}`,
    upstream: endpoint.replace('http://', ''),
  }));
}

function passwordsOf(name: RegionName, { kafka: { users } }: RegionInfo): Readonly<Record<string, string>> {
  if (users === undefined) return {};
  return Object.fromEntries(kafkaUsers.map((user) => [passwordVariable(name, user), users[user]]));
}

function planCluster(
  { dir, drills }: PlanInput,
  { image, regions, sessionJar }: NonNullable<PlanInput['cluster']>,
): Pick<LabInfo, 'cluster' | 'holders'> {
  const jobOf = (name: RegionName): Pick<ClusterPlace, 'manifest' | 'deployment' | 'session'> => {
    const { deployment, manifest, primaryManifest } = clusterJob;
    if (name !== names.standby) return { manifest: join(dir, primaryManifest), deployment };
    if (sessionJar === undefined) return { manifest: join(dir, manifest), deployment };
    const session = { job: sessionNames.job, jar: sessionJar };
    return { manifest: join(dir, sessionNames.manifest), deployment: sessionNames.cluster, session };
  };
  const place = (name: RegionName): ClusterPlace => ({
    record: regions[name].record,
    node: regions[name].node,
    kubeconfig: regions[name].kubeconfig,
    remoteKubeconfig: join(dir, `${name}-kubeconfig.yaml`),
    ...jobOf(name),
    ...(drills && name === names.standby && { drill: drillPlace(dir) }),
  });
  return {
    cluster: { image, regions: { mumbai: place('mumbai'), singapore: place('singapore') } },
    holders: { mumbai: regions.mumbai.node.holderPid, singapore: regions.singapore.node.holderPid },
  };
}

const drillPlace = (dir: string): NonNullable<ClusterPlace['drill']> => ({
  namespace: clusterDrills.namespace,
  manifest: join(dir, clusterDrills.manifest),
});

function planRegion(name: RegionName, ingestPort: number, input: PlanInput): RegionInfo {
  const { takePort, secret, cluster } = input;
  const hasDrills = input.drills === true && name === names.standby;
  const { address, bucket, more } = layout[name];
  // Where its servers listen: on the node, if it has one. Names and proxies are outside of it.
  const host = cluster?.regions[name].addresses.node ?? address;
  const at = (port: number): string => `${host}:${port}`;
  const remote: Partial<Record<Place, string>> = {};
  const remoteListener: Partial<Record<Place, string>> = {};
  for (const other of placesOf(input)) {
    if (other === name) continue;
    // The proxy listens where its clients are.
    remote[other] = `${other === 'outside' ? outsideAddress : layout[other].address}:${takePort()}`;
    remoteListener[other] = at(takePort());
  }
  return {
    address,
    kafka: {
      inside: at(takePort()),
      remote,
      remoteListener,
      auditor: at(takePort()),
      controller: at(takePort()),
      ...(cluster === undefined && {
        users: { argus: secret(), ingest: secret(), job: secret(), ...(hasDrills && { drill: secret() }) },
      }),
    },
    objects: {
      endpoint: `http://${at(takePort())}`,
      bucket,
      buckets: [bucket, ...more],
      accessKeyId: `lab-${name}`,
      secretAccessKey: secret(),
    },
    flink: {
      rest: cluster
        ? `http://${restServiceOf(name, cluster)}.${clusterJob.namespace}.svc.cluster.local:8081`
        : `http://${at(takePort())}`,
      ports: flinkPorts(takePort),
    },
    ...(hasDrills && {
      drill: {
        ...(cluster === undefined && {
          flink: { rest: `http://${at(takePort())}`, ports: flinkPorts(takePort) },
        }),
        accessKeyId: 'lab-drill',
        secretAccessKey: secret(),
      },
    }),
    ingest: { direct: `http://${at(takePort())}`, public: `http://${address}:${ingestPort}` },
  };
}

const flinkPorts = (take: () => number): RegionInfo['flink']['ports'] => ({
  rpc: take(),
  blob: take(),
  taskRpc: take(),
  taskData: take(),
});

/** Where somebody is who looks at the regions. */
const placesOf = ({ observers }: PlanInput): readonly Place[] =>
  observers ? [...regionNames, 'outside'] : regionNames;

function planLinks(regions: Readonly<Record<RegionName, RegionInfo>>, input: PlanInput): LinkProxy[] {
  const { takePort, cluster } = input;
  const links: LinkProxy[] = [];
  const bare = (url: string): string => url.replace('http://', '');
  for (const to of regionNames) {
    const region = regions[to];
    const add = (from: Place, service: LinkProxy['service'], listen: string, upstream: string): void => {
      links.push({ name: `${from}-${to}-${service}`, from, to, service, listen, upstream });
    };
    add('outside', 'ingest', bare(region.ingest.public), bare(region.ingest.direct));
    for (const from of placesOf(input)) {
      const listen = region.kafka.remote[from];
      const listener = region.kafka.remoteListener[from];
      if (listen === undefined || listener === undefined) continue;
      add(from, 'kafka', listen, listener);
      const here = from === 'outside' ? outsideAddress : regions[from].address;
      add(from, 'objects', `${here}:${takePort()}`, bare(region.objects.endpoint));
      // Flink of a cluster is reached through its API server.
      if (cluster === undefined) add(from, 'flink', `${here}:${takePort()}`, bare(region.flink.rest));
      else add(from, 'kubernetes', `${here}:${takePort()}`, apiServerOf(cluster.regions[to]));
    }
  }
  return links;
}

function restServiceOf(name: RegionName, { sessionJar }: NonNullable<PlanInput['cluster']>): string {
  const warm = name === names.standby && sessionJar !== undefined;
  return `${warm ? sessionNames.cluster : clusterJob.deployment}-rest`;
}

function apiServerOf({ addresses, node }: PlannedNode): string {
  return `${addresses.node}:${node.apiPort}`;
}
