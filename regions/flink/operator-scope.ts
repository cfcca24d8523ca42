import { parse } from 'yaml';
import { z } from 'zod';
import type { KubernetesObject } from '../kubernetes/kubernetes-api.ts';

/** The namespaces that an operator looks after. */
export type OperatorScope = readonly string[] | 'all';

const deploymentShape = z.object({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(
          z.looseObject({
            env: z
              .array(
                z.looseObject({ name: z.string(), value: z.string().optional(), valueFrom: z.unknown().optional() }),
              )
              .nullish(),
          }),
        ),
        volumes: z.array(z.looseObject({ configMap: z.looseObject({ name: z.string() }).nullish() })).nullish(),
      }),
    }),
  }),
});

/** Source: `EnvUtils` of the operator; it goes before the setting. */
const variable = 'WATCH_NAMESPACES';
/** Source: `KubernetesOperatorConfigOptions`. */
const setting = ['kubernetes', 'operator', 'watched', 'namespaces'];
/** Files of settings, old and new. */
const files = ['flink-conf.yaml', 'config.yaml'];

/** Names of the ConfigMaps that an operator's Deployment mounts: its settings are in one of them. */
export function configMapsOf(deployment: KubernetesObject): readonly string[] {
  const found = deploymentShape.safeParse(deployment).data?.spec.template.spec.volumes ?? [];
  return found.flatMap(({ configMap }) => configMap?.name ?? []);
}

/**
 * Which namespaces an operator looks after, by its Deployment and the ConfigMaps that this mounts; undefined: they don't
 * tell. A change that it hasn't read yet is not known. Pure.
 */
export function operatorScope(
  deployment: KubernetesObject,
  configMaps: readonly KubernetesObject[],
): OperatorScope | undefined {
  const shape = deploymentShape.safeParse(deployment).data;
  if (shape === undefined) return undefined;
  const given = shape.spec.template.spec.containers.flatMap(({ env }) => env ?? []).find((e) => e.name === variable);
  if (given?.value) return scopeOf(given.value, deployment);
  if (given?.valueFrom) return undefined;
  const texts = configMaps.flatMap(({ data }) => {
    const entries = (data ?? {}) as Readonly<Record<string, unknown>>;
    return files.flatMap((file) => (typeof entries[file] === 'string' ? [entries[file]] : []));
  });
  if (texts.length === 0) return undefined;
  try {
    const told = texts.map((text) => valueIn(parse(text) as unknown)).filter((value) => value !== undefined);
    const [value] = told;
    if (value === undefined) return 'all';
    return told.every((other) => other === value) ? scopeOf(value, deployment) : undefined;
  } catch {
    // Settings that are no YAML tell nothing.
    return undefined;
  }
}

/** The setting, however its key is divided. */
function valueIn(settings: unknown, path: readonly string[] = setting): string | undefined {
  if (path.length === 0) return settings === undefined || settings === null ? undefined : `${settings}`;
  if (typeof settings !== 'object' || settings === null) return undefined;
  const of = settings as Readonly<Record<string, unknown>>;
  const values = path.map((_, i) => valueIn(of[path.slice(0, i + 1).join('.')], path.slice(i + 1)));
  return values.find((value) => value !== undefined);
}

/** Source: `Constants` of the Java Operator SDK. */
function scopeOf(value: string, { metadata }: KubernetesObject): OperatorScope {
  const names = value.split(/[,;\s]+/).filter((name) => name !== '');
  if (names.length === 0 || names.includes('JOSDK_ALL_NAMESPACES')) return 'all';
  return names.map((name) => (name === 'JOSDK_WATCH_CURRENT' ? (metadata.namespace ?? '') : name));
}
