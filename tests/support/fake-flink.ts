import { createCipheriv, createHash } from 'node:crypto';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { transform } from '../../regions/flink/metadata-files.ts';
import type { StreamHandle } from '../../regions/flink/metadata-handles.ts';
import { type CheckpointMetadata, readMetadata, type Subtask } from '../../regions/flink/metadata-reader.ts';
import { writeMetadata } from '../../regions/flink/metadata-writer.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { flinkSample } from './flink-samples.ts';

export interface FakeFlinkOptions {
  readonly store: ObjectStore;
  readonly flinkJobId?: string;
  /** Makes every byte, and every choice: equal seeds make equal checkpoints. */
  readonly seed: string;
  /** Sizes of the files that each checkpoint adds. */
  readonly newFiles: (checkpointId: number) => readonly number[];
  /** A checkpoint needs so many of the newest files; default all. Of `full` checkpoints each only its own. */
  readonly liveFiles?: number;
  readonly full?: boolean;
  /** So many checkpoints are kept: `execution.checkpointing.num-retained`. Default 1. */
  readonly retained?: number;
}

/** A job that writes checkpoints as Flink lays them out, with nothing of Flink but its `_metadata`. */
export interface FakeFlink {
  readonly flinkJobId: string;
  /** SHA-256 of every file that was ever written, by key. */
  readonly written: ReadonlyMap<string, string>;
  /** Completes the next checkpoint: its files, then `_metadata`. Removes nothing. Gives its number. */
  complete(): Promise<number>;
  /** Removes what is subsumed, in Flink's order: `_metadata`, the checkpoint's own files, then shared ones. */
  subsume(): Promise<void>;
  /** Checkpoints that are not removed, nor being removed. */
  kept(): readonly number[];
}

interface Held {
  readonly id: number;
  readonly own: readonly string[];
  readonly shared: readonly string[];
}

/** Starts at checkpoint 1, with a bucket that the job has to itself. */
export function fakeFlink(options: FakeFlinkOptions): FakeFlink {
  const { store, flinkJobId = 'f'.repeat(32), seed, newFiles, full = false, retained = 1 } = options;
  const root = `checkpoints/${flinkJobId}`;
  const base = emptied(readMetadata(flinkSample('v6-full').bytes));
  const written = new Map<string, string>();
  let held: readonly Held[] = [];
  let live: readonly { readonly key: string; readonly sizeBytes: number }[] = [];
  let id = 0;

  async function put(key: string, sizeBytes: number): Promise<void> {
    const bytes = seededBytes(`${seed} ${key}`, sizeBytes);
    written.set(key, createHash('sha256').update(bytes).digest('hex'));
    await store.put(key, bytes);
  }

  return {
    flinkJobId,
    written,
    async complete() {
      const directory = `${root}/chk-${++id}`;
      const folder = full ? directory : `${root}/shared`;
      const added = newFiles(id).map((sizeBytes, n) => ({ key: `${folder}/${id}-${n}`, sizeBytes }));
      const meta = { key: `${directory}/meta-${id}`, sizeBytes: 1_000 };
      await eachAtOnce([...added, meta], 4, (file) => put(file.key, file.sizeBytes));
      live = full ? added : [...live, ...added].slice(-(options.liveFiles ?? Number.MAX_SAFE_INTEGER));
      const relative = (file: { readonly key: string; readonly sizeBytes: number }): StreamHandle =>
        file.key.startsWith(`${directory}/`)
          ? { tag: 6, path: file.key.slice(directory.length + 1), size: BigInt(file.sizeBytes) }
          : { tag: 2, path: `${store.uri}/${file.key}`, size: BigInt(file.sizeBytes) };
      const metadata = withFiles({ ...base, checkpointId: BigInt(id) }, relative(meta), live.map(relative));
      await store.put(`${directory}/_metadata`, writeMetadata(metadata));
      const own = [meta, ...(full ? added : [])].map((file) => file.key);
      held = [...held, { id, own, shared: full ? [] : live.map((file) => file.key) }];
      return id;
    },
    kept: () => held.map((each) => each.id),
    async subsume() {
      const gone = held.slice(0, -retained);
      held = held.slice(-retained);
      const needed = new Set(held.flatMap((each) => each.shared));
      for (const each of gone) {
        await store.delete(`${root}/chk-${each.id}/_metadata`);
        for (const key of each.own) await store.delete(key);
      }
      const shared = new Set(gone.flatMap((each) => each.shared).filter((key) => !needed.has(key)));
      await eachAtOnce([...shared], 4, (key) => store.delete(key));
    },
  };
}

/** Bytes that look random and are the same for the same seed. */
export function seededBytes(seed: string, length: number): Buffer {
  const key = createHash('md5').update(seed).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Numbers from 0 to below 1, the same for the same seed. */
export function seededRandom(seed: string): () => number {
  let bytes = seededBytes(seed, 4_096);
  let at = 0;
  return () => {
    if (at === bytes.length) {
      bytes = seededBytes(`${seed} ${bytes.toString('hex', 0, 16)}`, 4_096);
      at = 0;
    }
    at += 4;
    return bytes.readUInt32BE(at - 4) / 2 ** 32;
  };
}

/** Without any file: the sample's own become empty state inside `_metadata`. Source offsets stay. */
function emptied(metadata: CheckpointMetadata): CheckpointMetadata {
  return transform(metadata, {
    stream: (handle) =>
      handle.tag === 2 || handle.tag === 6 ? { tag: 1, name: handle.path, data: new Uint8Array() } : handle,
    operator: (handle) => handle,
  });
}

function withFiles(
  metadata: CheckpointMetadata,
  meta: StreamHandle,
  shared: readonly StreamHandle[],
): CheckpointMetadata {
  let done = false;
  const subtask = (state: Subtask): Subtask => {
    if (done || state.kind === 'finished' || state.managedKeyed?.tag !== 11) return state;
    done = true;
    const files = shared.map((stream, n) => ({ localPath: `${String(n).padStart(6, '0')}.sst`, stream }));
    return { ...state, managedKeyed: { ...state.managedKeyed, meta, shared: files, private: [] } };
  };
  return {
    ...metadata,
    operators: metadata.operators.map((operator) => ({
      ...operator,
      subtasks: operator.subtasks === 'finished' ? 'finished' : operator.subtasks.map(subtask),
    })),
  };
}
