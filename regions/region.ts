import type { DnsRecords, DnsResolver } from './dns/dns-records.ts';
import type { DnsProvider } from './dns/provider-facts.ts';
import type { FlinkJobs } from './flink/flink-jobs.ts';
import type { KafkaAdmin } from './kafka/kafka-admin.ts';
import type { KafkaFence } from './kafka/kafka-fence.ts';
import type { KafkaEndpoint } from './kafka/kafka-security.ts';
import type { KubernetesApi } from './kubernetes/kubernetes-api.ts';
import type { ObjectStore } from './objects/object-store.ts';

/** One region's technologies, behind their ports. */
export interface Region {
  readonly name: string;
  /** What the DNS records hold while this region serves: an IPv4 address. */
  readonly address: string;
  readonly kafka: KafkaAdmin;
  /** For raw connections to the same Kafka; holds secrets. */
  readonly brokers: KafkaEndpoint;
  /** How its Kafka is kept from being written to. Absent: the configuration doesn't say. */
  readonly fence?: KafkaFence;
  readonly objects: ObjectStore;
  readonly flink: FlinkJobs;
  /** Absent: the configuration names none. */
  readonly kubernetes?: KubernetesApi;
}

/** Names outside the regions. */
export interface Names {
  readonly records: DnsRecords;
  readonly resolvers: readonly DnsResolver[];
  /** What the provider says of itself, the token and load balancers. Absent: it says nothing. */
  readonly provider?: DnsProvider;
}
