import { ArgusError } from '../../domain/errors.ts';
import type { DnsRecord, DnsRecords } from './dns-records.ts';

/** A name that may be touched, and who holds it. */
export interface ListedName {
  readonly name: string;
  readonly type: DnsRecord['type'];
  readonly through: DnsRecords;
}

/**
 * Names of several holders as one, and the only door to them: what isn't listed is neither looked up nor changed
 * (`DnsUnlisted`, before anything is sent), and a record is changed only when it was found under a listed name.
 */
export function listedRecords(listed: readonly ListedName[]): DnsRecords {
  const foundThrough = new Map<string, DnsRecords>();
  const known = (id: string): DnsRecords => {
    const through = foundThrough.get(id);
    if (through === undefined) throw unlisted(`record ${id}`);
    return through;
  };
  return {
    settlesMs: Math.max(0, ...listed.map(({ through }) => through.settlesMs ?? 0)),
    async find(name, type, options) {
      const entry = listed.find((l) => l.name.toLowerCase() === name.toLowerCase() && l.type === type);
      if (entry === undefined) throw unlisted(`${type} ${name}`);
      const records = await entry.through.find(name, type, options);
      for (const { id } of records) foundThrough.set(id, entry.through);
      return records;
    },
    async setContent(id, content, options) {
      return known(id).setContent(id, content, options);
    },
    async restore(record, options) {
      const through = known(record.id);
      if (through.restore !== undefined) return through.restore(record, options);
      await through.setContent(record.id, record.content, options);
    },
  };
}

const unlisted = (what: string) =>
  new ArgusError('DnsUnlisted', `${what} is not among the names that follow the primary`, {
    hint: 'list it under dns.records or dns.cloudflare.loadBalancers if Argus is to move it',
    exitCode: 3,
  });
