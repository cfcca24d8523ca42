import {
  documents,
  isMapping,
  type ManifestFile,
  manifestError,
  metadataOf,
  readManifest,
  type Wrong,
} from '../../regions/flink/flink-manifest.ts';
import type { KubernetesObject } from '../../regions/kubernetes/kubernetes-api.ts';
import { type Filler, placeholder } from './placeholders.ts';

/** What a drill's FlinkDeployment is made from. */
export interface DrillManifestView {
  readonly file: ManifestFile;
  /** What it is called in the drill, and where it is made. */
  readonly name: string;
  readonly namespace: string;
  /** URI of the folder that the job's own checkpoints go to. */
  readonly checkpoints: string;
  readonly filler: Filler;
}

/**
 * The FlinkDeployment of a job in a drill. What would write elsewhere than in the bubble is `ManifestInvalid`: other
 * objects, folders of its own, a name that is seen from outside. A placeholder in a comment is none. Pure.
 */
export function drillManifest({ file, name, namespace, checkpoints, filler }: DrillManifestView): KubernetesObject {
  // To YAML `{group}` would be a mapping: it is a word until all is read.
  const marks: string[] = [];
  const marked = { ...file, text: file.text.replace(placeholder, (whole) => `__argus-${marks.push(whole) - 1}__`) };
  const docs = documents(marked);
  const [first] = docs;
  if (first === undefined) throw manifestError(`${file.name}: there is no FlinkDeployment`);
  const { object, wrong } = first;
  const other = docs.find((doc, i) => i > 0 || doc.object.kind !== 'FlinkDeployment');
  if (other !== undefined) throw other.wrong('kind', 'the manifest of a drill is one FlinkDeployment and nothing else');
  const { deployment } = readManifest([marked], { namespace, deployment: `${metadataOf(object).name}` });
  const fill = (text: string) => text.replace(/__argus-(\d+)__/g, (_, mark) => filler.fill(marks[Number(mark)] ?? ''));
  const spec = withTexts(deployment.spec, fill) as Readonly<Record<string, unknown>>;
  if (spec.ingress !== undefined) throw wrong('spec.ingress', 'a drill makes no name that is seen from outside');
  const { labels, annotations } = deployment.metadata;
  return {
    apiVersion: deployment.apiVersion,
    kind: deployment.kind,
    metadata: { name, namespace, ...(labels && { labels }), ...(annotations && { annotations }) },
    spec: {
      ...spec,
      flinkConfiguration: settingsIn(spec.flinkConfiguration, checkpoints, wrong),
      // Without high availability the operator refuses any further ones.
      ...(isMapping(spec.jobManager) && { jobManager: { ...spec.jobManager, replicas: 1 } }),
      // High availability is off: the operator takes no other mode then, and a drill is never upgraded.
      job: { ...(spec.job as object), upgradeMode: 'stateless', allowNonRestoredState: false },
    },
  };
}

/** Keys, old and new, of what keeps a job's state elsewhere and finds it again. */
const highAvailability = /^high-availability(\.|$)/;

/** Keys, old and new, of what a job restores, how, and what may be left out: the start alone says that. */
const recovery = /^execution\.(savepoint\.(path|ignore-unclaimed-state)|savepoint-restore-mode|state-recovery\.)/;

/** As many as the object says: one. */
const jobManagers = 'kubernetes.jobmanager.replicas';

/** The operator refuses it without high availability. */
const rollback = 'kubernetes.operator.deployment.rollback.enabled';

/** A place for files; `local` is the image itself. */
const fileUri = /^(?!local:|https?:)[a-z][a-z0-9+.-]*:\//i;

/** Where snapshots go whatever the manifest says: Flink 2 and Flink 1 call it differently. */
const folders = ['execution.checkpointing.dir', 'state.checkpoints.dir'];
const savepointFolders = ['execution.checkpointing.savepoint-dir', 'state.savepoints.dir'];

/** The settings of a drill's job: nothing is kept outside of its bubble. */
function settingsIn(given: unknown, checkpoints: string, wrong: Wrong): Readonly<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(isMapping(given) ? given : {})) {
    if (typeof value === 'object') throw wrong('spec.flinkConfiguration', `write ${key} as one key with one value`);
    if (highAvailability.test(key) || recovery.test(key) || key === jobManagers) continue;
    if (folders.includes(key) || savepointFolders.includes(key)) continue;
    const outside = `${value}`.split(/[;,\s]+/).find((each) => fileUri.test(each) && !isBelow(each, checkpoints));
    if (outside !== undefined) {
      throw wrong('spec.flinkConfiguration', `${key} names ${outside}: in a drill it has to be below {checkpoints}`);
    }
    settings[key] = value;
  }
  for (const key of folders) settings[key] = checkpoints;
  for (const key of savepointFolders) settings[key] = `${checkpoints}/savepoints`;
  return { ...settings, 'high-availability.type': 'NONE', [rollback]: 'false' };
}

const isBelow = (uri: string, folder: string) => `${uri}/`.startsWith(`${folder}/`) && !uri.includes('/..');

/** The same value with each text in it changed; keys stay. */
function withTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => withTexts(each, change));
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withTexts(each, change)]));
}
