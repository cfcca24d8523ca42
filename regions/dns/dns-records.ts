export interface DnsRecord {
  readonly id: string;
  /** Fully qualified, without the last dot. */
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME';
  readonly content: string;
  readonly ttlSeconds: number;
  readonly proxied: boolean;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The names of one zone at the provider. Errors are `ArgusError`: `DnsUnreachable` (retryable), `DnsDenied`,
 * `DnsZoneMissing`, `DnsFailed`. Every call ends within its deadline (15 s, the client's retries included).
 */
export interface DnsRecords {
  /** The records of one name and type; empty when there are none. */
  find(name: string, type: DnsRecord['type'], options?: CallOptions): Promise<readonly DnsRecord[]>;
  /** Changes one record's content. Idempotent. The effect is observed by a resolver, not by this answer. */
  setContent(id: string, content: string, options?: CallOptions): Promise<DnsRecord>;
}

/** One DNS server, asked directly (no cache of this machine in between). */
export interface DnsResolver {
  /** `host:port`. */
  readonly server: string;
  /** Addresses of the name; empty when it has none. `DnsUnreachable` when the server doesn't answer in 2 s. */
  resolve(name: string, type: DnsRecord['type'], options?: CallOptions): Promise<readonly string[]>;
}
