import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { ObjectInfo, ObjectStore } from '../../regions/objects/object-store.ts';
import { parsePointFolder, replicaFolder } from './locations.ts';
import { type FileProblem, type ReplicaPoint, type ReplicaProblem, readPoint, verifyPoint } from './replica.ts';

/** A point that is not what its manifest says. */
export interface DamagedPoint {
  readonly point: ReplicaPoint;
  readonly problems: readonly FileProblem[];
}

/** What one look at a job's replica gave. */
export interface LightVerification {
  readonly points: number;
  /** Files that the points need; one of several points counts once. */
  readonly files: number;
  readonly damaged: readonly DamagedPoint[];
  /** Files and `_metadata` that are missing or not what was copied; each once. */
  readonly damagedFiles: number;
  /** Manifests that can't be read: of their points nothing is known. */
  readonly problems: readonly ReplicaProblem[];
}

/**
 * Looks again and again whether a job's replica is what its manifests say, by existence, size and ETag of every file,
 * and the hash of each `_metadata`. A look costs one listing, and two reads for each point that is new or was changed.
 */
export function lightVerifier(
  store: ObjectStore,
  job: string,
): { look(call?: { readonly signal?: AbortSignal }): Promise<LightVerification> } {
  let known = new Map<string, { readonly version: string; readonly found: ReplicaPoint | ReplicaProblem }>();
  return {
    async look(call = {}) {
      const listing = await store.list(replicaFolder(job), call);
      const objects = new Map(listing.objects.map((object) => [object.key, object]));
      const seen: typeof known = new Map();
      const manifests = listing.objects.filter(({ key }) => isManifest(job, key));
      await eachAtOnce(manifests, READS_AT_ONCE, async ({ key }) => {
        const version = versionOf(key, objects);
        const before = known.get(key);
        const found =
          before?.version === version
            ? before.found
            : await readPoint(store, job, key, { ...call, hashMetadata: objects.has(metadataOf(key)) });
        if (found !== undefined) seen.set(key, { version, found });
      });
      known = seen;
      return judge(
        [...seen.values()].map((each) => each.found),
        objects,
      );
    },
  };
}

const READS_AT_ONCE = 4;

function judge(
  found: readonly (ReplicaPoint | ReplicaProblem)[],
  objects: ReadonlyMap<string, ObjectInfo>,
): LightVerification {
  const points = found.filter((each) => 'manifest' in each);
  const damaged = points
    .map((point) => ({ point, problems: verifyPoint(point, objects) }))
    .filter((each) => each.problems.length > 0);
  return {
    points: points.length,
    files: new Set(points.flatMap((point) => point.manifest.files.map((file) => file.key))).size,
    damaged,
    damagedFiles: new Set(damaged.flatMap((each) => each.problems.map((problem) => problem.key))).size,
    problems: found.filter((each) => 'code' in each),
  };
}

function isManifest(job: string, key: string): boolean {
  const folder = key.slice(0, key.lastIndexOf('/'));
  return key === `${folder}/manifest.json` && parsePointFolder(job, folder) !== undefined;
}

const metadataOf = (manifestKey: string) => manifestKey.replace(/manifest\.json$/, '_metadata');

/** Changes when the manifest or its `_metadata` is written anew. */
function versionOf(key: string, objects: ReadonlyMap<string, ObjectInfo>): string {
  return `${objects.get(key)?.etag} ${objects.get(metadataOf(key))?.etag}`;
}
