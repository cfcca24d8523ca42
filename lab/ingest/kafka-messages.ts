/** What a broker said about one partition of a Produce request. */
export interface PartitionAnswer {
  readonly partition: number;
  /** Kafka's error code; 0 is none. */
  readonly error: number;
  readonly baseOffset: number;
}

/** A request of Kafka's protocol: its key and version, and its body. Versions here are the last ones without tags. */
export interface ApiRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly body: Buffer;
}

/** Who the service is to a broker that wants to know. */
export interface BrokerLogin {
  readonly user: string;
  readonly password: string;
}

const apiKeys = { produce: 0, metadata: 3, saslHandshake: 17, saslAuthenticate: 36 } as const;

/** The bytes of a request with its length and header v1: key i16 · version i16 · correlation id i32 · client id. */
export function frameRequest(request: ApiRequest, correlationId: number, clientId: string): Buffer {
  const client = string(clientId);
  const header = Buffer.alloc(12);
  header.writeInt32BE(8 + client.length + request.body.length, 0);
  header.writeInt16BE(request.apiKey, 4);
  header.writeInt16BE(request.apiVersion, 6);
  header.writeInt32BE(correlationId, 8);
  return Buffer.concat([header, client, request.body]);
}

/** SaslHandshake v1 and SaslAuthenticate v0 with PLAIN, one after the other. Source: KIP-152, RFC 4616. */
export function loginRequests({ user, password }: BrokerLogin): readonly ApiRequest[] {
  const token = Buffer.from(`\0${user}\0${password}`);
  return [
    { apiKey: apiKeys.saslHandshake, apiVersion: 1, body: string('PLAIN') },
    { apiKey: apiKeys.saslAuthenticate, apiVersion: 0, body: Buffer.concat([int32(token.length), token]) },
  ];
}

/** The error code at the front of both answers. */
export const readError = (body: Buffer): number => body.readInt16BE(0);

/** Metadata v4 of one topic, which is not created by asking. */
export function metadataRequest(topic: string): ApiRequest {
  const body = Buffer.concat([int32(1), string(topic), Buffer.from([0])]);
  return { apiKey: apiKeys.metadata, apiVersion: 4, body };
}

/** How many partitions the topic of a Metadata v4 response has, all of them led; its error code otherwise. */
export function readPartitionCount(body: Buffer): { error: number; partitions: number } {
  const reader = new Reader(body);
  reader.int32();
  reader.array(() => [reader.int32(), reader.string(), reader.int32(), reader.string()]);
  reader.string();
  reader.int32();
  const topics = reader.array(() => {
    const topicError = reader.int16();
    reader.string();
    reader.skip(1);
    const partitions = reader.array(() => {
      const error = reader.int16();
      reader.skip(8);
      reader.array(() => reader.int32());
      reader.array(() => reader.int32());
      return error;
    });
    return { error: topicError || (partitions.find((error) => error !== 0) ?? 0), partitions: partitions.length };
  });
  return topics[0] ?? { error: 3, partitions: 0 };
}

/** Produce v7 with acks=all: one batch for each given partition of one topic. */
export function produceRequest(topic: string, batches: ReadonlyMap<number, Buffer>, timeoutMs: number): ApiRequest {
  const parts: Buffer[] = [int16(-1), int16(-1), int32(timeoutMs), int32(1), string(topic), int32(batches.size)];
  for (const [partition, batch] of batches) parts.push(int32(partition), int32(batch.length), batch);
  return { apiKey: apiKeys.produce, apiVersion: 7, body: Buffer.concat(parts) };
}

/** The answers of a Produce v7 response, a partition each. */
export function readProduceAnswers(body: Buffer): PartitionAnswer[] {
  const reader = new Reader(body);
  return reader
    .array(() => {
      reader.string();
      return reader.array(() => {
        const answer = { partition: reader.int32(), error: reader.int16(), baseOffset: Number(reader.int64()) };
        reader.skip(16);
        return answer;
      });
    })
    .flat();
}

/** Reads Kafka's plain types one after the other; a `RangeError` where the bytes end too early. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  string(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  array<T>(item: () => T): T[] {
    const length = this.int32();
    const items: T[] = [];
    for (let i = 0; i < length; i++) items.push(item());
    return items;
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
}
