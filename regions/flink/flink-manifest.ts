import { type Document, isMap, isScalar, LineCounter, parseAllDocuments } from 'yaml';
import { ArgusError } from '../../domain/errors.ts';
import type { KubernetesObject } from '../kubernetes/kubernetes-api.ts';
import { flinkDeploymentKind, jobIdSetting } from './flink-deployment.ts';

/** One file of a manifest, with the name under which messages speak of it. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
}

/** What is applied to start a job. */
export interface FlinkManifest {
  readonly deployment: KubernetesObject;
  /** Applied before it. */
  readonly configMaps: readonly KubernetesObject[];
}

interface Place {
  readonly namespace: string;
  readonly deployment: string;
}

type Mapping = Readonly<Record<string, unknown>>;

/**
 * The objects of a manifest. Throws `ManifestInvalid` (exit code 2) with file, line and field of the first thing that is
 * wrong. What the installed definition allows only the server knows: it is asked by a dry run.
 */
export function readManifest(files: readonly ManifestFile[], place: Place): FlinkManifest {
  const configMaps: KubernetesObject[] = [];
  let deployment: KubernetesObject | undefined;
  for (const file of files) {
    for (const { object, wrong } of documents(file)) {
      const kind = `${object.kind}`;
      checkPlace(object, place, wrong);
      if (kind === 'ConfigMap') configMaps.push(placed(object, place));
      else if (kind === 'FlinkDeployment') {
        if (metadataOf(object).name !== place.deployment) continue;
        if (deployment !== undefined) throw wrong('metadata.name', `a second FlinkDeployment ${place.deployment}`);
        checkDeployment(object, wrong);
        deployment = placed(object, place);
      } else if (kind === 'FlinkSessionJob') {
        throw wrong('kind', 'name it in jobs[].kubernetes.<region>.sessionJob: then its session cluster is used');
      } else throw wrong('kind', `Argus applies FlinkDeployment and ConfigMap: apply the ${kind} once by hand`);
    }
  }
  if (deployment !== undefined) return { deployment, configMaps };
  const names = files.map((file) => file.name).join(', ') || 'the manifest';
  throw manifestError(`${names}: there is no FlinkDeployment ${place.deployment}`);
}

/** Says of a field what is wrong with it, with file and line. */
export type Wrong = (field: string, what: string) => ArgusError;

/** The objects of a file, each with its way to complain. */
export function documents(file: ManifestFile): readonly { readonly object: Mapping; readonly wrong: Wrong }[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(file.text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  // An empty stream is given as a list with a property of its own.
  const docs = Array.isArray(parsed) ? (parsed as readonly Document[]) : [];
  return docs.flatMap((doc) => {
    const [broken] = doc.errors;
    if (broken) {
      const { line, col } = lines.linePos(broken.pos[0]);
      throw manifestError(`${file.name}:${line}:${col}: not valid YAML: ${broken.message}`);
    }
    if (doc.contents === null || (isScalar(doc.contents) && doc.contents.value === null)) return [];
    const wrong: Wrong = (field, what) => {
      const { line, col } = lines.linePos(offsetOf(doc, field));
      return manifestError(`${file.name}:${line}:${col}: ${field === '' ? '' : `${field}: `}${what}`);
    };
    const object: unknown = doc.toJS({ maxAliasCount: 100 });
    if (!isMapping(object)) throw wrong('', 'an object is needed: a mapping with apiVersion, kind and metadata');
    for (const field of ['apiVersion', 'kind']) {
      if (typeof object[field] !== 'string') throw wrong(field, 'a text is needed here');
    }
    if (typeof metadataOf(object).name !== 'string') throw wrong('metadata.name', 'a text is needed here');
    return [{ object, wrong }];
  });
}

/** An object of another namespace is none of ours. */
export function checkPlace(object: Mapping, place: Pick<Place, 'namespace'>, wrong: Wrong): void {
  const { namespace } = metadataOf(object);
  if (namespace === undefined || namespace === place.namespace) return;
  throw wrong('metadata.namespace', `"${namespace}", but the configuration says ${place.namespace}`);
}

function checkDeployment(object: Mapping, wrong: Wrong): void {
  if (object.apiVersion !== flinkDeploymentKind.apiVersion) {
    throw wrong('apiVersion', `${flinkDeploymentKind.apiVersion} is needed, not ${object.apiVersion}`);
  }
  if (!isMapping(object.spec)) throw wrong('spec', 'a mapping is needed here');
  const { job, flinkConfiguration } = object.spec;
  if (!isMapping(job)) throw wrong('spec.job', 'a job is needed here: without one it is a session cluster');
  if (flinkConfiguration === undefined || flinkConfiguration === null) return;
  if (!isMapping(flinkConfiguration)) throw wrong('spec.flinkConfiguration', 'a mapping is needed here');
  if (jobIdSetting in flinkConfiguration) {
    throw wrong(`spec.flinkConfiguration`, `${jobIdSetting} is set by Argus: take it out`);
  }
}

/** The object in the job's namespace. */
export function placed(object: Mapping, { namespace }: Pick<Place, 'namespace'>): KubernetesObject {
  return { ...object, metadata: { ...metadataOf(object), namespace } } as unknown as KubernetesObject;
}

/** Its metadata; nothing where it has none. */
export function metadataOf(object: Mapping): Mapping {
  return isMapping(object.metadata) ? object.metadata : {};
}

/** Whether it is an object and no list. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where the field stands, or the nearest thing around it. */
function offsetOf(doc: Document, field: string): number {
  let node: unknown = doc.contents;
  let offset = doc.contents?.range?.[0] ?? 0;
  for (const key of field === '' ? [] : field.split('.')) {
    if (!isMap(node)) break;
    const pair = node.items.find((each) => isScalar(each.key) && each.key.value === key);
    if (pair === undefined) break;
    offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
    node = pair.value;
  }
  return offset;
}

/** The error of a manifest that can't be used. Nothing was changed. */
export function manifestError(what: string, cause?: unknown): ArgusError {
  return new ArgusError('ManifestInvalid', what, {
    exitCode: 2,
    hint: 'correct the manifest that the configuration names; nothing was changed',
    ...(cause === undefined ? {} : { cause }),
  });
}
