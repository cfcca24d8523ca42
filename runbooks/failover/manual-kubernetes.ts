import type { Config } from '../../domain/config.ts';

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

/** What a person would type to stop a job's FlinkDeployment, and to see it gone. */
export function stopByKubectl(config: Config, region: string, deployment: Deployment): readonly string[] {
  const k = kubectl(config, region, deployment);
  const name = deployment.deployment;
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
  const { deployment: name, manifest, restorePath } = deployment;
  const change = JSON.stringify({
    spec: {
      flinkConfiguration: {
        '$internal.pipeline.job-id': start.jobId,
        'execution.savepoint-restore-mode': start.claimMode,
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
  if (manifest === undefined) {
    return [...patchMap, `${k} patch flinkdeployment ${name} --type merge -p ${quote(change)}`];
  }
  const read =
    typeof manifest === 'string'
      ? `cat ${quote(manifest)}`
      : `${k} get configmap ${manifest.configMap} -o ${quote(`jsonpath={.data.${manifest.key.replaceAll('.', '\\.')}}`)}`;
  return [
    ...patchMap,
    `${k} delete flinkdeployment ${name} --ignore-not-found --wait=true # one that has run before ignores the path`,
    `${read} | ${k} patch --local -f - --type merge -p ${quote(change)} -o yaml | ${k} create -f -`,
  ];
}

/** What the operator says of a job, and how often its pods were started again. */
export function statusByKubectl(config: Config, region: string, deployment: Deployment): string {
  const k = kubectl(config, region, deployment);
  const path = 'jsonpath={.status.jobManagerDeploymentStatus} {.status.lifecycleState}';
  return `${k} get flinkdeployment ${deployment.deployment} -o ${quote(path)}; ${k} get pods -l app=${deployment.deployment} # READY STABLE, no RESTARTS`;
}

/** A question to a job's REST interface. */
export function restByKubectl(config: Config, region: string, deployment: Deployment, path: string): string {
  const { namespace, deployment: name } = deployment;
  const root = `/api/v1/namespaces/${namespace}/services/${name}-rest:rest/proxy`;
  return `${kubectl(config, region, deployment)} get --raw ${quote(root + path)}`;
}

/** A word for a POSIX shell. */
const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
