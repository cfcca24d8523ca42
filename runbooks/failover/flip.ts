import type { DnsRecord } from '../../regions/dns/dns-records.ts';

export type Flip =
  | { readonly kind: 'already' }
  | { readonly kind: 'change'; readonly records: readonly DnsRecord[] }
  | {
      readonly kind: 'impossible';
      readonly code: 'NameMissing' | 'NameHoldsOther' | 'NameCantMove';
      readonly why: string;
    };

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
  if (change.length === 0) return { kind: 'already' };
  const refusal = change
    .flatMap((r) => r.refuses ?? [])
    .find((r) => r.content === addresses.standby || r.content === '*');
  if (refusal !== undefined) return { kind: 'impossible', code: 'NameCantMove', why: refusal.why };
  return { kind: 'change', records: change };
}

/** Why so many changes are not made: a configuration that names half a zone by mistake must not move it. Pure. */
export function tooManyChanges(changes: number, maxChanges: number): string | undefined {
  if (changes <= maxChanges) return undefined;
  return `${changes} records and load balancers would change, and dns.maxChanges is ${maxChanges}`;
}
