import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { sourceFile } from '../entry.ts';
import type { TopicRecord } from './read-topic.ts';

/** Kafka's own client, as the lab has it. */
export interface JavaClient {
  /** The java binary, 17 or later. */
  readonly java: string;
  /** Folder with Kafka's jars. */
  readonly kafkaLibs: string;
}

/** Where and what to read. */
export interface ReadCommittedOptions {
  /** `host:port`, one or several. */
  readonly bootstrap: string | readonly string[];
  readonly topic: string;
  readonly client: JavaClient;
  readonly signal?: AbortSignal;
}

const deadlineMs = 120_000;

/**
 * Every committed record of a topic from its start up to the last stable offsets that it has now, a partition's records
 * in the order of their offsets, by Kafka's own consumer. Not by kafkajs 2.2.4: a broker lists aborted transactions by
 * their ends, kafkajs takes them to be listed by their beginnings, so that its readers get records of some.
 */
export async function readCommitted(options: ReadCommittedOptions): Promise<TopicRecord[]> {
  const { bootstrap, topic, client } = options;
  const brokers = typeof bootstrap === 'string' ? bootstrap : bootstrap.join(',');
  const program = sourceFile(import.meta.url, './CommittedRecords.java');
  const flags = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=ERROR', '-cp', `${client.kafkaLibs}/*`];
  const { stdout } = await promisify(execFile)(client.java, [...flags, program, brokers, topic], {
    maxBuffer: 512 << 20,
    timeout: deadlineMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return stdout.split('\n').filter(Boolean).map(parseCommitted);
}

/** A line of `CommittedRecords`. Pure. */
export function parseCommitted(line: string): TopicRecord {
  const [partition, offset, key, value] = line.split(' ');
  if (partition === undefined || offset === undefined || key === undefined || value === undefined)
    throw new Error(`not a record: ${line.slice(0, 200)}`);
  const text = (base64: string) => (base64 === '-' ? '' : Buffer.from(base64, 'base64').toString());
  return { partition: Number(partition), offset: Number(offset), key: text(key), value: text(value) };
}
