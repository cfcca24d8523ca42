import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { untilAnswered } from './kubernetes-api.ts';

/** What a role allows. */
export interface RoleRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The rules of a role. */
export const rulesOf = (role: KubernetesObject | undefined) => role?.rules as readonly RoleRule[];

/** Each verb of each resource (`pods/log`). */
export function rightsIn(rules: readonly RoleRule[]): readonly (readonly [verb: string, resource: string])[] {
  return rules.flatMap(({ resources, verbs }) => resources.flatMap((r) => verbs.map((v) => [v, r] as const)));
}

/** The group of a resource that these rules name; '': the core's. */
export function groupOf(rules: readonly RoleRule[], resource: string): string {
  return rules.find(({ resources }) => resources.includes(resource))?.apiGroups[0] ?? '';
}

/** The rules without one verb of a resource, and of those that share its rule. */
export function withoutRight(rules: readonly RoleRule[], resource: string, verb: string): readonly RoleRule[] {
  return rules
    .map((rule) =>
      rule.resources.includes(resource) ? { ...rule, verbs: rule.verbs.filter((v) => v !== verb) } : rule,
    )
    .filter(({ verbs }) => verbs.length > 0);
}

/** Waits until the API server grants all that these rules give. */
export async function untilInForce(api: KubernetesApi, rules: readonly RoleRule[], namespace: string): Promise<void> {
  for (const rule of rules) {
    for (const [verb, each] of rightsIn([rule])) {
      const [resource = '', subresource] = each.split('/');
      const question = { verb, group: rule.apiGroups[0] ?? '', resource, subresource, namespace };
      await untilAnswered(api, question, true);
    }
  }
}
