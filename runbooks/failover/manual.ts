import type { Config } from '../../domain/config.ts';
import { offsetToJson, type PartitionOffset } from '../../domain/offsets.ts';
import type { FlinkJob } from '../../regions/flink/flink-jobs.ts';
import type { Acl } from '../../regions/kafka/kafka-acls.ts';
import { fencedTopics, fenceRules } from '../fencing/fence-rules.ts';
import type { FailoverStepId } from './failover-step.ts';
import { restByKubectl, startByKubectl, statusByKubectl, stopByKubectl } from './manual-kubernetes.ts';
import { digCommands, flipCommands, type ManualRecord } from './manual-names.ts';

/** The real values of the commands that a person would type. No secrets: those stand in the shell's environment. */
export interface ManualView {
  readonly config: Config;
  readonly primary: string;
  readonly standby: string;
  readonly primaryJobs: readonly Pick<FlinkJob, 'id' | 'name'>[];
  readonly withheldAcls: readonly Acl[];
  /** Flink ids of a drill's jobs. */
  readonly drillJobs?: readonly string[];
  readonly rolesEpoch: number;
  /** Where mirrored data ends for good; absent while the mirror runs. */
  readonly finalEnds?: readonly PartitionOffset[];
  readonly jobs: readonly {
    readonly name: string;
    readonly jarPath: string;
    readonly jobId: string;
    readonly pointUri?: string;
    /** The folder of the copy that the job is restored from with CLAIM, in the point's place. */
    readonly copyUri?: string;
  }[];
  readonly records: readonly ManualRecord[];
}

/** What a person would type instead of each step, with Kafka's own tools, aws, curl and dig. Pure. */
export function manualCommands(view: ManualView): Readonly<Record<FailoverStepId, readonly string[]>> {
  const { config, standby } = view;
  const to = config.regions[standby]!;
  const bootstrap = to.kafka.bootstrap.join(',');
  const s3 = `aws s3 --endpoint-url ${quote(to.objects.endpoint)}`;
  return {
    'stop-primary-jobs': stopCommands(view),
    'fence-primary': fenceCommands(view),
    'freeze-mirror': [
      '# stop every `argus daemon` and `argus mirror run`, then note where the logs end, in $ENDS:',
      noteEnds(
        config.topics.map((t) => `kafka-get-offsets.sh --bootstrap-server ${quote(bootstrap)} --topic ${quote(t)}`),
      ),
    ],
    'seal-mirror':
      config.mirror.denyWrite && config.mirror.principal !== undefined
        ? config.topics.map(
            (t) =>
              `kafka-acls.sh --bootstrap-server ${quote(bootstrap)} --add --deny-principal ${quote(config.mirror.principal ?? '')} --operation Write --topic ${quote(t)}`,
          )
        : ['# nothing: every `argus daemon` and `argus mirror run` is stopped already'],
    'sync-groups': config.jobs.map(
      (j) =>
        `kafka-consumer-groups.sh --bootstrap-server ${quote(bootstrap)} --describe --group ${quote(j.consumerGroup)}`,
    ),
    'choose-recovery-point': config.jobs.map(
      (j) =>
        `${s3} ls --recursive ${quote(`s3://${to.objects.bucket}/argus/replica/${j.name}/points/`)} | grep manifest.json | tail -3`,
    ),
    'prepare-restore': view.jobs.every((j) => j.copyUri === undefined)
      ? ['# nothing to copy']
      : view.jobs.flatMap(({ pointUri, copyUri }) =>
          pointUri === undefined || copyUri === undefined
            ? []
            : [`argus checkpoints relocate ${quote(pointUri)} --to ${quote(copyUri)} --copy`],
        ),
    'release-acls': view.withheldAcls.length
      ? view.withheldAcls.map((acl) => aclCommand(bootstrap, acl))
      : ['# nothing was withheld'],
    'end-drill': endDrillCommands(view),
    'start-jobs': view.jobs.flatMap(({ name, jarPath, jobId, pointUri, copyUri }) => {
      const { submit, kubernetes } = config.jobs.find((j) => j.name === name)!;
      const path = copyUri === undefined ? (pointUri ?? '<the manifest’s replicaUri>') : `${copyUri}/metadata`;
      const claimMode = copyUri === undefined ? 'NO_CLAIM' : 'CLAIM';
      const deployment = kubernetes?.[standby];
      if (to.flink.rest === undefined) {
        return deployment === undefined ? [] : startByKubectl(config, standby, deployment, { jobId, path, claimMode });
      }
      const flink = trim(to.flink.rest);
      const body = {
        entryClass: submit?.entryClass,
        parallelism: submit?.parallelism,
        programArgsList: submit?.args[standby] ?? [],
        savepointPath: path,
        claimMode,
        jobId,
      };
      return [
        `JAR=$(curl -fF ${quote(`jarfile=@${jarPath}`)} ${quote(`${flink}/jars/upload`)} | sed 's/.*\\/\\([^/"]*\\.jar\\)".*/\\1/')`,
        `curl -fX POST "${flink}/jars/$JAR/run" -H 'Content-Type: application/json' -d ${quote(JSON.stringify(body))}`,
      ];
    }),
    'end-transactions': [
      `kafka-transactions.sh --bootstrap-server ${quote(bootstrap)} list | grep -E '__argus-mirror-.*Ongoing' # none: go on`,
      `# for each: kafka-transactions.sh --bootstrap-server ${quote(bootstrap)} describe-producers --topic <topic> --partition <n>`,
      `# then: kafka-transactions.sh --bootstrap-server ${quote(bootstrap)} abort --topic <topic> --partition <n> --start-offset <its CurrentTransactionStartOffset>`,
    ],
    promote: [
      ...(view.finalEnds === undefined
        ? ['# promotedAt: the ends noted in step 3, the instant: when this is run']
        : []),
      promoteCommand(view),
    ],
    'flip-names': flipCommands(config, standby, view.records),
    'await-checkpoint': view.jobs.map((j) => {
      const path = `/jobs/${j.jobId}/checkpoints`;
      return `${askFlink(config, standby, j.name, path)} # latest.completed.id > latest.restored.id`;
    }),
    'verify-names': digCommands(config),
    'confirm-jobs': config.jobs.flatMap(({ kubernetes }) => {
      const deployment = kubernetes?.[standby];
      return deployment === undefined ? [] : [statusByKubectl(config, standby, deployment)];
    }),
  };
}

function endDrillCommands({ config, standby, drillJobs = [] }: ManualView): readonly string[] {
  const rest = config.drill.regions[standby]?.flink?.rest ?? config.regions[standby]?.flink.rest;
  if (rest === undefined || drillJobs.length === 0) return ['# no job of a drill runs'];
  return drillJobs.map((id) => `curl -fX PATCH ${quote(`${trim(rest)}/jobs/${id}?mode=cancel`)} # of a drill`);
}

function stopCommands({ config, primary, primaryJobs }: ManualView): readonly string[] {
  const { rest } = config.regions[primary]!.flink;
  if (rest === undefined) {
    return config.jobs.flatMap(({ kubernetes }) =>
      kubernetes?.[primary] === undefined ? [] : stopByKubectl(config, primary, kubernetes[primary]),
    );
  }
  const flink = trim(rest);
  return primaryJobs.length
    ? primaryJobs.map((j) => `curl -fX PATCH ${quote(`${flink}/jobs/${j.id}?mode=cancel`)} # ${j.name}`)
    : [`curl -f ${quote(`${flink}/jobs/overview`)} # each that is not finished: PATCH /jobs/<id>?mode=cancel`];
}

function fenceCommands({ config, primary }: ManualView): readonly string[] {
  const { bootstrap, fence } = config.regions[primary]!.kafka;
  if (fence === undefined || fence.by === 'none')
    return [`# keep the producers of ${primary} away from its Kafka: stop them, or cut their way`];
  const principals = [...fence.producers, ...fence.jobs].map((p) => p.principal);
  return fenceRules(principals, fencedTopics(config, fence)).map((acl) => aclCommand(bootstrap.join(','), acl));
}

/** A question to the REST interface of a job's cluster. */
function askFlink(config: Config, region: string, job: string, path: string): string {
  const { rest } = config.regions[region]!.flink;
  const deployment = config.jobs.find((j) => j.name === job)?.kubernetes?.[region];
  return rest === undefined && deployment !== undefined
    ? restByKubectl(config, region, deployment, path)
    : `curl -f ${quote(`${trim(rest ?? '')}${path}`)}`;
}

/** How kafka-acls.sh calls what a rule is about. */
const kafkaOption: Readonly<Record<Acl['resourceType'], string>> = {
  topic: 'topic',
  group: 'group',
  cluster: 'cluster',
  transactionalId: 'transactional-id',
  delegationToken: 'delegation-token',
  user: 'user-principal',
};

function aclCommand(bootstrap: string, acl: Acl): string {
  const verb = acl.permission === 'ALLOW' ? 'allow' : 'deny';
  const operation = acl.operation.replace(/([A-Z])([A-Z]*)_?/g, (_, first, rest) => first + rest.toLowerCase());
  return [
    `kafka-acls.sh --bootstrap-server ${quote(bootstrap)} --add --${verb}-principal ${quote(acl.principal)}`,
    `--${verb}-host ${quote(acl.host)} --operation ${operation} --${kafkaOption[acl.resourceType]} ${quote(acl.resourceName)}`,
    `--resource-pattern-type ${acl.patternType}`,
  ].join(' ');
}

function promoteCommand(view: ManualView): string {
  const key = `roles/${String(view.rolesEpoch + 1).padStart(10, '0')}`;
  const roles = JSON.stringify({
    epoch: view.rolesEpoch + 1,
    primary: view.standby,
    standby: view.primary,
    replication: 'suspended',
    atMs: '<now>',
    by: 'by hand',
    promotedAt: view.finalEnds?.map(offsetToJson) ?? ['<ends>'],
  });
  // What only the shell will know stands outside the quotes.
  const document = quote(roles)
    .replace('"<now>"', `'"$(date +%s)000"'`)
    .replace('"<ends>"', `'"\${ENDS:?note them in step 3}"'`);
  const { state } = view.config;
  if (typeof state === 'string') {
    const file = `${state.slice('file:'.length)}/${key}`;
    return `(set -C; echo ${document} > ${quote(file)}) # never overwrites`;
  }
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(state.url) ?? [];
  const path = [prefix.replace(/\/+$/, ''), key].filter((p) => p !== '').join('/');
  return (
    `echo ${document} > roles.json && aws s3api put-object --endpoint-url ${quote(state.endpoint)} ` +
    `--bucket ${quote(bucket)} --key ${quote(path)} --body roles.json --if-none-match '*'`
  );
}

/** Runs what prints `topic:partition:offset` lines, and keeps them as the JSON objects of a role document. */
const noteEnds = (commands: readonly string[]) =>
  `ENDS=$({ ${commands.join('; ')}; } | awk -F: '{printf "%s{\\"topic\\":\\"%s\\",\\"partition\\":%s,\\"offset\\":\\"%s\\"}", (NR > 1 ? "," : ""), $1, $2, $3}'); echo "$ENDS"`;

const trim = (url: string) => url.replace(/\/+$/, '');

/** A word for a POSIX shell. */
const quote = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
