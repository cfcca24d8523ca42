import type { DnsRecord } from '../../regions/dns/dns-records.ts';

export type Flip =
  | { readonly kind: 'already' }
  | { readonly kind: 'change'; readonly records: readonly DnsRecord[] }
  | { readonly kind: 'impossible'; readonly code: 'NameMissing' | 'NameHoldsOther'; readonly why: string };

/**
 * Which records of one name must change so that it points to the standby alone. Pure.
 * Only a record that holds the primary's address is changed: another value was put there by somebody for a reason.
 */
export function flipOf(
  name: string,
  records: readonly DnsRecord[],
  addresses: { readonly primary: string; readonly standby: string },
): Flip {
  if (records.length === 0) return { kind: 'impossible', code: 'NameMissing', why: `${name} has no record` };
  const other = records.find((r) => r.content !== addresses.primary && r.content !== addresses.standby);
  if (other !== undefined) {
    const why = `${name} holds ${other.content}, neither the primary's ${addresses.primary} nor the standby's ${addresses.standby}`;
    return { kind: 'impossible', code: 'NameHoldsOther', why };
  }
  const change = records.filter((r) => r.content === addresses.primary);
  return change.length === 0 ? { kind: 'already' } : { kind: 'change', records: change };
}
