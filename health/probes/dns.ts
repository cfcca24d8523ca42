import type { DnsRecord, DnsRecords, DnsResolver } from '../../regions/dns/dns-records.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

/** What one resolver answers for one name. */
export function probeResolver(
  resolver: DnsResolver,
  name: string,
  type: DnsRecord['type'],
  options: ProbeOptions,
): Promise<ProbeOf<readonly string[]>> {
  return probe((call) => resolver.resolve(name, type, call), options);
}

/** Does the provider's API answer with this token, and which records does it hold for the name? */
export function probeRecords(
  records: DnsRecords,
  name: string,
  type: DnsRecord['type'],
  options: ProbeOptions,
): Promise<ProbeOf<readonly DnsRecord[]>> {
  return probe((call) => records.find(name, type, call), options);
}
