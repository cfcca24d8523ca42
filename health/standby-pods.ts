import { z } from 'zod';
import type { KubernetesObject } from '../regions/kubernetes/kubernetes-api.ts';
import { parseQuantity } from '../regions/kubernetes/quantity.ts';

/** Cores and bytes. */
export interface Amounts {
  readonly cpu: number;
  readonly memory: number;
}

/** Pods of one sort that a job's FlinkDeployment brings along. */
export interface PodsNeeded {
  readonly component: 'JobManager' | 'TaskManager';
  readonly count: number;
  /** Of one pod; undefined: the manifest doesn't tell it. */
  readonly requests: Amounts | undefined;
  readonly limits: Amounts | undefined;
  /** Of each of its containers, as far as it is told. */
  readonly containers: readonly ContainerNeeded[];
  readonly images: readonly NeededImage[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
}

/** One container of a pod; what isn't told is absent. */
export interface ContainerNeeded {
  readonly name: string;
  readonly requests: Partial<Amounts>;
  readonly limits: Partial<Amounts>;
}

export interface NeededImage {
  readonly image: string;
  readonly pull: 'Always' | 'IfNotPresent' | 'Never';
}

/** Absent fields match everything, as in Kubernetes. */
export interface Toleration {
  readonly key?: string | null | undefined;
  readonly operator?: string | null | undefined;
  readonly value?: string | null | undefined;
  readonly effect?: string | null | undefined;
}

/** An object that the pods can't start without. */
export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap' | 'ServiceAccount' | 'PersistentVolumeClaim';
  readonly name: string;
  /** This key of it is needed, too. */
  readonly key?: string;
}

const text = z.string().nullish();
const named = z.looseObject({ name: text, optional: z.boolean().nullish() }).nullish();
const keyed = z.looseObject({ name: text, key: text, optional: z.boolean().nullish() }).nullish();
const amounts = z.record(z.string(), z.union([z.string(), z.number()])).nullish();
const containerShape = z.looseObject({
  name: text,
  image: text,
  imagePullPolicy: text,
  resources: z.looseObject({ requests: amounts, limits: amounts }).nullish(),
  env: z
    .array(z.looseObject({ valueFrom: z.looseObject({ secretKeyRef: keyed, configMapKeyRef: keyed }).nullish() }))
    .nullish(),
  envFrom: z.array(z.looseObject({ secretRef: named, configMapRef: named })).nullish(),
});
const volumeShape = z.looseObject({
  secret: z.looseObject({ secretName: text, optional: z.boolean().nullish() }).nullish(),
  configMap: named,
  persistentVolumeClaim: z.looseObject({ claimName: text }).nullish(),
  projected: z
    .looseObject({ sources: z.array(z.looseObject({ secret: named, configMap: named })).nullish() })
    .nullish(),
});
const templateShape = z
  .looseObject({
    spec: z
      .looseObject({
        containers: z.array(containerShape).nullish(),
        initContainers: z.array(containerShape).nullish(),
        volumes: z.array(volumeShape).nullish(),
        imagePullSecrets: z.array(z.looseObject({ name: text })).nullish(),
        nodeSelector: z.record(z.string(), z.string()).nullish(),
        tolerations: z.array(z.looseObject({ key: text, operator: text, value: text, effect: text })).nullish(),
      })
      .nullish(),
  })
  .nullish();
const component = z
  .looseObject({
    resource: z.looseObject({ cpu: z.number().nullish(), memory: text }).nullish(),
    replicas: z.number().nullish(),
    podTemplate: templateShape,
  })
  .nullish();
const specShape = z.looseObject({
  image: text,
  imagePullPolicy: text,
  serviceAccount: text,
  mode: text,
  flinkConfiguration: z.record(z.string(), z.unknown()).nullish(),
  podTemplate: templateShape,
  jobManager: component,
  taskManager: component,
  job: z.looseObject({ parallelism: z.number().nullish() }).nullish(),
});

type Spec = z.output<typeof specShape>;
type Container = z.output<typeof containerShape>;

/** The operator's name for Flink's own container. */
export const mainContainer = 'flink-main-container';

/** What of a FlinkDeployment's specification can be read; undefined when its form is another: the server tells more. */
function specOf(object: KubernetesObject): Spec | undefined {
  return specShape.safeParse(object.spec).data;
}

/**
 * The pods that a FlinkDeployment brings along. Defaults are Flink's: 1600m and 1 core for the JobManager, 1728m and a
 * core for each slot for a TaskManager. Affinities and what a cluster adds by itself are not looked at. Pure.
 */
export function podsOf(object: KubernetesObject): readonly PodsNeeded[] {
  const spec = specOf(object);
  if (spec === undefined) return [];
  const settings = spec.flinkConfiguration ?? {};
  const slots = Number(settings['taskmanager.numberOfTaskSlots'] ?? 1) || 1;
  const byParallelism = Math.ceil((spec.job?.parallelism ?? 1) / slots);
  const taskManagers = spec.mode === 'standalone' ? (spec.taskManager?.replicas ?? byParallelism) : byParallelism;
  return [
    podsOfComponent(spec, 'JobManager', spec.jobManager?.replicas ?? 1, 1, '1600m'),
    podsOfComponent(spec, 'TaskManager', taskManagers, slots, '1728m'),
  ];
}

function podsOfComponent(
  spec: Spec,
  name: PodsNeeded['component'],
  count: number,
  defaultCpu: number,
  defaultMemory: string,
): PodsNeeded {
  const part = name === 'JobManager' ? spec.jobManager : spec.taskManager;
  const key = name.toLowerCase();
  const settings = spec.flinkConfiguration ?? {};
  const setting = (of: string) => settings[of.replace('*', key)];
  const cpu = Number(
    part?.resource?.cpu ?? setting('kubernetes.*.cpu.amount') ?? setting('kubernetes.*.cpu') ?? defaultCpu,
  );
  // A size that is given without the whole process' leaves that to Flink's formulas.
  const told = part?.resource?.memory ?? setting('*.memory.process.size');
  const inParts = told === undefined && setting('*.memory.flink.size') !== undefined;
  const memory = inParts ? undefined : parseFlinkMemory(`${told ?? defaultMemory}`);
  const templates = [spec.podTemplate?.spec, part?.podTemplate?.spec];
  const containers = templates.flatMap((template) => template?.containers ?? []);
  const beside = containers.filter((each) => each.name !== mainContainer);
  const known = memory !== undefined && Number.isFinite(cpu);
  const factor = (of: string) => Math.max(1, Number(setting(`kubernetes.*.${of}.limit-factor`) ?? 1) || 1);
  const main = known ? { cpu, memory } : undefined;
  const most = main && { cpu: main.cpu * factor('cpu'), memory: main.memory * factor('memory') };
  const all = [...beside, ...containers, ...templates.flatMap((template) => template?.initContainers ?? [])];
  const images = new Map<string, NeededImage>();
  const own = containers.find((each) => each.name === mainContainer);
  for (const each of [{ image: own?.image ?? spec.image, imagePullPolicy: spec.imagePullPolicy }, ...all]) {
    if (!each.image) continue;
    const policy = each.imagePullPolicy ?? (each.image.includes('@') || tagOf(each.image) !== 'latest' ? '' : 'Always');
    const pull = policy === 'Never' || policy === 'Always' ? policy : 'IfNotPresent';
    if (!images.has(each.image)) images.set(each.image, { image: each.image, pull });
  }
  return {
    component: name,
    count,
    requests: main && plus(main, beside, 'requests'),
    limits: most && plus(most, beside, 'limits'),
    containers: [{ name: mainContainer, requests: main ?? {}, limits: most ?? {} }, ...beside.map(sizesOf)],
    images: [...images.values()],
    nodeSelector: Object.assign({}, ...templates.map((template) => template?.nodeSelector ?? {})),
    tolerations: templates.flatMap((template) => template?.tolerations ?? []),
  };
}

/** Without a request a container asks for its limit. */
function sizesOf({ name, resources }: Container): ContainerNeeded {
  const amounts = (...of: readonly (Readonly<Record<string, string | number>> | null | undefined)[]) =>
    Object.fromEntries(
      (['cpu', 'memory'] as const).flatMap((key) => {
        const value = of.map((each) => parseQuantity(each?.[key])).find((each) => each !== undefined);
        return value === undefined ? [] : [[key, value]];
      }),
    );
  const { requests, limits } = resources ?? {};
  return { name: name ?? 'a container', requests: amounts(requests, limits), limits: amounts(limits) };
}

function tagOf(image: string): string {
  return /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
}

function plus(main: Amounts, containers: readonly Container[], which: 'requests' | 'limits'): Amounts {
  const sum = (key: keyof Amounts) =>
    containers.reduce((all, { resources }) => {
      const { requests, limits } = resources ?? {};
      const given = which === 'limits' ? limits?.[key] : (requests?.[key] ?? limits?.[key]);
      return all + (parseQuantity(given) ?? 0);
    }, main[key]);
  return { cpu: sum('cpu'), memory: sum('memory') };
}

const memoryUnits: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/**
 * Bytes of a size as Flink writes it (`1024m`, `2 gb`: powers of 1024; source: `MemorySize`), else as Kubernetes does
 * (`2Gi`), which the operator takes, too.
 */
export function parseFlinkMemory(value: string): number | undefined {
  const [, digits, unit = 'b'] =
    /^(\d+)\s*(b|k|m|g|t|bytes|kb|mb|gb|tb|kibibytes|mebibytes|gibibytes|tebibytes)?$/.exec(
      value.trim().toLowerCase(),
    ) ?? [];
  if (digits === undefined) return parseQuantity(value.trim());
  return Number(digits) * (memoryUnits[unit.charAt(0)] ?? 1);
}

/** What the pods of a FlinkDeployment name by name and can't start without. What is optional is left out. Pure. */
export function referencesOf(object: KubernetesObject): readonly Reference[] {
  const spec = specOf(object);
  if (spec === undefined) return [];
  const found = new Map<string, Reference>();
  const add = (
    kind: Reference['kind'],
    name: string | null | undefined,
    of?: { readonly key?: string | null | undefined; readonly optional?: boolean | null | undefined } | null,
  ) => {
    if (!name || of?.optional === true) return;
    found.set(`${kind}/${name}/${of?.key ?? ''}`, { kind, name, ...(of?.key ? { key: of.key } : {}) });
  };
  add('ServiceAccount', spec.serviceAccount);
  for (const template of [spec.podTemplate, spec.jobManager?.podTemplate, spec.taskManager?.podTemplate]) {
    const pod = template?.spec;
    for (const each of pod?.imagePullSecrets ?? []) add('Secret', each.name);
    for (const { secret, configMap, persistentVolumeClaim, projected } of pod?.volumes ?? []) {
      add('Secret', secret?.secretName, { optional: secret?.optional });
      add('ConfigMap', configMap?.name, { optional: configMap?.optional });
      add('PersistentVolumeClaim', persistentVolumeClaim?.claimName);
      for (const source of projected?.sources ?? []) {
        add('Secret', source.secret?.name, { optional: source.secret?.optional });
        add('ConfigMap', source.configMap?.name, { optional: source.configMap?.optional });
      }
    }
    for (const { env, envFrom } of [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])]) {
      for (const { valueFrom } of env ?? []) {
        add('Secret', valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef);
        add('ConfigMap', valueFrom?.configMapKeyRef?.name, valueFrom?.configMapKeyRef);
      }
      for (const { secretRef, configMapRef } of envFrom ?? []) {
        add('Secret', secretRef?.name, { optional: secretRef?.optional });
        add('ConfigMap', configMapRef?.name, { optional: configMapRef?.optional });
      }
    }
  }
  // Source: `KubernetesConfigOptions` of Flink 1.20.
  const setting = (key: string) => `${spec.flinkConfiguration?.[key] ?? ''}`;
  for (const each of setting('kubernetes.secrets').split(',')) add('Secret', each.split(':')[0]?.trim());
  for (const each of setting('kubernetes.container.image.pull-secrets').split(';')) add('Secret', each.trim());
  for (const each of setting('kubernetes.env.secretKeyRef').split(';')) {
    const parts = new Map(each.split(',').map((part) => part.trim().split(':') as [string, string]));
    add('Secret', parts.get('secret'), { key: parts.get('key') });
  }
  add('ConfigMap', setting('kubernetes.hadoop.conf.config-map.name'));
  return [...found.values()];
}
