import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseDocument, stringify } from 'yaml';
import { clusterJob } from '../../lab/cluster-job/job-objects.ts';
import { clusterPlaceOf } from '../../lab/cluster-lab/places.ts';
import type { LabInfo, RegionName } from '../../lab/lab-info.ts';
import { clientNodeTransport } from '../../regions/kubernetes/client-node-transport.ts';
import { kubernetesClient } from '../../regions/kubernetes/kubernetes-client.ts';
import { applyFixture } from './kubernetes-fixtures.ts';

interface Kubeconfig {
  readonly users: readonly { readonly name: string }[];
}

/**
 * Makes Argus' service account in a region with pods, with the rights of these files of `fixtures/kubernetes` and no others.
 * Gives the path of a configuration beside the lab's, in which Argus is that account there.
 */
export async function configWithRights(info: LabInfo, region: RegionName, files: readonly string[]): Promise<string> {
  const { kubeconfig, node } = clusterPlaceOf(info, region);
  const api = kubernetesClient(await clientNodeTransport(region, { kind: 'kubeconfig', files: [kubeconfig] }));
  try {
    for (const file of files) await applyFixture(api, file);
  } finally {
    await api.close();
  }
  const ask = ['create', 'token', 'argus', '-n', clusterJob.namespace, '--duration', '2h'];
  const token = (await promisify(execFile)(node.binary, ['kubectl', '--kubeconfig', kubeconfig, ...ask])).stdout.trim();
  const access = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const path = join(info.dir, `${region}-argus-kubeconfig.yaml`);
  const users = access.users.map(({ name }) => ({ name, user: { token } }));
  writeFileSync(path, stringify({ ...access, users }), { mode: 0o600 });
  const config = parseDocument(readFileSync(info.configPath, 'utf8'));
  config.setIn(['regions', region, 'kubernetes', 'kubeconfig'], path);
  const configPath = join(info.dir, `argus-as-account.yaml`);
  writeFileSync(configPath, config.toString());
  return configPath;
}
