import type { DnsRecord } from '../../regions/dns/dns-records.ts';
import type { Answers, SideAnswers, SideName } from './answers.ts';
import type { Asker } from './ask.ts';
import type { FoundJob, FoundRegion, Looked } from './look.ts';

/** `mumbai-1` → `MUMBAI_1`: what the names of its variables begin with. Pure. */
export function variableOf(region: string): string {
  return region.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
}

const said = <T>(key: string, value: T | undefined) => (value === undefined ? {} : { [key]: value });

/** Asks what is open about a region's place and its connections. */
export async function completeSide(ask: Asker, of: SideName, given: SideAnswers): Promise<SideAnswers> {
  const flag = (key: string) => `--${of}-${key}`;
  const name =
    given.name ??
    (await ask.text({
      flag: `--${of}`,
      message: of === 'primary' ? 'What is the region called that works now?' : 'And the region that stands by?',
    }));
  const upper = variableOf(name ?? of);
  const text = async (value: string | undefined, key: string, message: string, fallback?: string, optional = false) =>
    value ?? (await ask.text({ flag: flag(key), message, optional, ...(fallback === undefined ? {} : { fallback }) }));
  const address = await text(given.address, 'address', `${name}: IPv4 address that names lead to while it works`);
  const kafka =
    given.kafka ??
    (await ask.text({ flag: flag('kafka'), message: `${name}: Kafka's bootstrap servers (host:port, …)` }))?.split(
      /\s*,\s*/,
    );
  const kafkaTls = await text(
    given.kafkaTls,
    'kafka-tls',
    `${name}: TLS to Kafka: none, system, or a file of certificates`,
    'none',
  );
  const kafkaUser = await text(
    given.kafkaUser,
    'kafka-user',
    `${name}: Argus' user at Kafka (empty: no login)`,
    undefined,
    true,
  );
  const kafkaPassword =
    kafkaUser === undefined
      ? undefined
      : await text(
          given.kafkaPassword,
          'kafka-password',
          `${name}: where its password stands`,
          `env:${upper}_KAFKA_PASSWORD`,
        );
  const objects = await text(given.objects, 'objects', `${name}: URL of the object store (S3)`);
  const bucket = await text(
    given.bucket,
    'bucket',
    `${name}: bucket of Flink's checkpoints${of === 'standby' ? ' (the replica)' : ''}`,
  );
  const s3Region = await text(given.s3Region, 's3-region', `${name}: the store's region`, 'auto');
  const s3Key = await text(given.s3Key, 's3-key', `${name}: where the access key stands`, `env:${upper}_S3_KEY`);
  const s3Secret = await text(
    given.s3Secret,
    's3-secret',
    `${name}: where its secret stands`,
    `env:${upper}_S3_SECRET`,
  );
  const flink = await text(
    given.flink,
    'flink',
    `${name}: URL of Flink's REST interface, or "kubernetes" with the Flink operator`,
  );
  const kubeconfig =
    flink === 'kubernetes'
      ? await text(given.kubeconfig, 'kubeconfig', `${name}: kubeconfig file (empty: kubectl's own)`, undefined, true)
      : given.kubeconfig;
  return {
    ...given,
    ...said('name', name),
    ...said('address', address),
    ...said('kafka', kafka),
    ...said('kafkaTls', kafkaTls),
    ...said('kafkaUser', kafkaUser),
    ...said('kafkaPassword', kafkaPassword),
    ...said('objects', objects),
    ...said('bucket', bucket),
    ...said('s3Region', s3Region),
    ...said('s3Key', s3Key),
    ...said('s3Secret', s3Secret),
    ...said('flink', flink),
    ...said('kubeconfig', kubeconfig),
  };
}

const foundIn = <T>(looked: Looked<T>, none: T): T => ('found' in looked ? looked.found : none);

/** Which topics: those that are there, without Kafka's and Argus' own. */
export async function completeTopics(ask: Asker, given: Answers, primary: FoundRegion): Promise<readonly string[]> {
  if (given.topics !== undefined) return given.topics;
  const { topics } = foundIn(primary.kafka, { topics: [], groups: [] });
  const ordinary = topics.filter((topic) => !topic.startsWith('__') && !topic.startsWith('argus.'));
  const question = { flag: '--topics', message: 'Topics to mirror' };
  if (ordinary.length > 0) return ask.some(question, ordinary, []);
  return (await ask.text({ ...question, message: 'Topics to mirror (a, b, …)' }))?.split(/\s*,\s*/) ?? [];
}

/** Which of the zone's names follow the primary: those that lead there. Where none does only a person chooses (`asks`). */
export async function completeRecords(
  ask: Asker,
  given: Answers,
  listed: readonly Pick<DnsRecord, 'name' | 'content'>[],
  asks: boolean,
): Promise<readonly string[]> {
  if (given.records !== undefined) return given.records;
  const following = listed.filter(({ content }) => content === given.primary.address).map(({ name }) => name);
  const question = { flag: '--records', message: 'DNS records that follow the primary' };
  if (listed.length > 0 && (following.length > 0 || asks))
    return ask.some(question, [...new Set(listed.map(({ name }) => name))], following);
  return (await ask.text({ ...question, message: `${question.message} (a, b, …)` }))?.split(/\s*,\s*/) ?? [];
}

/** A job as it will stand in the configuration. */
export interface InitJob {
  readonly name: string;
  readonly group: string;
  readonly prefix: string;
  readonly jar?: string;
  readonly entryClass?: string;
  readonly parallelism: number;
  readonly writes?: readonly string[];
  readonly deployment?: FoundJob['deployment'] & object;
}

/** Which jobs, and what is known of each. */
export async function completeJobs(ask: Asker, given: Answers, primary: FoundRegion): Promise<readonly InitJob[]> {
  const running = foundIn(primary.flink, []);
  const { groups } = foundIn(primary.kafka, { topics: [], groups: [] });
  const question = { flag: '--jobs', message: 'Flink jobs to protect' };
  const names =
    given.jobs ??
    (running.length > 0
      ? await ask.some(
          question,
          running.map(({ name }) => name),
          running.map(({ name }) => name),
        )
      : ((await ask.text({ ...question, message: 'Flink jobs to protect (their names in Flink: a, b, …)' }))?.split(
          /\s*,\s*/,
        ) ?? []));
  const jobs: InitJob[] = [];
  const single = names.length === 1;
  const inSession = [given.primary.flink, given.standby.flink].some((flink) => flink !== 'kubernetes');
  for (const name of names) {
    const found = running.find((job) => job.name === name);
    const own = single ? given : undefined;
    const group =
      own?.jobGroup ??
      (await ask.text({
        flag: '--job-group',
        message: `${name}: its consumer group in Kafka`,
        fallback: groups.includes(name) ? name : (groups.find((group) => group.includes(name)) ?? name),
      }));
    const prefix =
      own?.jobCheckpoints ??
      (await ask.text({
        flag: '--job-checkpoints',
        message: `${name}: folder of its checkpoints in the bucket`,
        fallback: found?.prefix ?? 'checkpoints',
      }));
    const jar = inSession
      ? (own?.jobJar ??
        (await ask.text({
          flag: '--job-jar',
          message: `${name}: its jar on this machine`,
          fallback: `jobs/${name}.jar`,
        })))
      : undefined;
    const entryClass = inSession
      ? (own?.jobClass ??
        (await ask.text({ flag: '--job-class', message: `${name}: its main class`, fallback: 'com.example.Main' })))
      : undefined;
    jobs.push({
      name,
      group: group ?? name,
      prefix: prefix ?? 'checkpoints',
      parallelism: own?.jobParallelism ?? 1,
      ...(jar === undefined ? {} : { jar }),
      ...(entryClass === undefined ? {} : { entryClass }),
      ...(own?.jobWrites ? { writes: own.jobWrites } : {}),
      ...(found?.deployment ? { deployment: found.deployment } : {}),
    });
  }
  return jobs;
}
