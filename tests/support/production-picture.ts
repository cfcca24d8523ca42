import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  ConfigResourceTypes,
  ResourcePatternTypes,
} from 'kafkajs';
import { auditorClient } from '../../lab/auditor/read-topic.ts';
import { type LabInfo, type RegionName, regionNames } from '../../lab/lab-info.ts';
import { PlatformaticAdmin } from '../../regions/kafka/platformatic-admin.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';
import { pictureOfCluster } from './cluster-picture.ts';

/**
 * Everything of both regions that a drill could change, a line each: `singapore topic events partition 0 end` and its
 * value. Internal topics of the brokers are left out: what they hold is here as groups and transactions' effects.
 */
export type Picture = ReadonlyMap<string, string>;

/** What may differ between two pictures. */
export interface Allowed {
  readonly what: RegExp;
  /** `grow`: as a number; `change`: to anything, also come and go. */
  readonly may: 'grow' | 'change';
}

/**
 * What the lab's workload, mirror and daemon do by themselves: logs and committed offsets grow, checkpoints come and go,
 * the replica follows, Argus takes notes in its state. What a drill notes of itself while it is open is none of these.
 */
export const ownProgress: readonly Allowed[] = [
  { what: /^\w+ topic (events|metrics|argus\.heartbeat.*) partition \d+ end$/, may: 'grow' },
  { what: /^\w+ group counts offset /, may: 'grow' },
  { what: /^mumbai object argus-flink-checkpoints\/(checkpoints|ha)\//, may: 'change' },
  { what: /^singapore object argus-flink-checkpoints-replica\/argus\/(replica|canary)\//, may: 'change' },
  { what: /^singapore object argus-state\/lab\/(?!roles|drills\/open\/)/, may: 'change' },
];

/** Takes it; of these regions alone, where others are down. */
export async function pictureOfProduction(
  info: LabInfo,
  regions: readonly RegionName[] = regionNames,
): Promise<Picture> {
  const parts = await Promise.all([
    ...regions.flatMap((region) => [kafkaOf(info, region), objectsOf(info, region), flinkOf(info, region)]),
    recordsOf(info),
  ]);
  return new Map(parts.flat());
}

/** In sentences: what of one picture is otherwise in the other, and isn't allowed to. Pure. */
export function differences(
  before: Picture,
  after: Picture,
  allowed: readonly Allowed[] = ownProgress,
): readonly string[] {
  const told: string[] = [];
  for (const what of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(what), after.get(what)];
    if (was === is || allowed.some((rule) => rule.what.test(what) && explains(rule.may, was, is))) continue;
    if (was === undefined) told.push(`${what} is new: ${is}`);
    else if (is === undefined) told.push(`${what} is gone: ${was}`);
    else told.push(`${what} was ${was} and is ${is}`);
  }
  return told.sort();
}

function explains(may: Allowed['may'], was: string | undefined, is: string | undefined): boolean {
  return may === 'change' || (was !== undefined && is !== undefined && BigInt(is) >= BigInt(was));
}

type Lines = readonly (readonly [string, string])[];

async function kafkaOf(info: LabInfo, region: RegionName): Promise<Lines> {
  const { auditor, users } = info.regions[region].kafka;
  const admin = auditorClient(auditor).admin();
  await admin.connect();
  try {
    // A broker without logins has no rules either, and says so.
    const rules = users === undefined ? [] : await aclLines(admin);
    const parts = [await topicLines(admin), await groupLines(admin), rules, await quotaLines(auditor)];
    return parts.flat().map(([what, value]) => [`${region} ${what}`, value] as const);
  } finally {
    await admin.disconnect();
  }
}

async function topicLines(admin: Admin): Promise<Lines> {
  const topics = (await admin.fetchTopicMetadata()).topics.filter(({ name }) => !name.startsWith('__'));
  const ends = topics.map(async ({ name }) =>
    (await admin.fetchTopicOffsets(name)).flatMap(({ partition, low, high }) => [
      [`topic ${name} partition ${partition} start`, low] as const,
      [`topic ${name} partition ${partition} end`, high] as const,
    ]),
  );
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  const configs = resources.flatMap(({ resourceName, configEntries }) =>
    configEntries.map((each) => [`topic ${resourceName} config ${each.configName}`, each.configValue] as const),
  );
  return [...(await Promise.all(ends)).flat(), ...configs];
}

async function groupLines(admin: Admin): Promise<Lines> {
  const { groups } = await admin.listGroups();
  const lines = groups.map(async ({ groupId, protocolType }) => {
    const committed = await admin.fetchOffsets({ groupId });
    const offsets = committed.flatMap(({ topic, partitions }) =>
      partitions.map((p) => [`group ${groupId} offset ${topic}-${p.partition}`, p.offset] as const),
    );
    return [[`group ${groupId}`, protocolType] as const, ...offsets];
  });
  return (await Promise.all(lines)).flat();
}

async function aclLines(admin: Admin): Promise<Lines> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  });
  return resources.flatMap(({ acls, ...resource }) =>
    acls.map((acl) => [`acl ${JSON.stringify({ ...resource, ...acl })}`, 'there'] as const),
  );
}

async function quotaLines(bootstrap: string): Promise<Lines> {
  const admin = new PlatformaticAdmin({ region: 'picture', bootstrap: [bootstrap] });
  try {
    const principals = ['argus', 'ingest', 'job', 'drill'].map((user) => `User:${user}`);
    const of = principals.map(async (principal) =>
      [...(await admin.describeQuotas(principal))].map(
        ([key, value]) => [`quota ${principal} ${key}`, `${value}`] as const,
      ),
    );
    return (await Promise.all(of)).flat();
  } finally {
    await admin.close();
  }
}

async function objectsOf(info: LabInfo, region: RegionName): Promise<Lines> {
  const { buckets, bucket: _, ...access } = info.regions[region].objects;
  const lists = buckets.map(async (bucket) => {
    const store = s3ObjectStore({ ...access, region: 'us-east-1', pathStyle: true, bucket });
    try {
      const { objects } = await store.list('');
      return objects.map(({ key, etag }) => [`${region} object ${bucket}/${key}`, etag] as const);
    } finally {
      await store.close();
    }
  });
  return (await Promise.all(lists)).flat();
}

/** Jobs that have not ended, of the session cluster of drills as well, and the jars of both; with pods all that is there. */
async function flinkOf(info: LabInfo, region: RegionName): Promise<Lines> {
  if (info.cluster) return pictureOfCluster(info, region);
  const { flink, drill } = info.regions[region];
  const ofDrills = drill?.flink && (['drill flink', drill.flink.rest] as const);
  const clusters = [['flink', flink.rest] as const, ...(ofDrills ? [ofDrills] : [])];
  const lines = clusters.map(async ([name, rest]) => {
    const [{ jobs }, { files }] = (await Promise.all([json(`${rest}/jobs/overview`), json(`${rest}/jars`)])) as [
      { jobs: { jid: string; name: string; state: string }[] },
      { files: { id: string }[] },
    ];
    return [
      ...jobs
        .filter(({ state }) => !['CANCELED', 'FAILED', 'FINISHED'].includes(state))
        .map((job) => [`${region} ${name} job ${job.jid}`, `${job.name} ${job.state}`] as const),
      ...files.map(({ id }) => [`${region} ${name} jar ${id}`, 'there'] as const),
    ];
  });
  return (await Promise.all(lines)).flat();
}

async function recordsOf({ dns: { apiUrl, token, zone } }: LabInfo): Promise<Lines> {
  const headers = { authorization: `Bearer ${token}` };
  const zones = (await json(`${apiUrl}/zones?name=${zone}`, headers)) as { result: { id: string }[] };
  const { result } = (await json(`${apiUrl}/zones/${zones.result[0]?.id}/dns_records`, headers)) as {
    result: { id: string; name: string }[];
  };
  return result.map((record) => [`record ${record.name} ${record.id}`, JSON.stringify(record)] as const);
}

async function json(url: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return response.json();
}
