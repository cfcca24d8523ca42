import { isIPv4, isIPv6 } from 'node:net';

/** The record types that the lab's zone holds. */
export const recordTypes = ['A', 'AAAA', 'CNAME', 'TXT'] as const;
export type RecordType = (typeof recordTypes)[number];

/** A record that passed `checkRecord`. */
export interface RecordInput {
  readonly name: string;
  readonly type: RecordType;
  readonly content: string;
  readonly ttl: number;
  readonly proxied: boolean;
  readonly comment: string | null;
}

/** What a caller sent: anything, until it is checked. */
export interface RecordPatch {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly content?: unknown;
  readonly ttl?: unknown;
  readonly proxied?: unknown;
  readonly comment?: unknown;
}

/**
 * A refusal of the API: HTTP status, Cloudflare's error code and text.
 * The codes are written from memory of the real service and were not compared with it.
 */
export class ZoneError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const labels = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** The name fully qualified: `@` is the zone itself, a name outside the zone is taken as relative to it. */
export function qualifyName(name: string, zone: string): string {
  const lower = name.toLowerCase().replace(/\.$/, '');
  if (lower === '@' || lower === zone) return zone;
  return lower.endsWith(`.${zone}`) ? lower : `${lower}.${zone}`;
}

/** The complete record with defaults, or a `ZoneError` that says what is wrong with it. */
export function checkRecord(input: RecordPatch, zone: string): RecordInput {
  const type = recordTypes.find((t) => t === input.type);
  if (type === undefined) throw new ZoneError(400, 1004, 'DNS Validation Error: invalid record type.');
  if (typeof input.name !== 'string' || input.name === '') throw new ZoneError(400, 9000, 'DNS name is invalid.');
  const name = qualifyName(input.name, zone);
  if (name.length > 253 || !labels.test(name)) throw new ZoneError(400, 9000, 'DNS name is invalid.');
  const proxied = input.proxied ?? false;
  if (typeof proxied !== 'boolean') throw new ZoneError(400, 1004, 'DNS Validation Error: proxied must be a boolean.');
  if (proxied && type === 'TXT') {
    throw new ZoneError(400, 9004, 'This record type cannot be proxied.');
  }
  const comment = input.comment ?? null;
  if (comment !== null && (typeof comment !== 'string' || comment.length > 100)) {
    throw new ZoneError(400, 9212, 'DNS record comment must be a text of at most 100 characters.');
  }
  const ttl = checkTtl(input.ttl ?? 1);
  return { name, type, content: checkContent(type, input.content, name), ttl: proxied ? 1 : ttl, proxied, comment };
}

/** 1 (automatic) or 60 to 86,400 s: the bounds of every plan but Enterprise. */
function checkTtl(ttl: unknown): number {
  if (typeof ttl === 'number' && Number.isInteger(ttl) && (ttl === 1 || (ttl >= 60 && ttl <= 86_400))) return ttl;
  throw new ZoneError(400, 9021, 'Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.');
}

function checkContent(type: RecordType, content: unknown, name: string): string {
  if (typeof content !== 'string' || content === '') {
    throw new ZoneError(400, 9100, `Content for ${type} record is invalid.`);
  }
  switch (type) {
    case 'A':
      if (!isIPv4(content)) throw new ZoneError(400, 9005, 'Content for A record must be a valid IPv4 address.');
      return content;
    case 'AAAA':
      if (!isIPv6(content)) throw new ZoneError(400, 9006, 'Content for AAAA record must be a valid IPv6 address.');
      return content;
    case 'CNAME': {
      const target = content.toLowerCase().replace(/\.$/, '');
      if (!labels.test(target)) throw new ZoneError(400, 9007, 'Content for CNAME record is invalid.');
      if (target === name) throw new ZoneError(400, 9039, 'CNAME content cannot reference itself.');
      return target;
    }
    case 'TXT':
      return content;
  }
}
