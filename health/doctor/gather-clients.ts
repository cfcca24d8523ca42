import { describeError } from '../../domain/errors.ts';
import { partitionsOf } from '../../domain/offsets.ts';
import { serverCertificateNames } from '../../regions/certificate-ends.ts';
import { KafkaCluster, parseAddress } from '../../regions/kafka/kafka-cluster.ts';
import type { KafkaEndpoint } from '../../regions/kafka/kafka-security.ts';
import { describeProducers } from '../../regions/kafka/producers-of.ts';
import { readScramUsers } from '../../regions/kafka/scram-users.ts';
import type { Region } from '../../regions/region.ts';
import type { Seen, SeenClients } from './clients.ts';

type Side = Pick<Region, 'name' | 'brokers' | 'kafka'>;

const requestTimeoutMs = 8_000;
const schemasTopic = '_schemas';
/** Groups are asked in one go; more than this are not looked into. */
const mostGroups = 500;

/** Looks at what belongs to clients of both clusters; changes nothing, throws only for the signal. */
export async function gatherClients(sources: {
  readonly primary: Side;
  readonly standby: Side;
  readonly topics: readonly string[];
  readonly followed: SeenClients['followed'];
  readonly fenced: boolean;
  readonly signal: AbortSignal;
}): Promise<SeenClients> {
  const { primary, standby, topics, followed, fenced, signal } = sources;
  const [here, there] = [openCluster(primary.brokers), openCluster(standby.brokers)];
  const secure = primary.brokers.security?.tls !== undefined && standby.brokers.security?.tls !== undefined;
  const seen = <T>(answer: Promise<T>) => seenOr(answer, signal);
  try {
    const [scram, names, groups, producers, schemas] = await Promise.all([
      seen(Promise.all([readScramUsers(here, signal), readScramUsers(there, signal)])),
      secure
        ? seen(Promise.all([certificateNames(primary.brokers, signal), certificateNames(standby.brokers, signal)]))
        : undefined,
      seen(readersOf(primary, topics, signal)),
      seen(producersIn(here, primary, topics, signal)),
      seen(schemasAt(primary, topics, signal)),
    ]);
    return {
      primary: primary.name,
      standby: standby.name,
      scram,
      ...(names && { names }),
      groups,
      followed,
      producers,
      fenced,
      schemas,
    };
  } finally {
    here.close();
    there.close();
  }
}

/** Raw connections of the doctor to a region's brokers; to be closed. */
export function openCluster(brokers: KafkaEndpoint): KafkaCluster {
  return new KafkaCluster({ ...brokers, clientId: 'argus-doctor', connectTimeoutMs: 5_000, requestTimeoutMs });
}

async function seenOr<T>(answer: Promise<T>, signal: AbortSignal): Promise<Seen<T>> {
  try {
    return { seen: await answer };
  } catch (error) {
    signal.throwIfAborted();
    return { unknown: describeError(error) };
  }
}

async function certificateNames(brokers: KafkaEndpoint, signal: AbortSignal): Promise<readonly string[]> {
  const { cert, key, servername } = brokers.security?.tls ?? {};
  const own = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  const named = servername === undefined ? {} : { servername };
  const [address] = brokers.bootstrap.map(parseAddress);
  if (address === undefined) return [];
  return serverCertificateNames({ ...address, ...own, ...named }, { signal });
}

async function readersOf({ kafka }: Side, topics: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const groups = (await kafka.listGroups({ signal })).slice(0, mostGroups);
  const commits = await kafka.groupCommits(groups, { signal });
  const wanted = new Set(topics);
  return [...commits].flatMap(([group, of]) =>
    Array.isArray(of) && of.some((c) => wanted.has(c.topic)) ? [group] : [],
  );
}

async function producersIn(
  cluster: KafkaCluster,
  { kafka }: Side,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const described = await kafka.describeTopics(topics, { signal });
  await cluster.refresh([...described.keys()], signal);
  const answers = await describeProducers(cluster, partitionsOf([...described.values()]), signal);
  return new Set(answers.flatMap(({ producers }) => producers.map((p) => p.producerId))).size;
}

async function schemasAt({ kafka }: Side, topics: readonly string[], signal: AbortSignal) {
  if (topics.includes(schemasTopic)) return 'mirrored' as const;
  return (await kafka.describeTopics([schemasTopic], { signal })).has(schemasTopic)
    ? ('not-mirrored' as const)
    : ('none' as const);
}
