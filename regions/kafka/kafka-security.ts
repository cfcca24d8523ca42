/** How the brokers of one cluster are spoken to. Plain data, secrets resolved: it may cross to another process, never a log. */
export interface KafkaSecurity {
  /** Absent: without TLS. An empty one trusts the certificate authorities that Node knows. */
  readonly tls?: KafkaTls | undefined;
  readonly sasl?: KafkaSasl | undefined;
}

export interface KafkaTls {
  /** Certificates to trust, PEM, instead of Node's own list. */
  readonly ca?: string | undefined;
  /** This client's certificate chain and its key, PEM; both or none. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that every broker's certificate has to bear, instead of the broker's own address. */
  readonly servername?: string | undefined;
}

export interface KafkaSasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

/** Where a region's brokers are, and how they are spoken to. */
export interface KafkaEndpoint {
  /** The region's name, for messages. */
  readonly name: string;
  /** `host:port` of brokers to begin with; each is tried in turn. */
  readonly bootstrap: readonly string[];
  readonly security?: KafkaSecurity | undefined;
}
