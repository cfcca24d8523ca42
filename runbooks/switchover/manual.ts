import type { Config } from '../../domain/config.ts';

/** The real values of the commands that a person would type. No secrets. */
export interface ManualView {
  readonly config: Config;
  readonly primary: string;
  readonly standby: string;
  /** Of the primary's objects. */
  readonly bucketUri: string;
  /** By job: the folder that its savepoint is written to. */
  readonly savepointFolders: Readonly<Record<string, string>>;
}

/** The steps of a switchover that a failover has not, or does otherwise. */
type OwnStepId =
  | 'check-ready'
  | 'deny-producers'
  | 'await-catch-up'
  | 'stop-with-savepoint'
  | 'deny-jobs'
  | 'prove-ends'
  | 'copy-savepoints'
  | 'open-mirror'
  | 'promote';

/** What a person would type instead of each step, with Kafka's own tools, curl and argus. Pure. */
export function manualCommands(view: ManualView): Readonly<Record<OwnStepId, readonly string[]>> {
  const { config, primary, standby } = view;
  const from = bootstrapOf(config, primary);
  const { producers, jobs } = config.regions[primary]?.kafka.fence ?? { producers: [], jobs: [] };
  const flink = config.regions[primary]?.flink.rest;
  return {
    'check-ready': ['argus status', 'argus standby check'],
    'deny-producers': denials(config, primary, producers, '--add'),
    'await-catch-up': config.jobs.map(
      (j) =>
        `kafka-consumer-groups.sh --bootstrap-server ${quote(from)} --describe --group ${quote(j.consumerGroup)} # until LAG is 0`,
    ),
    'stop-with-savepoint': config.jobs.map(({ name }) => {
      const directory = `${view.bucketUri}/${view.savepointFolders[name] ?? ''}`;
      const body = JSON.stringify({ targetDirectory: directory, drain: false });
      const url = flink ?? `<the REST interface of ${name}>`;
      return `curl -sS -X POST ${quote(`${url}/jobs/<the id of ${name}>/stop`)} -H 'content-type: application/json' -d ${quote(body)}`;
    }),
    'deny-jobs': denials(config, primary, jobs, '--add'),
    'prove-ends': [primary, standby].flatMap((region) =>
      config.topics.map(
        (t) => `kafka-get-offsets.sh --bootstrap-server ${quote(bootstrapOf(config, region))} --topic ${quote(t)}`,
      ),
    ),
    'copy-savepoints': config.jobs.map(
      ({ name }) =>
        `argus checkpoints relocate ${quote(`${view.bucketUri}/${view.savepointFolders[name] ?? ''}/<job id>/<savepoint>`)} --to ${quote(`s3://${config.regions[standby]?.objects.bucket}/relocated/${name}`)} --copy`,
    ),
    'open-mirror':
      config.mirror.denyWrite && config.mirror.principal !== undefined
        ? denials(config, primary, [{ principal: config.mirror.principal }], '--remove --force')
        : ['# nothing: the mirror was not kept from writing by rules'],
    promote: [
      '# only Argus writes roles: go on with `argus switchover`, which finds what was done by hand and goes on from there',
    ],
  };
}

function denials(
  config: Config,
  region: string,
  principals: readonly { readonly principal: string }[],
  how: '--add' | '--remove --force',
): readonly string[] {
  if (principals.length === 0) return ['# nobody is named in kafka.fence: stop the services themselves'];
  return principals.flatMap(({ principal }) =>
    config.topics.map(
      (topic) =>
        `kafka-acls.sh --bootstrap-server ${quote(bootstrapOf(config, region))} ${how} --deny-principal ${quote(principal)} --operation Write --topic ${quote(topic)}`,
    ),
  );
}

const bootstrapOf = (config: Config, region: string) => config.regions[region]?.kafka.bootstrap.join(',') ?? '';

/** A word for a POSIX shell. */
const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
