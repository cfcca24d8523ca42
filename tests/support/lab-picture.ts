import { auditorClient } from '../../lab/auditor/read-topic.ts';
import { labProcesses } from '../../lab/components/process-table.ts';
import { type LabInfo, names, type RegionName, regionNames } from '../../lab/lab-info.ts';
import { s3ObjectStore } from '../../regions/objects/s3-object-store.ts';

/**
 * Everything in a lab that a command could change, as plain values to compare: topics (internal ones too) with their
 * log ends, objects of every bucket, DNS records, Flink's jobs and jars, processes. What the primary's job does by itself
 * (its checkpoints, its committed offsets) is left out.
 */
export async function pictureOf(info: LabInfo): Promise<Readonly<Record<string, unknown>>> {
  const [topics, objects, records, flink] = await Promise.all([
    eachRegion((region) => topicsOf(info, region)),
    eachRegion((region) => objectsOf(info, region)),
    dnsRecords(info),
    eachRegion((region) => flinkOf(info, region)),
  ]);
  const processes = labProcesses(info.id).map((p) => `${p.component} ${p.pid}`);
  return { topics, objects, records, flink, processes: processes.sort() };
}

async function eachRegion<T>(look: (region: RegionName) => Promise<T>): Promise<Record<string, T>> {
  return Object.fromEntries(await Promise.all(regionNames.map(async (name) => [name, await look(name)] as const)));
}

async function topicsOf(info: LabInfo, region: RegionName): Promise<Record<string, unknown>> {
  const admin = auditorClient(info.regions[region].kafka.auditor).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata();
    const ends = await Promise.all(
      topics.map(async ({ name, partitions }) => {
        if (name.startsWith('__')) return [name, partitions.length] as const;
        const offsets = await admin.fetchTopicOffsets(name);
        return [name, offsets.map((o) => `${o.partition}: ${o.low} to ${o.high}`).sort()] as const;
      }),
    );
    return Object.fromEntries(ends);
  } finally {
    await admin.disconnect();
  }
}

async function objectsOf(info: LabInfo, region: RegionName): Promise<readonly string[]> {
  const { buckets, endpoint, accessKeyId, secretAccessKey } = info.regions[region].objects;
  const lists = buckets.map(async (bucket) => {
    const store = s3ObjectStore({
      endpoint,
      region: 'us-east-1',
      pathStyle: true,
      accessKeyId,
      secretAccessKey,
      bucket,
    });
    try {
      const { objects } = await store.list('');
      return objects.map((o) => `${bucket}/${o.key} ${o.etag} ${o.modifiedAtMs}`);
    } finally {
      await store.close();
    }
  });
  const jobsOwn = `${info.regions[names.primary].objects.bucket}/${names.checkpointPrefix}`;
  return (await Promise.all(lists)).flat().filter((object) => !object.startsWith(jobsOwn));
}

async function dnsRecords(info: LabInfo): Promise<unknown> {
  const { apiUrl, token, zone } = info.dns;
  const headers = { authorization: `Bearer ${token}` };
  const zones = (await json(`${apiUrl}/zones?name=${zone}`, headers)) as { result: { id: string }[] };
  const records = (await json(`${apiUrl}/zones/${zones.result[0]?.id}/dns_records`, headers)) as { result: unknown };
  return records.result;
}

async function flinkOf(info: LabInfo, region: RegionName): Promise<unknown> {
  const { rest } = info.regions[region].flink;
  const [{ jobs }, { files }] = (await Promise.all([json(`${rest}/jobs/overview`), json(`${rest}/jars`)])) as [
    { jobs: { jid: string; name: string; state: string }[] },
    { files: { id: string }[] },
  ];
  return { jobs: jobs.map((j) => `${j.jid} ${j.name} ${j.state}`).sort(), jars: files.map((f) => f.id).sort() };
}

async function json(url: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return response.json();
}
