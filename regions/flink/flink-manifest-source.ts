import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ArgusError } from '../../domain/errors.ts';
import type { CallOptions, KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import { type ManifestFile, manifestError } from './flink-manifest.ts';

/** Where a job's manifest lies: a file or folder here, a key of a ConfigMap in the job's namespace, or at hand. */
export type ManifestSource =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'config-map'; readonly configMap: string; readonly key: string }
  | { readonly kind: 'text'; readonly name: string; readonly text: string };

/** The files of a manifest; of a folder, its `.yaml` and `.yml` in the order of their names. */
export async function manifestFiles(
  source: ManifestSource,
  namespace: string,
  kubernetes: Pick<KubernetesApi, 'get'>,
  options?: CallOptions,
): Promise<readonly ManifestFile[]> {
  if (source.kind === 'text') return [source];
  if (source.kind === 'config-map') {
    const name = `ConfigMap ${namespace}/${source.configMap}`;
    const found = await kubernetes.get(
      { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: source.configMap },
      options,
    );
    if (found === undefined) throw manifestError(`${name} is not there`);
    const text = (found.data as Record<string, unknown> | undefined)?.[source.key];
    if (typeof text !== 'string') throw manifestError(`${name} has no key "${source.key}"`);
    return [{ name: `${name} ${source.key}`, text }];
  }
  const { path } = source;
  try {
    if (!(await stat(path)).isDirectory()) return [await manifestFile(path)];
    const names = (await readdir(path)).filter((each) => /\.ya?ml$/.test(each)).sort();
    return await Promise.all(names.map(async (name) => ({ name, text: await readFile(join(path, name), 'utf8') })));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** One file of a manifest. */
export async function manifestFile(path: string): Promise<ManifestFile> {
  try {
    return { name: basename(path), text: await readFile(path, 'utf8') };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): ArgusError {
  if (cause instanceof ArgusError) return cause;
  return manifestError(`${path} can't be read (${(cause as NodeJS.ErrnoException).code ?? 'error'})`, cause);
}
