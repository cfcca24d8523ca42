import { stringify } from 'yaml';
import type { Answers, SideAnswers } from './answers.ts';
import type { InitJob } from './complete.ts';
import { kafkaOf } from './look.ts';

/** All that the text is made of. */
export interface InitPlan {
  readonly answers: Answers;
  readonly topics: readonly string[];
  readonly jobs: readonly InitJob[];
  readonly records: readonly string[];
  readonly resolvers: readonly string[];
  /** What didn't answer, by the section that it is about. */
  readonly remarks: readonly { readonly about: string; readonly remark: string }[];
}

/** A value on one line. */
const inline = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trimEnd();

/** The text of `argus.yaml`, with comments; what is proposed and not in force stands behind `#`. Pure. */
export function renderInit(plan: InitPlan): string {
  const { answers, topics, jobs, records, resolvers } = plan;
  const { primary, standby } = answers;
  const remarks = (about: string, indent = '') =>
    plan.remarks.filter((r) => r.about === about).map(({ remark }) => `${indent}# not confirmed: ${oneLine(remark)}`);
  return [
    '# Argus: docs/configuration.md has every key. Check it: argus config check; look at all that it names: argus doctor',
    'regions:',
    ...[primary, standby].flatMap((side) => regionLines(side, remarks)),
    '',
    'roles: # at the very first start; from then on the state decides',
    `  primary: ${inline(primary.name)}`,
    `  standby: ${inline(standby.name)}`,
    '',
    ...remarks('topics'),
    `topics: ${inline(topics)} # mirrored, offset for offset`,
    '# groups: { include: ["*"], exclude: [console-*] } # further consumer groups whose offsets are copied',
    '',
    'jobs:',
    ...remarks('jobs', '  '),
    ...jobs.flatMap((job) => jobLines(job, answers, jobs.length === 1)),
    '',
    ...remarks('dns'),
    'dns:',
    ...dnsLines(answers),
    '  records: # follow the primary',
    ...records.map((name) => `    - name: ${inline(name)}`),
    `  resolvers: ${inline(resolvers)} # where a change of names is verified`,
    '',
    'objectives: # what status, drills and reports measure against',
    '  rto: 15m',
    '  rpo: 1m',
    '',
    ...remarks('state'),
    ...stateLines(answers),
    '',
    ...drillLines(answers),
    '',
    'daemon:',
    '  host: 127.0.0.1 # nobody else can reach it',
    `  port: ${answers.port ?? 9464}`,
    '  # http: { tokens: { act: env:ARGUS_WEBHOOK_TOKEN } } # who may acknowledge and send alerts: docs/http.md',
    '',
    '# notify: # who is told what happens: docs/notifications.md',
    '# automatic: { mode: manual } # nothing moves by itself: docs/verdicts.md',
    '',
  ].join('\n');
}

function regionLines(
  side: SideAnswers,
  remarks: (about: string, indent?: string) => readonly string[],
): readonly string[] {
  const {
    name = '',
    address,
    objects,
    bucket,
    s3Region = 'auto',
    s3Key,
    s3Secret,
    flink,
    kubeconfig,
    kubeContext,
  } = side;
  const { bootstrap, tls, sasl } = kafkaOf(side) as ReturnType<typeof kafkaOf> & {
    readonly tls?: unknown;
    readonly sasl?: unknown;
  };
  const cluster = {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(kubeContext === undefined ? {} : { context: kubeContext }),
  };
  return [
    `  ${inline(name)}:`,
    `    address: ${inline(address)} # what the DNS records hold while this region serves`,
    ...remarks(`${name}.kafka`, '    '),
    '    kafka:',
    `      bootstrap: ${inline(bootstrap)}`,
    tls === undefined ? '      # tls: { ca: ca.pem } # absent: without TLS' : `      tls: ${inline(tls)}`,
    ...(sasl === undefined ? [] : [`      sasl: ${inline(sasl)}`]),
    '      # fence: { producers: [{ principal: User:ingest }], jobs: [{ principal: User:flink }] } # who is kept out once the region is not primary',
    ...remarks(`${name}.objects`, '    '),
    '    objects:',
    `      endpoint: ${inline(objects)}`,
    `      bucket: ${inline(bucket)}`,
    `      region: ${inline(s3Region)}`,
    `      accessKeyId: ${inline(s3Key)}`,
    `      secretAccessKey: ${inline(s3Secret)}`,
    ...remarks(`${name}.flink`, '    '),
    ...(flink === 'kubernetes'
      ? [`    kubernetes: ${inline(cluster)}`, '    flink: { kubernetes: {} }']
      : [`    flink: { rest: ${inline(flink)} }`]),
  ];
}

function jobLines(job: InitJob, answers: Answers, single: boolean): readonly string[] {
  const { primary, standby } = answers;
  const sides = [primary, standby];
  const { name, group, prefix, jar, entryClass, parallelism, deployment, writes } = job;
  const place = (side: SideAnswers) => ({
    namespace: deployment?.namespace ?? 'default',
    deployment: deployment?.name ?? name,
    ...(deployment?.sessionJob === undefined ? {} : { sessionJob: deployment.sessionJob }),
    manifest: `jobs/${name}-${side.name}.yaml`,
  });
  const clustered = sides.filter((side) => side.flink === 'kubernetes');
  return [
    `  - name: ${inline(name)} # the job's name in Flink`,
    `    checkpoints: { prefix: ${inline(prefix)} } # <prefix>/<job id>/chk-<n> in the region's bucket`,
    `    consumerGroup: ${inline(group)}`,
    writes === undefined
      ? '    # writes: [output] # topics of its exactly-once sinks: docs/checkpoints.md'
      : `    writes: ${inline(writes)} # topics of its exactly-once sinks`,
    ...(jar === undefined
      ? []
      : [
          '    submit: # how it is started in a session cluster',
          `      jar: ${inline(jar)}`,
          `      entryClass: ${inline(entryClass)}`,
          `      parallelism: ${parallelism}`,
          '      args: # for each region: its own brokers',
          ...sides.map((side) => `        ${inline(side.name)}: ${inline(side.jobArgs ?? [])}`),
        ]),
    ...(clustered.length === 0
      ? []
      : [
          '    kubernetes: # its FlinkDeployment in each region; the manifest is applied where it is started',
          ...clustered.map((side) => `      ${inline(side.name)}: ${inline(place(side))}`),
        ]),
    ...jobDrillLines(name, answers, single),
  ];
}

/** Whether a drill's job is a FlinkDeployment there. */
const drillsInOperator = ({ flink, drillFlink }: SideAnswers): boolean =>
  flink === 'kubernetes' && drillFlink === undefined;

function jobDrillLines(job: string, { primary, standby }: Answers, single: boolean): readonly string[] {
  const head = 'drill: # how a drill starts it, with names that touch nothing of production';
  const place = ({ name, drillNamespace: namespace = 'argus-drills', drillManifest }: SideAnswers) => ({
    namespace,
    manifest: (single ? drillManifest : undefined) ?? `jobs/${job}-drill-${name}.yaml`,
  });
  const placed = [primary, standby].filter((side) => drillsInOperator(side) && side.drillNamespace !== undefined);
  const lines = [
    ...(standby.drillArgs === undefined ? [] : [`args: { ${inline(standby.name)}: ${inline(standby.drillArgs)} }`]),
    ...(placed.length === 0 ? [] : ['kubernetes: # its FlinkDeployment there, in a namespace for drills alone']),
    ...placed.map((side) => `  ${inline(side.name)}: ${inline(place(side))}`),
  ];
  if (lines.length > 0) return [`    ${head}`, ...lines.map((line) => `      ${line}`)];
  const proposal = drillsInOperator(standby)
    ? `kubernetes: { ${standby.name}: ${inline(place(standby))} } # its FlinkDeployment in a namespace for drills alone: docs/drills.md`
    : `args: { ${standby.name}: [--in, events, --out, "{topic:output}", --group, "{group}", --txid, "{transactionalIdPrefix}"] }`;
  return [
    `    # ${head}`,
    `    #   ${proposal}`,
    '    #   compare: { by: key } # its output with what production made of the same records',
  ];
}

function dnsLines({ dnsZone, dnsToken = 'env:CLOUDFLARE_TOKEN', dnsApi, route53 }: Answers): readonly string[] {
  if (route53 !== undefined)
    return [`  route53: ${inline({ zone: dnsZone, hostedZoneId: route53 })} # credentials: the environment's`];
  return [
    '  cloudflare:',
    `    zone: ${inline(dnsZone)}`,
    `    token: ${inline(dnsToken)} # Zone:Read and DNS:Edit on the zone`,
    ...(dnsApi === undefined ? [] : [`    apiUrl: ${inline(dnsApi)}`]),
  ];
}

function stateLines({
  state = 'file:./state',
  stateEndpoint,
  stateKey,
  stateSecret,
  standby,
}: Answers): readonly string[] {
  if (state.startsWith('file:'))
    return [
      `state: ${inline(state)} # roles, lease, journal: a folder does while one machine alone runs argus; else a bucket in a third place`,
    ];
  return [
    'state: # roles, lease, journal: in a third place, or at the standby',
    `  url: ${inline(state)}`,
    `  endpoint: ${inline(stateEndpoint ?? standby.objects)}`,
    `  region: ${inline(standby.s3Region ?? 'auto')}`,
    `  accessKeyId: ${inline(stateKey ?? standby.s3Key)}`,
    `  secretAccessKey: ${inline(stateSecret ?? standby.s3Secret)}`,
  ];
}

function drillLines({ primary, standby }: Answers): readonly string[] {
  const head = 'drill: # the recovery, tried without touching production: argus drill run';
  const own = [primary, standby].filter((side) => side.drillFlink !== undefined || side.drillPrincipal !== undefined);
  if (own.length === 0)
    return [
      `# ${head}`,
      '#   timeout: 15m # a drill that takes longer is ended and cleaned up',
      drillsInOperator(standby)
        ? `#   regions: { ${standby.name}: { principal: "User:drill" } } # who its jobs are to the brokers`
        : `#   regions: { ${standby.name}: { flink: { rest: http://flink-drills.${standby.name}.example:8081 } } } # a session cluster of their own`,
    ];
  return [
    head,
    '  regions:',
    ...own.map(({ name, drillFlink, drillPrincipal: principal }) => {
      const flink = drillFlink === undefined ? {} : { flink: { rest: drillFlink } };
      const what = drillFlink === undefined ? 'who its jobs are to the brokers' : 'a session cluster of their own';
      return `    ${inline(name)}: ${inline({ ...flink, ...(principal === undefined ? {} : { principal }) })} # ${what}`;
    }),
  ];
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
