import { z } from 'zod';
import type { KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import type { Finding, Looked } from './standby-check.ts';

/** Something that the standby's pods must reach. */
export interface ProbeTarget {
  readonly what: 'bucket' | 'kafka';
  readonly host: string;
  readonly port: number;
  /** Where the address stands: `regions.singapore.kafka.bootstrap`, `spec.job.args`. */
  readonly from: string;
}

/** What came of one target. */
export interface ProbedTarget extends ProbeTarget {
  /** Absent: it was reached. */
  readonly failed?: string;
}

/** Where the probe of one job found its way, or why there was none. */
export interface JobProbe {
  readonly job: string;
  readonly namespace: string;
  readonly probed: Looked<readonly ProbedTarget[]>;
}

/** Every probe's pod has this label: what a killed command left is found, and deleted, by it. */
export const probeLabel = { 'app.kubernetes.io/managed-by': 'argus', 'app.kubernetes.io/component': 'probe' } as const;

/** The pod ends by itself after so long, also when nobody is left to delete it. */
const endsAfterSeconds = 120;
const eachSeconds = 5;

const specShape = z.looseObject({
  image: z.string().nullish(),
  imagePullPolicy: z.string().nullish(),
  serviceAccount: z.string().nullish(),
  flinkConfiguration: z.record(z.string(), z.unknown()).nullish(),
  podTemplate: z
    .looseObject({
      spec: z
        .looseObject({
          nodeSelector: z.unknown().optional(),
          tolerations: z.unknown().optional(),
          imagePullSecrets: z.unknown().optional(),
          hostAliases: z.unknown().optional(),
          dnsConfig: z.unknown().optional(),
          dnsPolicy: z.unknown().optional(),
        })
        .nullish(),
    })
    .nullish(),
  job: z.looseObject({ args: z.array(z.string()).nullish() }).nullish(),
});

/** A host has a letter or a dot: `12:30` is none. */
const address = /^(?=[^:]*[A-Za-z.])([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})$/;

/**
 * What the pods of a job have to reach: the bucket by the manifest's `s3.endpoint`, else by the region's; the brokers of
 * the region, and whatever looks like brokers in the job's arguments. Each once. Pure.
 */
export function probeTargets(
  object: KubernetesObject,
  region: { readonly name: string; readonly bootstrap: readonly string[]; readonly endpoint: string },
): readonly ProbeTarget[] {
  const spec = specShape.safeParse(object.spec).data;
  const own = spec?.flinkConfiguration?.['s3.endpoint'];
  const bucket =
    typeof own === 'string'
      ? targetOfUrl(own, 'spec.flinkConfiguration s3.endpoint')
      : targetOfUrl(region.endpoint, `regions.${region.name}.objects.endpoint`);
  const brokers = region.bootstrap.map((text) => ({ text, from: `regions.${region.name}.kafka.bootstrap` }));
  const args = (spec?.job?.args ?? [])
    .flatMap((arg) => arg.replace(/^--?[\w.-]+=/, '').split(','))
    .map((text) => ({ text: text.trim(), from: 'spec.job.args' }));
  const kafka = [...args, ...brokers].flatMap(({ text, from }): ProbeTarget[] => {
    const [, host, port] = address.exec(text) ?? [];
    return host === undefined ? [] : [{ what: 'kafka', host, port: Number(port), from }];
  });
  return [...(bucket ? [bucket] : []), ...kafka].filter(
    (each, i, all) => all.findIndex((o) => o.host === each.host && o.port === each.port) === i,
  );
}

/** Flink takes an endpoint without a scheme, too: then it is TLS. */
function targetOfUrl(text: string, from: string): ProbeTarget | undefined {
  const whole = /^https?:\/\//.test(text) ? text : `https://${text}`;
  if (!URL.canParse(whole)) return undefined;
  const { hostname, port, protocol } = new URL(whole);
  return { what: 'bucket', host: hostname, port: Number(port || (protocol === 'http:' ? 80 : 443)), from };
}

/**
 * Only what bash itself has: every image of Flink has bash, and not each of them `timeout`. Hosts and ports are
 * arguments, never part of the program.
 */
const script = `for t in "$@"; do
  h=\${t%:*}; p=\${t##*:}
  exec 4< <( (exec 3<>"/dev/tcp/$h/$p") 2>&1 && echo reached )
  tries=$!
  if IFS= read -r -t ${eachSeconds} said <&4; then
    if [ "$said" = reached ]; then echo "argus-probe $t ok"; else echo "argus-probe $t failed $said"; fi
  elif [ $? -gt 128 ]; then
    kill "$tries" 2>/dev/null
    echo "argus-probe $t failed no answer within ${eachSeconds} s"
  else
    echo "argus-probe $t failed it ended without a word"
  fi
  exec 4<&-
done`;

/** A pod with the job's image and account, placed as the job's pods are, that tries the targets and ends. Pure. */
export function probePod(
  object: KubernetesObject,
  place: { readonly namespace: string; readonly name: string },
  targets: readonly ProbeTarget[],
): KubernetesObject {
  const spec = specShape.parse(object.spec);
  const { nodeSelector, tolerations, imagePullSecrets, hostAliases, dnsConfig, dnsPolicy } =
    spec.podTemplate?.spec ?? {};
  const like = { nodeSelector, tolerations, imagePullSecrets, hostAliases, dnsConfig, dnsPolicy };
  const size = { cpu: '50m', memory: '64Mi' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...place, labels: probeLabel },
    spec: {
      ...Object.fromEntries(Object.entries(like).filter(([, value]) => value !== undefined && value !== null)),
      restartPolicy: 'Never',
      activeDeadlineSeconds: endsAfterSeconds,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      ...(spec.serviceAccount ? { serviceAccountName: spec.serviceAccount } : {}),
      containers: [
        {
          name: 'probe',
          image: spec.image,
          ...(spec.imagePullPolicy ? { imagePullPolicy: spec.imagePullPolicy } : {}),
          command: [
            'bash',
            '--norc',
            '-c',
            script,
            'argus-probe',
            ...targets.map(({ host, port }) => `${host}:${port}`),
          ],
          resources: { requests: size, limits: size },
        },
      ],
    },
  };
}

/** What the pod wrote, for each target; one of which it said nothing has failed. Pure. */
export function readProbe(log: string, targets: readonly ProbeTarget[]): readonly ProbedTarget[] {
  return targets.map((target) => {
    const start = `argus-probe ${target.host}:${target.port} `;
    const said = log
      .split('\n')
      .find((line) => line.startsWith(start))
      ?.slice(start.length);
    if (said === 'ok') return target;
    const reason = said?.replace(/^failed /, '').replace(/^argus-probe: (line \d+: )?(connect: )?/, '');
    return { ...target, failed: reason?.trim() || 'the pod said nothing of it' };
  });
}

/** What stands against a start by what the pods could reach. Pure. */
export function judgeProbe({ job, namespace, probed }: JobProbe): readonly Finding[] {
  if ('unseen' in probed) {
    const { message, hint = 'see by hand: kubectl run' } = probed.unseen;
    const text = `whether pods in ${namespace} reach bucket and Kafka is not known: ${message}`;
    return [{ job, severity: 'warning', code: 'ProbeUnknown', message: text, hint }];
  }
  return probed.seen.flatMap((target): Finding[] => {
    const { what, host, port, from, failed } = target;
    if (failed === undefined) return [];
    const code = what === 'bucket' ? 'BucketUnreachable' : 'KafkaUnreachable';
    const message = `a pod in ${namespace} can't reach ${what === 'bucket' ? 'the bucket' : 'Kafka'} at ${host}:${port} (${from}): ${failed}`;
    const hint = 'see names, network policies and routes from that namespace, and that it listens there';
    return [{ job, severity: 'refused', code, message, hint }];
  });
}
