import { z } from 'zod';
import type { CallOptions, ObjectKind } from './kubernetes-api.ts';
import { hasCode, kindMissingError } from './kubernetes-errors.ts';
import type { KubernetesRequests } from './kubernetes-requests.ts';

/** How the cluster serves a kind. */
export interface ServedKind {
  readonly group: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** `/apis/flink.apache.org/v1beta1` */
  readonly root: string;
}

export interface ServedKinds {
  /** Throws `KubernetesKindMissing` with the versions that the cluster does serve. */
  find(kind: ObjectKind, options: CallOptions | undefined): Promise<ServedKind>;
  /** The definition may have gone since it was found. */
  forget(kind: ObjectKind): void;
}

const resourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});
const groupShape = z.object({ versions: z.array(z.object({ groupVersion: z.string() })) });

/** What the cluster serves, by its discovery documents; an answer is kept as long as the connection. */
export function servedKinds(region: string, requests: KubernetesRequests): ServedKinds {
  const known = new Map<string, ServedKind>();

  /** Undefined when the server has nothing at this path. */
  async function discover<T>(path: string, shape: z.ZodType<T>, options: CallOptions | undefined) {
    try {
      return shape.parse(await requests.json({ verb: `ask for ${path}`, method: 'GET', path }, options));
    } catch (error) {
      if (hasCode(error, 'KubernetesKindMissing')) return undefined;
      throw error;
    }
  }

  async function servedVersions(group: string, options: CallOptions | undefined): Promise<readonly string[]> {
    if (group === '') return ['v1'];
    const found = await discover(`/apis/${group}`, groupShape, options);
    return (found?.versions ?? []).map(({ groupVersion }) => groupVersion);
  }

  return {
    async find(kind, options) {
      const key = keyOf(kind);
      const before = known.get(key);
      if (before !== undefined) return before;
      const group = kind.apiVersion.includes('/') ? (kind.apiVersion.split('/')[0] ?? '') : '';
      const root = `${group === '' ? '/api' : '/apis'}/${kind.apiVersion}`;
      const list = await discover(root, resourceList, options);
      // Subresources (`pods/log`) are listed under the kind of what they take.
      const found = list?.resources.find((each) => each.kind === kind.kind && !each.name.includes('/'));
      if (found === undefined) throw kindMissingError(region, kind, await servedVersions(group, options));
      const served = { group, plural: found.name, namespaced: found.namespaced, root };
      known.set(key, served);
      return served;
    },
    forget: (kind) => void known.delete(keyOf(kind)),
  };
}

function keyOf({ apiVersion, kind }: ObjectKind): string {
  return `${apiVersion} ${kind}`;
}
