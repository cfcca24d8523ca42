import type { Finding } from './standby-check.ts';
import { type Amounts, mainContainer, type NeededImage, type PodsNeeded, type Toleration } from './standby-pods.ts';

/** A node, with what the pods on it have left. */
export interface NodeRoom {
  readonly name: string;
  readonly ready: boolean;
  /** Cordoned. */
  readonly unschedulable: boolean;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly free: Amounts;
  readonly freePods: number;
  /** Names of the images that it has. */
  readonly images: readonly string[];
  /** How many images it told of: each has several names. */
  readonly imagesTold: number;
}

/** A ResourceQuota: by resource, `requests.memory`, `pods` …, in their own units. */
export interface Quota {
  readonly name: string;
  readonly hard: Readonly<Record<string, number>>;
  readonly used: Readonly<Record<string, number>>;
  /** It counts only some pods, and whether these are among them isn't told. */
  readonly scoped: boolean;
}

/** Bounds of one pod or container, of a LimitRange. */
export interface PodLimits {
  readonly name: string;
  readonly type: string;
  readonly min: Partial<Amounts>;
  readonly max: Partial<Amounts>;
}

/** Kubelets tell no more than 50 images by default (`nodeStatusMaxImages`). */
const imagesToldAtMost = 50;
const epsilon = 1e-9;

/** What stands against so many pods in a namespace's quotas. Pure. */
export function judgeQuotas(quotas: readonly Quota[], pods: readonly PodsNeeded[]): readonly Finding[] {
  const need: Record<string, number> = {};
  for (const { count, requests, limits } of pods) {
    const add = (key: string, each: number | undefined) => {
      if (each !== undefined) need[key] = (need[key] ?? 0) + count * each;
    };
    for (const key of ['pods', 'count/pods']) add(key, 1);
    for (const key of ['cpu', 'memory'] as const) {
      add(key, requests?.[key]);
      add(`requests.${key}`, requests?.[key]);
      add(`limits.${key}`, limits?.[key]);
    }
  }
  return quotas.flatMap(({ name, hard, used, scoped }) =>
    Object.entries(hard).flatMap(([key, most]): Finding[] => {
      const wanted = need[key];
      const left = most - (used[key] ?? 0);
      if (wanted === undefined || wanted <= left + epsilon) return [];
      return [
        {
          severity: scoped ? 'warning' : 'refused',
          code: 'QuotaTooSmall',
          message: `the quota ${name} leaves ${amountText(key, Math.max(0, left))} of ${key}, and ${amountText(key, wanted)} are needed${scoped ? ' (it counts only some pods)' : ''}`,
          hint: `raise spec.hard."${key}" of it by ${amountText(key, wanted - left)} at least, or end what uses it: kubectl describe quota ${name}`,
        },
      ];
    }),
  );
}

/** What stands against the sizes of these pods and their containers in a namespace's LimitRanges. Pure. */
export function judgeLimits(ranges: readonly PodLimits[], pods: readonly PodsNeeded[]): readonly Finding[] {
  return ranges.flatMap((range) =>
    pods.flatMap((pod) => {
      const whole = { name: undefined, requests: pod.requests ?? {}, limits: pod.limits ?? {} };
      const parts = range.type === 'Pod' ? [whole] : pod.containers;
      return parts.flatMap((part) =>
        (['cpu', 'memory'] as const).flatMap((key) => againstLimit(range, pod.component, part, key)),
      );
    }),
  );
}

function againstLimit(
  { name, type, min, max }: PodLimits,
  component: PodsNeeded['component'],
  part: { readonly name: string | undefined; readonly requests: Partial<Amounts>; readonly limits: Partial<Amounts> },
  key: keyof Amounts,
): readonly Finding[] {
  const [most, least, limit, request] = [max[key], min[key], part.limits[key], part.requests[key]];
  const over = most !== undefined && limit !== undefined && limit > most + epsilon;
  const under = least !== undefined && request !== undefined && request < least - epsilon;
  if (!over && !under) return [];
  const size = amountText(key, (over ? limit : request) ?? 0);
  const bound = amountText(key, (over ? most : least) ?? 0);
  const beside = part.name === undefined || part.name === mainContainer ? '' : `'s container ${part.name}`;
  const place =
    beside === ''
      ? `${component.charAt(0).toLowerCase()}${component.slice(1)}.resource`
      : 'the podTemplate’s resources';
  return [
    {
      severity: 'refused',
      code: 'LimitRangeAgainst',
      message: `the ${component}${beside} has ${size} of ${key}, and the LimitRange ${name} allows a ${type.toLowerCase()} ${over ? 'no more' : 'no less'} than ${bound}`,
      hint: `change the LimitRange ${name}, or ${place} in the manifest`,
    },
  ];
}

/**
 * Whether the pods of all jobs find room on the nodes at once: the greatest first, each on the node with the most room.
 * A cluster that adds nodes when pods wait (autoscaler) is not foreseen. Pure.
 */
export function judgeCapacity(nodes: readonly NodeRoom[], pods: readonly PodsNeeded[]): readonly Finding[] {
  const rooms = nodes.map((node) => ({ node, cpu: node.free.cpu, memory: node.free.memory, pods: node.freePods }));
  const single = pods
    .flatMap((each) => Array.from({ length: each.count }, () => each))
    .flatMap((each) => (each.requests === undefined ? [] : [{ each, ...each.requests }]))
    .sort((a, b) => b.memory - a.memory || b.cpu - a.cpu);
  const homeless = new Map<PodsNeeded, number>();
  for (const { each, cpu, memory } of single) {
    const room = rooms
      .filter((r) => takes(r.node, each) && r.pods >= 1 && r.cpu + epsilon >= cpu && r.memory + epsilon >= memory)
      .sort((a, b) => b.memory - a.memory || b.cpu - a.cpu)[0];
    if (room === undefined) homeless.set(each, (homeless.get(each) ?? 0) + 1);
    else {
      room.cpu -= cpu;
      room.memory -= memory;
      room.pods -= 1;
    }
  }
  return [...homeless].map(([each, count]) => {
    const fit = nodes.filter((node) => takes(node, each));
    const cpu = amountText('cpu', each.requests?.cpu ?? 0);
    const size = `${cpu} CPU and ${amountText('memory', each.requests?.memory ?? 0)}`;
    if (fit.length === 0) {
      return {
        severity: 'refused',
        code: 'NoNodes',
        message: `none of ${nodes.length} nodes takes a ${each.component}: they are not ready, cordoned, tainted, or don't match its nodeSelector`,
        hint: 'kubectl get nodes; kubectl describe node <name>',
      };
    }
    const sum = (amounts: readonly Amounts[], key: keyof Amounts) =>
      amounts.reduce((total, one) => total + Math.max(0, one[key]), 0);
    const both = (of: (key: keyof Amounts) => number) =>
      `${amountText('cpu', of('cpu'))} CPU and ${amountText('memory', of('memory'))}`;
    const free = fit.map((node) => node.free);
    return {
      severity: 'refused',
      code: 'CapacityTooSmall',
      message: `${count} of ${each.count} ${each.component} pods (${size} each) find no room on ${fit.length} nodes, which have ${both((key) => sum(free, key))} left; all pods together take ${both((key) => sum(single, key))}`,
      hint: 'add nodes, or end what runs there: kubectl describe nodes; where a cluster adds nodes by itself, add them beforehand',
    };
  });
}

/** Whether the nodes have the images. Pure. */
export function judgeImages(nodes: readonly NodeRoom[], pods: readonly PodsNeeded[]): readonly Finding[] {
  const wanted = new Map<string, { readonly image: NeededImage; readonly homes: Set<NodeRoom> }>();
  for (const each of pods) {
    for (const image of each.images) {
      const known = wanted.get(image.image) ?? { image, homes: new Set<NodeRoom>() };
      for (const node of nodes) if (takes(node, each)) known.homes.add(node);
      wanted.set(image.image, known);
    }
  }
  return [...wanted.values()].flatMap(({ image: { image, pull }, homes }): Finding[] => {
    const without = [...homes].filter((node) => !node.images.some((name) => fullName(name) === fullName(image)));
    if (without.length === 0) return [];
    const names = without.map(({ name }) => name).join(', ');
    const told = without.every((node) => node.imagesTold < imagesToldAtMost);
    const message = `the image ${image} is not on ${without.length} of ${homes.size} nodes (${names})`;
    if (!told) {
      const hint = `see on the node itself (crictl images): a node tells ${imagesToldAtMost} images at most`;
      return [{ severity: 'warning', code: 'ImageUnknown', message: `${message}, as far as these tell`, hint }];
    }
    if (pull === 'Never') {
      const all = without.length === homes.size;
      const hint = 'bring it to each node (ctr -n k8s.io images import), or change imagePullPolicy in the manifest';
      return [
        {
          severity: all ? 'refused' : 'warning',
          code: 'ImageAbsent',
          message: `${message}, and is never pulled`,
          hint,
        },
      ];
    }
    const hint = 'pull it beforehand, by a DaemonSet for example: else the time to pull it is part of the RTO';
    return [{ severity: 'warning', code: 'ImageToPull', message: `${message}: it must be pulled`, hint }];
  });
}

/** Whether the scheduler may put such a pod there. */
function takes(node: NodeRoom, { nodeSelector, tolerations }: PodsNeeded): boolean {
  if (!node.ready || node.unschedulable) return false;
  if (Object.entries(nodeSelector).some(([key, value]) => node.labels[key] !== value)) return false;
  return node.taints.every((taint) => taint.effect === 'PreferNoSchedule' || tolerations.some((t) => allows(t, taint)));
}

function allows(toleration: Toleration, taint: NodeRoom['taints'][number]): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (!toleration.key) return toleration.operator === 'Exists';
  if (toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

/** As nodes tell images: with registry, `library/` and tag. Source: `reference.ParseNormalizedNamed`. */
function fullName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const path = hasHost ? image : rest.length > 0 ? `docker.io/${image}` : `docker.io/library/${image}`;
  return /[:@][^/]*$/.test(path) ? path : `${path}:latest`;
}

/** An amount for people, by the resource's unit. */
function amountText(key: string, value: number): string {
  if (!key.endsWith('memory')) return `${Math.round(value * 1_000) / 1_000}`;
  return value >= 2 ** 30 ? `${Math.round((value / 2 ** 30) * 100) / 100} GiB` : `${Math.ceil(value / 2 ** 20)} MiB`;
}
