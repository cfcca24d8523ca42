import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import type { KeyedHandle, LocalFile } from '../../regions/flink/metadata-handles.ts';
import { type CheckpointMetadata, readMetadata } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';

/** The job's folder of checkpoints, and in it the run that writes them. */
export const PREFIX = 'checkpoints';
const RUN = 'edf7a6aa04268d723b4bc8e37a77a63d';
/** What a copy of the bucket has to bring over. */
export const FOLDER = `${PREFIX}/${RUN}`;
/** Any of version 6 will do: Flink's properties are taken from it. */
const captured = resolve('fixtures/flink/v6-p2-busy/_metadata');
/** Each is held in memory. */
const BYTES_AT_ONCE = 256 << 20;

/** A file of shared state. */
export interface SharedFile {
  readonly key: string;
  readonly sizeBytes: number;
}

/** Puts so many files of random bytes where RocksDB's incremental checkpoints have them. */
export function putFiles(
  store: ObjectStore,
  name: string,
  count: number,
  sizeBytes: number,
): Promise<readonly SharedFile[]> {
  const files = Array.from({ length: count }, (_, i) => `${FOLDER}/shared/${name}-${String(i).padStart(6, '0')}`);
  return eachAtOnce(files, Math.min(16, Math.ceil(BYTES_AT_ONCE / sizeBytes)), async (key) => {
    await store.put(key, randomBytes(sizeBytes));
    return { key, sizeBytes };
  });
}

/** Puts the `_metadata` by which a checkpoint of these files is complete. */
export async function putMetadata(store: ObjectStore, id: number, files: readonly SharedFile[]): Promise<void> {
  await store.put(`${FOLDER}/chk-${id}/_metadata`, writeMetadata(metadataOf(store.uri, id, files)));
}

function metadataOf(uri: string, id: number, files: readonly SharedFile[]): CheckpointMetadata {
  const local = files.map(({ key, sizeBytes }, n): LocalFile => {
    const stream = { tag: 2, path: `${uri}/${key}`, size: BigInt(sizeBytes) } as const;
    return { localPath: `${String(n).padStart(6, '0')}.sst`, stream };
  });
  const [meta, ...shared] = local;
  if (meta === undefined) throw new Error('a checkpoint needs a file');
  const keyed: KeyedHandle = {
    tag: 11,
    checkpointId: BigInt(id),
    backendId: RUN,
    keyGroups: { start: 0, count: 128 },
    checkpointedSize: 1n,
    meta: meta.stream,
    shared,
    private: [],
    id: RUN,
  };
  return {
    version: 6,
    checkpointId: BigInt(id),
    masterStates: [],
    operators: [
      {
        name: 'count',
        uid: 'count',
        id: RUN,
        parallelism: 1,
        maxParallelism: 128,
        coordinator: null,
        subtasks: [
          {
            kind: 'state',
            index: 0,
            managedKeyed: keyed,
            rawKeyed: null,
            inputChannels: [],
            outputChannels: [],
          },
        ],
      },
    ],
    properties: readMetadata(readFileSync(captured)).properties,
  };
}
