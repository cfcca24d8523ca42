import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { ArgusError } from '../../domain/errors.ts';
import type { KubernetesApi, KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { ensureFlinkOperatorCrds } from '../setup/kubernetes.ts';
import type { SetupEvent } from '../setup/part.ts';

const definitionShape = z.looseObject({
  apiVersion: z.string(),
  kind: z.literal('CustomResourceDefinition'),
  metadata: z.looseObject({ name: z.string() }),
});
const statusShape = z.object({
  // Right after the definition was made, null.
  conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
});

/** The Flink operator's definitions (CustomResourceDefinition), as objects to apply. */
export async function flinkCrds(
  signal: AbortSignal,
  progress: (event: SetupEvent) => void = () => undefined,
): Promise<readonly KubernetesObject[]> {
  const folder = await ensureFlinkOperatorCrds(signal, progress);
  const files = (await readdir(folder)).filter((name) => name.endsWith('-v1.yml')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.map((text) => definitionShape.parse(parse(text)) as KubernetesObject);
}

/**
 * Applies the definitions and waits until their objects can be made. Server-side: with half a megabyte each they are too
 * large for the annotation that `kubectl apply` leaves.
 */
export async function applyCrds(
  api: KubernetesApi,
  crds: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<void> {
  for (const crd of crds) await api.apply(crd, { signal, timeoutMs: 30_000 });
  for (const crd of crds) {
    for (let attempt = 0; ; attempt++) {
      const { apiVersion, kind, metadata } = crd;
      const found = await api.get({ apiVersion, kind, name: metadata.name }, { signal });
      const { conditions } = statusShape.parse(found?.status ?? {});
      if (conditions?.some(({ type, status }) => type === 'Established' && status === 'True')) break;
      if (attempt > 300) throw new ArgusError('CrdNotEstablished', `${metadata.name} is not served after 30 s`);
      await sleep(100, undefined, { signal });
    }
  }
}
