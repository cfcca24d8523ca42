import { type ClusterClock, clusterClock } from '../../regions/kafka/cluster-clock.ts';
import type { Acl, KafkaAcls } from '../../regions/kafka/kafka-acls.ts';
import type { KafkaAdmin } from '../../regions/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';

/** Something that no mirror carries over, and what a person does about it. */
export interface ByHand {
  readonly what: string;
  readonly how: string;
}

export interface ClusterFindings {
  /** Undefined where a side's clock can't be asked. */
  readonly clocks: Readonly<Record<string, ClusterClock | undefined>>;
  /** What will mislead or do harm, as sentences. */
  readonly warnings: readonly string[];
  readonly byHand: readonly ByHand[];
}

interface Side {
  /** The region's name. */
  readonly name: string;
  readonly kafka: Pick<KafkaAdmin, 'describeTopics'> & Pick<KafkaAcls, 'listAcls'>;
  readonly brokers: KafkaEndpoint;
}

const schemasTopic = '_schemas';
const requestTimeoutMs = 10_000;

/** Looks at what concerns both clusters as a whole; changes nothing. What may not be looked at is left out. */
export async function checkClusters(
  source: Side,
  standby: Side,
  topics: readonly string[],
  options: { readonly nowMs: () => number; readonly signal: AbortSignal },
): Promise<ClusterFindings> {
  const { signal, nowMs } = options;
  const optional = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    const value = await answer.catch(() => undefined);
    signal.throwIfAborted();
    return value;
  };
  const [here, there] = [await clockOf(source, nowMs, signal), await clockOf(standby, nowMs, signal)];
  const acls = await optional(source.kafka.listAcls({}, { signal }));
  const schemas = await optional(source.kafka.describeTopics([schemasTopic], { signal }));
  const clocks = { [source.name]: here, [standby.name]: there };
  return {
    clocks,
    warnings: skewWarnings(clocks),
    byHand: byHand({ source: source.name, standby: standby.name, acls, topics, schemas: schemas?.has(schemasTopic) }),
  };
}

async function clockOf(side: Side, nowMs: () => number, signal: AbortSignal): Promise<ClusterClock | undefined> {
  const timeouts = { connectTimeoutMs: requestTimeoutMs, requestTimeoutMs };
  const cluster = new KafkaCluster({ ...side.brokers, clientId: 'argus-check', ...timeouts });
  try {
    return await clusterClock(cluster, nowMs, signal);
  } finally {
    cluster.close();
  }
}

/** From here on a lag in seconds says something else than it seems to. */
const skewMs = 5_000;

/** Clocks that surely differ by more than 5 s: each from this machine's, and both from each other. Pure. */
export function skewWarnings(clocks: Readonly<Record<string, ClusterClock | undefined>>): readonly string[] {
  const known = Object.entries(clocks).flatMap(([name, clock]) => (clock ? [{ name, ...clock }] : []));
  const warnings: string[] = [];
  const seconds = (ms: number) => `${(Math.abs(ms) / 1_000).toFixed(1)} s ${ms > 0 ? 'ahead of' : 'behind'}`;
  for (const { name, aheadMs, uncertaintyMs } of known) {
    if (Math.abs(aheadMs) - uncertaintyMs <= skewMs) continue;
    warnings.push(
      `the clock of ${name}'s Kafka is ${seconds(aheadMs)} this machine's: lags in seconds, the loss that is estimated and the outage's begin are wrong by that; set both by NTP`,
    );
  }
  const [a, b] = known;
  if (a && b && Math.abs(a.aheadMs - b.aheadMs) - a.uncertaintyMs - b.uncertaintyMs > skewMs) {
    warnings.push(
      `the clock of ${a.name}'s Kafka is ${seconds(a.aheadMs - b.aheadMs)} that of ${b.name}: retention removes the same records earlier on one side`,
    );
  }
  return warnings;
}

/** What has to be made on the standby by hand, as far as it can be told. Pure. */
export function byHand(seen: {
  readonly source: string;
  readonly standby: string;
  /** Undefined: without an authorizer, or not to be read. */
  readonly acls: readonly Acl[] | undefined;
  readonly topics: readonly string[];
  /** The source has the topic of a Schema Registry; undefined when nobody could tell. */
  readonly schemas: boolean | undefined;
}): readonly ByHand[] {
  const { source, standby, acls = [], topics, schemas } = seen;
  const users = [...new Set(acls.map((a) => a.principal))].filter((p) => p !== 'User:*' && p !== 'User:ANONYMOUS');
  const whose = users.length === 0 ? '' : ` of ${shortList(users)}`;
  const others = acls.filter((a) => a.resourceType !== 'topic' && a.resourceType !== 'group');
  const list: ByHand[] = [
    {
      what: `SCRAM secrets${whose}: brokers give them to nobody`,
      how: `make each user in ${standby} with its password (kafka-configs.sh --alter --add-config 'SCRAM-SHA-512=[password=…]' --entity-type users)`,
    },
    {
      what: 'client certificates: the principal is made of their name by ssl.principal.mapping.rules',
      how: `trust the same authority in ${standby} and set the same rules, so that the ACLs mean the same clients`,
    },
    { what: 'delegation tokens', how: `let the clients ask ${standby} for their own` },
    {
      what: 'quotas of clients and users',
      how: `compare kafka-configs.sh --describe --entity-type users --entity-type clients of ${source} and ${standby}`,
    },
    {
      what: `the names by which clients find the brokers (bootstrap.servers), and those in the brokers' certificates`,
      how: `let clients use a name of \`dns.records\`, and put it into the certificates of both regions`,
    },
  ];
  if (others.length > 0) {
    const kinds = shortList([
      ...new Set(others.map((a) => `${a.principal} ${a.operation} on ${a.resourceType} ${a.resourceName}`)),
    ]);
    list.push({
      what: `${others.length} ACLs of other things than topics and groups: ${kinds}`,
      how: `make those that the standby's clients need with kafka-acls.sh in ${standby}`,
    });
  }
  if (schemas) list.push(schemaRegistry(standby, topics.includes(schemasTopic)));
  return list;
}

function schemaRegistry(standby: string, mirrored: boolean): ByHand {
  if (mirrored) {
    return {
      what: `the Schema Registry of ${standby}: its ids are those of the mirrored ${schemasTopic}, unchanged`,
      how: `let it only read until the promotion (leader.eligibility=false): what it writes itself would be foreign records`,
    };
  }
  return {
    what: `the Schema Registry's topic ${schemasTopic}, which \`topics\` doesn't name`,
    how: `name it there: with the same records the ids stay the same`,
  };
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} others` : shown;
}
