import type { DnsRecord } from '../../regions/dns/dns-records.ts';
import type { DnsBefore } from '../../state/dns-before.ts';

/** What is to be done with one record that a run had changed. */
export type Rollback =
  | { readonly kind: 'already' }
  /** `record`: as it was, under the id that it has now. */
  | { readonly kind: 'restore'; readonly record: DnsRecord }
  /** Somebody changed it since: what it was before the run is not what it should be now. */
  | { readonly kind: 'changed-since'; readonly why: string };

/** Whether a record is put back, by what the provider holds now under its name. Pure. */
export function decideRollback(before: DnsBefore['records'][number], to: string, now: readonly DnsRecord[]): Rollback {
  const { pools } = before;
  const changed = (): Rollback => {
    const holds = now.map((r) => r.content).join(', ') || 'nothing';
    return {
      kind: 'changed-since',
      why: `${before.name} holds ${holds}, neither what the run put there nor what was before`,
    };
  };
  if (pools !== undefined) {
    const [first] = now;
    if (first === undefined) return changed();
    if (JSON.stringify(first.pools) === JSON.stringify(pools)) return { kind: 'already' };
    if (now.some((r) => r.content !== to)) return changed();
    return { kind: 'restore', record: { ...plain(before), id: first.id, pools } };
  }
  // Route 53's ids hold the value, Cloudflare's do not.
  const same = now.find((r) => r.id === before.id) ?? now.find((r) => r.content === to);
  if (same?.content === before.content) return { kind: 'already' };
  return same?.content === to ? { kind: 'restore', record: { ...plain(before), id: same.id } } : changed();
}

const plain = ({ id, name, type, content, ttlSeconds, proxied }: DnsBefore['records'][number]): DnsRecord => ({
  id,
  name,
  type,
  content,
  ttlSeconds,
  proxied,
});
