import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';

/** The path of a manifest in `fixtures/kubernetes`. */
export function fixtureFile(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/kubernetes/${name}`, import.meta.url));
}

/** The objects of a manifest in `fixtures/kubernetes`. */
export function fixtureObjects(name: string): readonly KubernetesObject[] {
  return parseAllDocuments(readFileSync(fixtureFile(name), 'utf8')).map((doc) => doc.toJS() as KubernetesObject);
}

/** Applies all of it. */
export async function applyFixture(kubernetes: KubernetesApi, name: string): Promise<void> {
  for (const object of fixtureObjects(name)) await kubernetes.apply(object);
}

/** Makes objects of the core API in this namespace, or in another one. */
export function objectsIn(namespace: string) {
  return (kind: string, name: string, fields: object = {}, of = namespace): KubernetesObject => ({
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace: of },
    ...fields,
  });
}

/** How an object is asked for. */
export const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: KubernetesObject) => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

/** A node as a kubelet would report it: simulated, nothing runs on it. */
export const simulatedNode: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'simulated' },
  status: {
    allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: null, lastTransitionTime: null }],
    images: [{ names: ['registry.example/argus-flink:1.20.5'], sizeBytes: 1 }],
  },
};
