import { homedir } from 'node:os';
import type { KubernetesSection } from '../domain/kubernetes-config.ts';
import { defaultKubeconfigFiles, type KubernetesAccess } from '../regions/kubernetes/kubernetes-access.ts';
import { pathFrom } from './config/load.ts';

/** What the access of a configuration is read with. */
export interface AccessReaders {
  /** Where relative paths start. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  secret(reference: string): Promise<string>;
  /** The text of a PEM file. */
  pem(path: string): Promise<string>;
}

/** A region's API server by its configuration; secrets are read when they are needed. */
export async function kubernetesAccess(section: KubernetesSection, readers: AccessReaders): Promise<KubernetesAccess> {
  if (section.inCluster) return { kind: 'in-cluster' };
  const { server, token, ca, serverName, namespace, kubeconfig, context } = section;
  if (server !== undefined && token !== undefined) {
    return {
      kind: 'server',
      url: server,
      token: () => readers.secret(token),
      ca: ca === undefined ? undefined : await readers.pem(pathFrom(readers.folder, ca)),
      serverName,
      namespace,
    };
  }
  const files =
    kubeconfig === undefined
      ? defaultKubeconfigFiles(readers.env, homedir())
      : [pathFrom(readers.folder, kubeconfig.replace(/^~(?=\/)/, homedir()))];
  return { kind: 'kubeconfig', files, context };
}
