import type { Clock } from '../domain/clock.ts';
import { featureLevelsRequest } from '../regions/kafka/feature-levels.ts';
import { KafkaCluster } from '../regions/kafka/kafka-cluster.ts';
import type { Region } from '../regions/region.ts';
import type { RegionVersions } from './platform-versions.ts';
import { probe } from './probe.ts';

/** What regions run, while they are asked. */
export interface VersionsLook {
  /** What has been answered by now; the rest is not seen. */
  soFar(): readonly RegionVersions[];
  /** The same, once all have answered or the time is over. Never throws. */
  readonly whole: Promise<readonly RegionVersions[]>;
}

/** So long is waited for an answer. */
const patienceMs = 2_000;

type Asked = Pick<Region, 'name' | 'brokers' | 'flink' | 'kubernetes'>;

/** Asks all regions at once which releases they run, beside what else goes on: for a note, so that silence is no error. */
export function lookAtVersions(
  regions: Iterable<Asked>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): VersionsLook {
  const asked = [...regions];
  const seen = new Map(asked.map((region) => [region.name, nothingOf(region)]));
  const ask = async (
    name: string,
    act: (call: { readonly signal: AbortSignal }) => Promise<Partial<RegionVersions>>,
  ): Promise<void> => {
    // Why somebody is silent other checks tell.
    const { value } = await probe(act, { clock, signal, deadlineMs: patienceMs });
    const before = seen.get(name);
    if (before !== undefined && value !== undefined) seen.set(name, { ...before, ...value });
  };
  const answers = asked.flatMap(({ name, brokers, flink, kubernetes }) => [
    ask(name, async (call) => ({ kafka: await kafkaLevels(brokers, call.signal) })),
    ask(name, async (call) => ({ flink: [...((await flink.versions?.(call)) ?? [])] })),
    ...(kubernetes === undefined ? [] : [ask(name, async (call) => ({ kubernetes: await kubernetes.version(call) }))]),
  ]);
  const soFar = () => [...seen.values()];
  return { soFar, whole: Promise.all(answers).then(soFar) };
}

const nothingOf = ({ name, kubernetes }: Asked): RegionVersions => ({
  ...{ region: name, kafka: null, flink: null },
  ...(kubernetes === undefined ? {} : { kubernetes: null }),
});

async function kafkaLevels(brokers: Region['brokers'], signal: AbortSignal): Promise<RegionVersions['kafka']> {
  const times = { connectTimeoutMs: patienceMs, requestTimeoutMs: patienceMs };
  const cluster = new KafkaCluster({ ...brokers, clientId: 'argus-versions', ...times });
  try {
    const { levels, supported } = await cluster.ask(featureLevelsRequest, signal);
    const [level, most] = [levels.get('metadata.version'), supported.get('metadata.version')];
    return {
      ...(level === undefined ? {} : { metadataVersion: level }),
      ...(most === undefined ? {} : { supports: most }),
    };
  } finally {
    cluster.close();
  }
}
