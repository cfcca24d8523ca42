/** One answer of `argus init` as an option: its flag, what stands behind it, and what it means. */
export interface InitOption {
  readonly flag: string;
  readonly value: string;
  readonly about: string;
}

const ofSide = (side: 'primary' | 'standby'): readonly InitOption[] => [
  { flag: `--${side}`, value: 'name', about: `name of the ${side}` },
  { flag: `--${side}-address`, value: 'ipv4', about: 'what names lead to while it works' },
  { flag: `--${side}-kafka`, value: 'servers', about: 'bootstrap servers, host:port, …' },
  { flag: `--${side}-kafka-user`, value: 'name', about: "Argus' user there" },
  { flag: `--${side}-kafka-mechanism`, value: 'name', about: 'default: SCRAM-SHA-512' },
  { flag: `--${side}-kafka-password`, value: 'reference', about: 'env:NAME or file:path' },
  { flag: `--${side}-kafka-tls`, value: 'what', about: 'none, system, or a file of certificates to trust' },
  { flag: `--${side}-objects`, value: 'url', about: 'the object store (S3)' },
  { flag: `--${side}-bucket`, value: 'name', about: "Flink's checkpoints; at the standby their replica" },
  { flag: `--${side}-s3-region`, value: 'name', about: 'default: auto' },
  { flag: `--${side}-s3-key`, value: 'reference', about: 'env:NAME or file:path' },
  { flag: `--${side}-s3-secret`, value: 'reference', about: 'env:NAME or file:path' },
  { flag: `--${side}-flink`, value: 'url', about: "Flink's REST interface, or: kubernetes" },
  { flag: `--${side}-kubeconfig`, value: 'file', about: "default: kubectl's own" },
  { flag: `--${side}-kube-context`, value: 'name', about: "default: the file's current one" },
  { flag: `--${side}-job-args`, value: 'words', about: "the job's arguments there, split at spaces" },
  { flag: `--${side}-drill-flink`, value: 'url', about: 'a session cluster for drills' },
  {
    flag: `--${side}-drill-principal`,
    value: 'name',
    about: "who the drills' jobs are to the brokers there: User:drill",
  },
  { flag: `--${side}-drill-namespace`, value: 'name', about: 'for drills, where the Flink operator runs the jobs' },
  {
    flag: `--${side}-drill-manifest`,
    value: 'file',
    about: "a single job's FlinkDeployment in a drill there; default: jobs/<job>-drill-<region>.yaml",
  },
  { flag: `--${side}-drill-args`, value: 'words', about: "the job's arguments in a drill there" },
];

/** Every answer that can be given beforehand. Light: it is loaded with the command line. */
export const initOptions: readonly InitOption[] = [
  ...ofSide('primary'),
  ...ofSide('standby'),
  { flag: '--topics', value: 'names', about: 'to mirror: a,b' },
  { flag: '--jobs', value: 'names', about: 'in Flink: a,b' },
  { flag: '--job-jar', value: 'file', about: 'of a single job' },
  { flag: '--job-class', value: 'name', about: 'its main class' },
  { flag: '--job-parallelism', value: 'n', about: 'default: 1' },
  { flag: '--job-group', value: 'name', about: 'its consumer group' },
  { flag: '--job-checkpoints', value: 'folder', about: 'of its checkpoints in the bucket' },
  { flag: '--job-writes', value: 'names', about: 'topics of its exactly-once sinks: a,b' },
  { flag: '--dns-zone', value: 'name', about: 'at Cloudflare, unless --route53' },
  { flag: '--dns-token', value: 'reference', about: 'env:NAME or file:path' },
  { flag: '--dns-api', value: 'url', about: "another API than Cloudflare's own" },
  { flag: '--route53', value: 'id', about: 'the hosted zone, in place of Cloudflare' },
  { flag: '--records', value: 'names', about: 'that follow the primary: a,b' },
  { flag: '--resolvers', value: 'servers', about: 'host:port,… (default: 1.1.1.1:53,8.8.8.8:53)' },
  { flag: '--state', value: 'place', about: 's3://bucket/prefix or file:./state' },
  { flag: '--state-endpoint', value: 'url', about: "default: the standby's store" },
  { flag: '--state-key', value: 'reference', about: "default: the standby's" },
  { flag: '--state-secret', value: 'reference', about: "default: the standby's" },
  { flag: '--port', value: 'n', about: "the daemon's (default: 9464)" },
];
