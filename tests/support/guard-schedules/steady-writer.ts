import { Kafka, KafkaJSProtocolError, logLevel, type Producer } from 'kafkajs';
import { partitionOf } from '../../../lab/ingest/partition.ts';
import { names } from '../../../lab/lab-info.ts';
import type { Observation, Side } from './judge.ts';

const everyMs = 100;

/** Somebody outside of both regions who writes one event to one of them every 100 ms, whatever becomes of those before. */
export interface SteadyWriter {
  readonly observations: readonly Observation[];
  readonly sent: ReadonlySet<string>;
  /** The values that were acknowledged. */
  readonly acknowledged: ReadonlySet<string>;
  stop(): Promise<void>;
}

/** Begins to write with the ingest's login, by a listener that no link carries. */
export function steadyWriter(side: Side, bootstrap: string, password: string): SteadyWriter {
  const kafka = new Kafka({
    clientId: `observer-${side}`,
    brokers: [bootstrap],
    sasl: { mechanism: 'scram-sha-512', username: 'ingest', password },
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_500,
    // What a frozen broker has got is answered when it goes on: the connection is kept for that.
    requestTimeout: 120_000,
    retry: { retries: 0 },
  });
  const { topic, partitions } = names.events;
  const observations: Observation[] = [];
  const acknowledged = new Set<string>();
  let producer: Producer | undefined;
  let connecting = false;
  const sent = new Set<string>();
  const connect = () => {
    if (connecting) return;
    connecting = true;
    const made = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
    made
      .connect()
      .then(() => {
        producer = made;
      })
      // Asked again at the next step.
      .catch(() => undefined)
      .finally(() => {
        connecting = false;
      });
  };
  const step = () => {
    const sentAtMs = performance.now();
    const see = (kind: Observation['kind']) =>
      observations.push({ side, sentAtMs, endedAtMs: performance.now(), kind });
    const used = producer;
    if (used === undefined) {
      connect();
      see('unknown');
      return;
    }
    const seq = sent.size;
    const key = `${side}-${seq % 20}`;
    const value = JSON.stringify({ id: `${side}-${seq}`, key, seq });
    sent.add(value);
    used
      .send({ topic, acks: 1, messages: [{ key, value, partition: partitionOf(key, partitions) }] })
      .then(() => {
        acknowledged.add(value);
        see('writable');
      })
      .catch((error: unknown) => {
        const isAnswer = error instanceof KafkaJSProtocolError;
        see(isAnswer && error.type === 'TOPIC_AUTHORIZATION_FAILED' ? 'denied' : 'unknown');
        if (isAnswer || producer !== used) return;
        producer = undefined;
        used.disconnect().catch(() => undefined);
      });
  };
  connect();
  const timer = setInterval(step, everyMs);
  return {
    observations,
    sent,
    acknowledged,
    async stop() {
      clearInterval(timer);
      const late = new Promise((resolve) => setTimeout(resolve, 2_000));
      await Promise.race([producer?.disconnect().catch(() => undefined), late]);
    },
  };
}
