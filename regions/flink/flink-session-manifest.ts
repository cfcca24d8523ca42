import type { KubernetesObject } from '../kubernetes/kubernetes-api.ts';
import { flinkDeploymentKind } from './flink-deployment.ts';
import {
  checkPlace,
  documents,
  isMapping,
  type ManifestFile,
  manifestError,
  metadataOf,
  placed,
  type Wrong,
} from './flink-manifest.ts';
import { flinkSessionJobKind, jobIdAnnotation } from './flink-session-job.ts';

/** What is applied to start a session job. */
export interface FlinkSessionManifest {
  readonly job: KubernetesObject;
  /** The FlinkDeployment of its cluster; made where it isn't there. */
  readonly cluster?: KubernetesObject;
  /** Applied before them. */
  readonly configMaps: readonly KubernetesObject[];
}

interface Place {
  readonly namespace: string;
  readonly deployment: string;
  readonly sessionJob: string;
}

/**
 * The objects of a session job's manifest. Throws `ManifestInvalid` (exit code 2) with file, line and field of the first
 * thing that is wrong.
 */
export function readSessionManifest(files: readonly ManifestFile[], place: Place): FlinkSessionManifest {
  const configMaps: KubernetesObject[] = [];
  let job: KubernetesObject | undefined;
  let cluster: KubernetesObject | undefined;
  for (const file of files) {
    for (const { object, wrong } of documents(file)) {
      const { name } = metadataOf(object);
      checkPlace(object, place, wrong);
      if (object.kind === 'ConfigMap') configMaps.push(placed(object, place));
      else if (object.kind === flinkSessionJobKind.kind) {
        if (name !== place.sessionJob) continue;
        if (job !== undefined) throw wrong('metadata.name', `a second FlinkSessionJob ${name}`);
        checkJob(object, place, wrong);
        job = placed(object, place);
      } else if (object.kind === flinkDeploymentKind.kind) {
        if (name !== place.deployment) continue;
        if (cluster !== undefined) throw wrong('metadata.name', `a second FlinkDeployment ${name}`);
        checkCluster(object, wrong);
        cluster = placed(object, place);
      } else {
        const kinds = 'FlinkSessionJob, FlinkDeployment and ConfigMap';
        throw wrong('kind', `Argus applies ${kinds}: apply the ${object.kind} once by hand`);
      }
    }
  }
  if (job !== undefined) return { job, configMaps, ...(cluster === undefined ? {} : { cluster }) };
  const names = files.map((file) => file.name).join(', ') || 'the manifest';
  throw manifestError(`${names}: there is no FlinkSessionJob ${place.sessionJob}`);
}

type Mapping = Parameters<typeof metadataOf>[0];

function checkJob(object: Mapping, place: Place, wrong: Wrong): void {
  checkVersion(object, wrong);
  if (!isMapping(object.spec)) throw wrong('spec', 'a mapping is needed here');
  const { deploymentName, job } = object.spec;
  if (deploymentName !== place.deployment) {
    throw wrong('spec.deploymentName', `"${deploymentName}", but the configuration says ${place.deployment}`);
  }
  if (!isMapping(job)) throw wrong('spec.job', 'a job is needed here');
  if (job.upgradeMode === 'last-state') {
    throw wrong(
      'spec.job.upgradeMode',
      'the operator refuses last-state for a session job: use savepoint or stateless',
    );
  }
  // Source: `FileSystemBasedArtifactFetcher`, 1.7: it reads the jar itself and uploads it.
  if (typeof job.jarURI === 'string' && job.jarURI.startsWith('local:')) {
    throw wrong(
      'spec.job.jarURI',
      'the operator fetches the jar of a session job itself: https, s3 or file, not local',
    );
  }
  const { annotations } = metadataOf(object);
  if (isMapping(annotations) && jobIdAnnotation in annotations) {
    throw wrong('metadata.annotations', `${jobIdAnnotation} is set by Argus: take it out`);
  }
}

function checkCluster(object: Mapping, wrong: Wrong): void {
  checkVersion(object, wrong);
  if (!isMapping(object.spec)) throw wrong('spec', 'a mapping is needed here');
  if ((object.spec.job ?? undefined) !== undefined) {
    throw wrong('spec.job', 'a session cluster has no job of its own: take it out, or take sessionJob out');
  }
}

function checkVersion(object: Mapping, wrong: Wrong): void {
  if (object.apiVersion === flinkDeploymentKind.apiVersion) return;
  throw wrong('apiVersion', `${flinkDeploymentKind.apiVersion} is needed, not ${object.apiVersion}`);
}
