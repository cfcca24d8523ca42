import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArgusError } from '../domain/errors.ts';
import type { RegionNode } from './cluster/cluster-region.ts';
import type { RegionRecord } from './cluster/region-record.ts';
import type { Artifacts } from './setup/artifacts.ts';
import type { FlinkImage } from './setup/flink-image.ts';
import type { FlinkChoice } from './setup/flink-releases.ts';

export const regionNames = ['mumbai', 'singapore'] as const;
export type RegionName = (typeof regionNames)[number];
/** Where a connection comes from: a region, or the world outside them. */
export type Place = RegionName | 'outside';

/** The names that the lab, the demo and the auditor share. */
export const names = {
  primary: 'mumbai',
  standby: 'singapore',
  zone: 'argus.test',
  ingest: 'ingest.argus.test',
  events: { topic: 'events', partitions: 4 },
  metrics: { topic: 'metrics', partitions: 2 },
  job: 'counts',
  jobClass: 'argus.lab.CountsJob',
  parallelism: 2,
  consumerGroup: 'counts',
  checkpointPrefix: 'checkpoints',
  stateBucket: 'argus-state',
} as const;

/**
 * `local`: a region is some processes, Flink a session cluster. `cluster`: a region is a Kubernetes with pods, the job a
 * FlinkDeployment.
 */
export const flavours = ['local', 'cluster'] as const;
export type Flavour = (typeof flavours)[number];

/** Who logs in to a region's brokers. */
export const kafkaUsers = ['argus', 'ingest', 'job'] as const;
export type KafkaUser = (typeof kafkaUsers)[number];

/** Of a region's session cluster. */
export interface FlinkPlace {
  /** In the flavour cluster by a name that only the region's node and pods know. */
  readonly rest: string;
  readonly ports: {
    readonly rpc: number;
    readonly blob: number;
    readonly taskRpc: number;
    readonly taskData: number;
  };
}

/** One region's addresses and credentials. */
export interface RegionInfo {
  /** What a DNS record holds while the region serves; in the flavour local also where its processes listen. */
  readonly address: string;
  /** All `host:port`. */
  readonly kafka: {
    /** For what runs in the region: job, ingest, Argus when it is at home there. */
    readonly inside: string;
    /** By place: the proxy of the link from there, which is also what the broker advertises to it. */
    readonly remote: Readonly<Partial<Record<Place, string>>>;
    /** By place: the broker's own end of those links. */
    readonly remoteListener: Readonly<Partial<Record<Place, string>>>;
    /** Never cut. */
    readonly auditor: string;
    readonly controller: string;
    /** Their passwords. Absent: a broker without logins and authorizer. */
    readonly users?: Readonly<Record<KafkaUser, string>> & {
      /** Where drills have a place of their own. */
      readonly drill?: string;
    };
  };
  readonly objects: {
    readonly endpoint: string;
    /** The bucket of Flink's checkpoints. */
    readonly bucket: string;
    /** All buckets of this store. */
    readonly buckets: readonly string[];
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  readonly flink: FlinkPlace;
  /**
   * What drills have here for themselves: an account of the object store that may read the bucket of checkpoints and write
   * below `argus/drills/` in it, and a session cluster, or in the flavour cluster a namespace. Absent: nothing.
   */
  readonly drill?: {
    /** Absent in the flavour cluster: {@link ClusterPlace.drill}. */
    readonly flink?: FlinkPlace;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  readonly ingest: {
    /** The service itself, never cut. */
    readonly direct: string;
    /** Its proxy on the region's address: what a name points to. */
    readonly public: string;
  };
}

/** One proxied way from a place to a service of a region. */
export interface LinkProxy {
  /** `singapore-mumbai-kafka`: the proxy's name in toxiproxy. */
  readonly name: string;
  readonly from: Place;
  /** `outside`: the store there. */
  readonly to: Place;
  readonly service: 'kafka' | 'objects' | 'flink' | 'kubernetes' | 'ingest';
  /** `host:port` where `from` connects to. */
  readonly listen: string;
  readonly upstream: string;
}

/** What a region of the flavour cluster is made of. */
export interface ClusterPlace {
  /** With `node` all that its controls need: `clusterRegion(record, node)`. */
  readonly record: RegionRecord;
  readonly node: RegionNode;
  /** File with the access of a user who may do everything, directly. */
  readonly kubeconfig: string;
  /** The same through the link from the other region. */
  readonly remoteKubeconfig: string;
  /** File with the job's FlinkDeployment or FlinkSessionJob, ready to be started from a recovery point. */
  readonly manifest: string;
  /** Name of the FlinkDeployment whose REST interface knows the job. */
  readonly deployment: string;
  /** Present: the job runs in a session cluster, as the FlinkSessionJob of that name, from that jar on this machine. */
  readonly session?: { readonly job: string; readonly jar: string };
  /** Present: drills have that namespace, and the file with the job's FlinkDeployment as they start it. */
  readonly drill?: { readonly namespace: string; readonly manifest: string };
}

/** One process of `argus observe`, where it stands, and its own view of the network. */
export interface ObserverPlace {
  readonly name: string;
  readonly place: Place;
  readonly configPath: string;
}

/** What the standby of a lab with pods keeps ready for the job: nothing, or a session cluster with room for it. */
export type Warmth = 'cold' | 'warm';

/** All there is to know about a running lab, as it stands in `<dir>/lab.json`. */
export interface LabInfo {
  /** Every process of the lab carries it in its environment. */
  readonly id: string;
  readonly dir: string;
  readonly startedAtMs: number;
  /** Process ids by component (`mumbai/kafka`), as of the last start; `lab status` asks the system. */
  readonly pids: Readonly<Record<string, number>>;
  readonly regions: Readonly<Record<RegionName, RegionInfo>>;
  readonly links: readonly LinkProxy[];
  /** URL of toxiproxy's API. */
  readonly toxiproxy: string;
  readonly dns: { readonly apiUrl: string; readonly server: string; readonly zone: string; readonly token: string };
  readonly ingestName: string;
  readonly ingestPort: number;
  readonly daemonPort: number;
  readonly configPath: string;
  /** The secrets that `argus.yaml` refers to. */
  readonly env: Readonly<Record<string, string>>;
  /** The job that was started on the primary. */
  readonly flinkJobId: string;
  readonly artifacts: Artifacts;
  readonly flink: FlinkChoice;
  /** The flavour cluster alone has this. */
  readonly cluster?: {
    readonly image: FlinkImage;
    readonly regions: Readonly<Record<RegionName, ClusterPlace>>;
  };
  /** Present: three of them watch, and the state lies outside both regions. */
  readonly observers?: {
    readonly list: readonly ObserverPlace[];
    /** The store outside both regions, which has the state; each region reaches it through a link. */
    readonly objects: RegionInfo['objects'];
  };
  /** By region: the process that holds the namespaces of its node. */
  readonly holders?: Readonly<Record<RegionName, number>>;
}

const fileName = 'lab.json';

/** Writes the description whole or not at all; readable by this user only. */
export function writeLabInfo(info: LabInfo): void {
  const path = join(info.dir, fileName);
  writeFileSync(`${path}.new`, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The description in a lab's folder. `LabMissing` (exit code 3) where there is none: no lab, or one that is still starting. */
export function readLabInfo(dir: string): LabInfo {
  try {
    return JSON.parse(readFileSync(join(dir, fileName), 'utf8')) as LabInfo;
  } catch {
    throw new ArgusError('LabMissing', `no lab is up in ${dir}`, {
      exitCode: 3,
      hint: 'start one with `npm run lab -- up`, or name its folder with --dir',
    });
  }
}

/** Host and port of a `host:port` or a URL. */
export function hostPort(address: string): { readonly host: string; readonly port: number } {
  const bare = address.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
  const colon = bare.lastIndexOf(':');
  return { host: bare.slice(0, colon), port: Number(bare.slice(colon + 1)) };
}
