import type { Config } from '../../domain/config.ts';
import { claimSettings } from '../../regions/flink/flink-deployment.ts';
import { jobIdAnnotation } from '../../regions/flink/flink-session-job.ts';

type Deployment = NonNullable<Config['jobs'][number]['kubernetes']>[string];

/** Which cluster kubectl is to ask; the token of a server stands in the shell's environment. */
function kubectl(config: Config, region: string, { namespace }: Deployment): string {
  const { kubeconfig, context, server, ca } = config.regions[region]?.kubernetes ?? {};
  const words = [
    'kubectl',
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', quote(kubeconfig)]),
    ...(context === undefined ? [] : ['--context', quote(context)]),
    ...(server === undefined ? [] : ['--server', quote(server), '--token', '"$KUBERNETES_TOKEN"']),
    ...(ca === undefined ? [] : ['--certificate-authority', quote(ca)]),
    '-n',
    namespace,
  ];
  return words.join(' ');
}

/** What a person would type to stop a job's FlinkDeployment or FlinkSessionJob, and to see it ended. */
export function stopByKubectl(config: Config, region: string, deployment: Deployment): readonly string[] {
  const k = kubectl(config, region, deployment);
  const { deployment: name, sessionJob } = deployment;
  if (sessionJob !== undefined) {
    const overview = restByKubectl(config, region, deployment, '/jobs/overview');
    return [
      `${k} delete flinksessionjob ${sessionJob} --wait=true --timeout=60s`,
      `${overview} # go on only when it has ended there: the object goes also when the job could not be cancelled`,
    ];
  }
  return [
    `${k} delete flinkdeployment ${name} --wait=true --timeout=60s`,
    `${k} get pods -l app=${name} # go on only when there are none: the object goes before its pods`,
  ];
}

/** What a person would type to start it from a path. A deployment that has run before ignores the path: it is made anew. */
export function startByKubectl(
  config: Config,
  region: string,
  deployment: Deployment,
  start: { readonly jobId: string; readonly path: string; readonly claimMode: string },
): readonly string[] {
  const k = kubectl(config, region, deployment);
  const { deployment: name, sessionJob, manifest, restorePath } = deployment;
  const change = JSON.stringify({
    spec: {
      flinkConfiguration: {
        '$internal.pipeline.job-id': start.jobId,
        ...claimSettings(start.claimMode),
      },
      job: { state: 'running', initialSavepointPath: start.path },
    },
  });
  const patchMap =
    restorePath === undefined
      ? []
      : [
          `${k} patch configmap ${restorePath.configMap} --type merge -p ${quote(JSON.stringify({ data: { [restorePath.key]: start.path } }))}`,
        ];
  if (sessionJob !== undefined) return [...patchMap, ...startInSession(k, deployment, start)];
  if (manifest === undefined) {
    return [...patchMap, `${k} patch flinkdeployment ${name} --type merge -p ${quote(change)}`];
  }
  const read = readManifest(k, manifest);
  return [
    ...patchMap,
    `${k} delete flinkdeployment ${name} --ignore-not-found --wait=true # one that has run before ignores the path`,
    `${read} | ${k} patch --local -f - --type merge -p ${quote(change)} -o yaml | ${k} create -f -`,
  ];
}

/** The manifest's object is made suspended, takes its path by a change, and only then runs. */
function startInSession(
  k: string,
  { sessionJob, manifest }: Deployment,
  start: { readonly jobId: string; readonly path: string },
): readonly string[] {
  const change = JSON.stringify({
    metadata: { annotations: { [jobIdAnnotation]: start.jobId } },
    spec: { job: { state: 'running', initialSavepointPath: start.path } },
  });
  const patch = `${k} patch flinksessionjob ${sessionJob} --type merge -p ${quote(change)}`;
  if (manifest === undefined) return [patch];
  return [
    `${k} delete flinksessionjob ${sessionJob} --ignore-not-found --wait=true # one that has run before ignores the path`,
    `${readManifest(k, manifest)} | ${k} apply --server-side -f - # with spec.job.state: suspended`,
    patch,
  ];
}

function readManifest(k: string, manifest: NonNullable<Deployment['manifest']>): string {
  if (typeof manifest === 'string') return `cat ${quote(manifest)}`;
  return `${k} get configmap ${manifest.configMap} -o ${quote(`jsonpath={.data.${manifest.key.replaceAll('.', '\\.')}}`)}`;
}

/** What the operator says of a job, and how often its pods were started again. */
export function statusByKubectl(config: Config, region: string, deployment: Deployment): string {
  const k = kubectl(config, region, deployment);
  if (deployment.sessionJob !== undefined) {
    const path = 'jsonpath={.status.jobStatus.state} {.status.lifecycleState}';
    return `${k} get flinksessionjob ${deployment.sessionJob} -o ${quote(path)} # RUNNING STABLE`;
  }
  const path = 'jsonpath={.status.jobManagerDeploymentStatus} {.status.lifecycleState}';
  return `${k} get flinkdeployment ${deployment.deployment} -o ${quote(path)}; ${k} get pods -l app=${deployment.deployment} # READY STABLE, no RESTARTS`;
}

/** A question to a job's REST interface. */
export function restByKubectl(config: Config, region: string, deployment: Deployment, path: string): string {
  const { namespace, deployment: name, sessionJob } = deployment;
  const k = kubectl(config, region, deployment);
  const root = `/api/v1/namespaces/${namespace}/services/${name}-rest:rest/proxy`;
  const ofJob = /^\/jobs\/[0-9a-f]+(?=\/)/;
  if (sessionJob === undefined || !ofJob.test(path)) return `${k} get --raw ${quote(root + path)}`;
  // Flink knows it by the operator's id.
  const id = `$(${k} get flinksessionjob ${sessionJob} -o jsonpath={.status.jobStatus.jobId})`;
  return `${k} get --raw "${root}${path.replace(ofJob, () => `/jobs/${id}`)}"`;
}

/** A word for a POSIX shell. */
const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
