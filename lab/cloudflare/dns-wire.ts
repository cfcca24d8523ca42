import packet from 'dns-packet';

/** One question of a DNS message. */
export interface Question {
  readonly name: string;
  readonly type: string;
  readonly class?: string;
}

/** One resource record of a DNS message; `data` by type: an address, a name, or an object (SOA). */
export interface Answer {
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly class?: string;
  readonly data?: unknown;
  readonly udpPayloadSize?: number;
}

/** A DNS message as `dns-packet` reads and writes it (RFC 1035, EDNS of RFC 6891). */
export interface Message {
  readonly id: number;
  readonly type: 'query' | 'response';
  readonly flags?: number;
  readonly opcode?: string;
  readonly rcode?: string;
  readonly questions: readonly Question[];
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** Flag bits of a DNS header. */
export const flags = {
  authoritative: packet.AUTHORITATIVE_ANSWER,
  truncated: packet.TRUNCATED_RESPONSE,
  recursionDesired: packet.RECURSION_DESIRED,
} as const;

/** Rcodes in the low four bits of the flags, RFC 1035 section 4.1.1. */
export const rcodes = { noError: 0, formatError: 1, nameError: 3, notImplemented: 4, refused: 5 } as const;

/** The message in these bytes; throws on anything else. */
export function decodeMessage(bytes: Buffer): Message {
  return packet.decode(bytes);
}

/** The bytes of a message, without the length prefix of TCP. */
export function encodeMessage(message: Partial<Message>): Buffer {
  return packet.encode(message);
}
