import { drillArgs, jobArgs, proxyOf } from './lab-config.ts';
import { type LabInfo, names, type RegionName, regionNames } from './lab-info.ts';

/**
 * The lab's own addresses as lines for a shell, as an Argus at the standby finds them: what docs/guide.md types in.
 * Nothing of a lab with pods, whose regions have no such addresses.
 */
export function renderAddresses(info: LabInfo): string {
  if (info.cluster) return '';
  const { primary, standby } = names;
  const far = (service: 'kafka' | 'objects' | 'flink') => proxyOf(info, standby, primary, service);
  const here = info.regions[standby];
  const places: Readonly<Record<string, string>> = {
    [`${primary}_kafka`]: far('kafka'),
    [`${standby}_kafka`]: here.kafka.inside,
    [`${primary}_objects`]: `http://${far('objects')}`,
    [`${standby}_objects`]: here.objects.endpoint,
    [`${primary}_flink`]: `http://${far('flink')}`,
    [`${standby}_flink`]: here.flink.rest,
  };
  const ofRegion = (region: RegionName) => ({
    [`${region}_address`]: info.regions[region].address,
    [`${region}_bucket`]: info.regions[region].objects.bucket,
    [`${region}_job_args`]: jobArgs(info, region).join(' '),
  });
  const all: Readonly<Record<string, string>> = {
    ...places,
    ...Object.assign({}, ...regionNames.map(ofRegion)),
    ...(here.drill?.flink && { drill_flink: here.drill.flink.rest, drill_args: drillArgs(info).join(' ') }),
    dns_api: info.dns.apiUrl,
    dns_server: info.dns.server,
    dns_zone: info.dns.zone,
    ingest_name: info.ingestName,
    ingest_port: String(info.ingestPort),
    job_jar: info.artifacts.jobJar,
    daemon_port: String(info.daemonPort),
  };
  return Object.entries(all)
    .map(([key, value]) => `${key.toUpperCase()}='${value}'\n`)
    .join('');
}
