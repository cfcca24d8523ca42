import { z } from 'zod';
import { secretRef } from '../../domain/config-values.ts';
import { ArgusError } from '../../domain/errors.ts';

const text = z.coerce.string().trim().min(1);
const list = z.union([
  z.array(text),
  text.transform((given) => given.split(/\s*,\s*/).filter((entry) => entry !== '')),
]);

/** What `argus init` asks of a region. Secrets are references: `env:NAME` or `file:path`. */
const side = z.strictObject({
  name: text.optional(),
  /** IPv4 that DNS records hold while the region serves. */
  address: text.optional(),
  /** Bootstrap servers. */
  kafka: list.optional(),
  kafkaUser: text.optional(),
  kafkaMechanism: text.optional(),
  kafkaPassword: text.optional(),
  /** `none`, `system` (the well-known authorities), or a file of certificates to trust. */
  kafkaTls: text.optional(),
  /** URL of the S3 API. */
  objects: text.optional(),
  bucket: text.optional(),
  s3Region: text.optional(),
  s3Key: text.optional(),
  s3Secret: text.optional(),
  /** URL of Flink's REST interface; or `kubernetes`. */
  flink: text.optional(),
  kubeconfig: text.optional(),
  kubeContext: text.optional(),
  /** Program arguments of the job there. */
  jobArgs: z.union([z.array(text), text.transform((given) => given.split(/\s+/))]).optional(),
  /** A session cluster for drills. */
  drillFlink: text.optional(),
  /** Who the drill's jobs are to the brokers there. */
  drillPrincipal: text.optional(),
  /** A namespace for drills, where the Flink operator runs the jobs. */
  drillNamespace: text.optional(),
  /** File with a single job's FlinkDeployment in a drill there. */
  drillManifest: text.optional(),
  /** Program arguments of the job in a drill there. */
  drillArgs: z.union([z.array(text), text.transform((given) => given.split(/\s+/))]).optional(),
});

/** Everything that can be answered beforehand, by flags or by a file. */
export const answersShape = z.strictObject({
  primary: side.default({}),
  standby: side.default({}),
  topics: list.optional(),
  /** Names of the jobs in Flink; what is told of them below is for a single one. */
  jobs: list.optional(),
  jobJar: text.optional(),
  jobClass: text.optional(),
  jobParallelism: z.coerce.number().int().positive().optional(),
  jobGroup: text.optional(),
  jobCheckpoints: text.optional(),
  /** Topics of its exactly-once sinks. */
  jobWrites: list.optional(),
  dnsZone: text.optional(),
  dnsToken: text.optional(),
  dnsApi: text.optional(),
  route53: text.optional(),
  records: list.optional(),
  resolvers: list.optional(),
  /** `file:<folder>`, or `s3://bucket/prefix`, by default in the standby's store. */
  state: text.optional(),
  stateEndpoint: text.optional(),
  stateKey: text.optional(),
  stateSecret: text.optional(),
  /** Port of the daemon. */
  port: z.coerce.number().int().min(0).max(65_535).optional(),
});

/** Answers that were given, where they were. */
export type Answers = z.output<typeof answersShape>;
export type SideAnswers = Answers['primary'];
export type SideName = 'primary' | 'standby';

const sideKeys = Object.keys(side.shape);
const plainKeys = Object.keys(answersShape.shape).filter((key) => key !== 'primary' && key !== 'standby');

/** Options of the command line as answers; what they don't say is taken from `beneath`. Pure. */
export function answersOf(options: Readonly<Record<string, unknown>>, beneath: Answers): Answers {
  const given: Record<string, unknown> = {};
  for (const key of plainKeys) if (options[key] !== undefined) given[key] = options[key];
  const sideOf = (of: SideName) => {
    const own: Record<string, unknown> = {};
    for (const key of sideKeys) {
      const value = options[key === 'name' ? of : `${of}${key[0]?.toUpperCase()}${key.slice(1)}`];
      if (value !== undefined) own[key] = value;
    }
    return { ...beneath[of], ...side.parse(own) };
  };
  const rest = answersShape.parse({ ...given });
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return { ...beneath, ...said, primary: sideOf('primary'), standby: sideOf('standby') };
}

/** `primary-kafkaPassword` → `--primary-kafka-password`. */
const flagOf = (key: string) => `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Refuses (exit code 2) a secret that is given itself, not by where it stands; doesn't repeat it. */
export function requireReferences(answers: Partial<Answers>): void {
  const { dnsToken, stateKey, stateSecret } = answers;
  const sides = (['primary', 'standby'] as const).flatMap((of) => {
    const { kafkaPassword, s3Key, s3Secret } = answers[of] ?? {};
    return Object.entries({ kafkaPassword, s3Key, s3Secret }).map(([key, value]) => [flagOf(`${of}-${key}`), value]);
  });
  const plain = Object.entries({ dnsToken, stateKey, stateSecret }).map(([key, value]) => [flagOf(key), value]);
  for (const [flag, value] of [...sides, ...plain]) {
    if (value === undefined || secretRef.safeParse(value).success) continue;
    throw new ArgusError('ConfigError', `${flag} takes the place of a secret, not the secret itself`, {
      hint: 'put it into a variable or a file, and give env:NAME or file:path',
      exitCode: 2,
    });
  }
}
