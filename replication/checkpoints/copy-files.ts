import { pipeline } from 'node:stream';
import type { FileChecksum } from '../../domain/checkpoint.ts';
import { eachAtOnce } from '../../domain/each-at-once.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { ObjectInfo, ObjectStore, PutResult, StreamBody } from '../../regions/objects/object-store.ts';
import { partSizeBehind } from '../../regions/objects/part-sizes.ts';
import { withRetries } from '../../regions/objects/with-retries.ts';
import { checksumOf, checksumOfPassing } from './checksums.ts';
import { type CopyPace, pacedStream } from './copy-pace.ts';

/** What is known to be on the replica: by key in the replica's bucket. */
export type KnownFiles = Map<
  string,
  {
    readonly sizeBytes: number;
    readonly etag: string;
    /** Of the copy; absent where nobody knows it any more, or where a server copied by itself. */
    readonly checksum?: FileChecksum | undefined;
    /** No manifest vouches for it: a process that was killed may have left a part of it. */
    readonly unproven?: true;
  }
>;

/** A file of the plan: what to copy from where to where, unless the replica has it. */
export interface PlannedFile {
  readonly sourceKey: string;
  readonly targetKey: string;
  readonly sizeBytes: number;
  readonly sizeRule: 'exact' | 'atLeast';
  readonly missing: boolean;
}

/** How far the copy of one checkpoint is; only what the replica lacked is counted. */
export interface CopyProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  /** As the checkpoint says; what grows by itself may be more. */
  readonly totalBytes: number;
}

export interface CopyFilesOptions {
  /** The primary's bucket. */
  readonly source: ObjectStore;
  /** The standby's. */
  readonly target: ObjectStore;
  /** Files that need no copy; the copied ones are added. */
  readonly known: KnownFiles;
  /** Copies at once; default 32. */
  readonly parallelism?: number;
  /** How fast bytes may pass; default as fast as they come. What a server copies by itself doesn't pass. */
  readonly pace?: CopyPace | undefined;
  /** Told when the plan is made, and whenever a file or a part of it is copied. */
  readonly onProgress?: (now: CopyProgress) => void;
  readonly signal?: AbortSignal;
}

/** A file that the checkpoint names is not in the primary's bucket. */
export class Vanished extends Error {
  readonly key: string;
  constructor(key: string) {
    super(`${key} is gone`);
    this.key = key;
  }
}

/** Up to this size a file is held in memory: one request each way, and its bytes are signed. */
const BUFFERED_BYTES = 1 << 20;
const COPIES_AT_ONCE = 32;

/**
 * Copies what is missing, a few at a time; the first failure ends it when the copies under way are done. What later
 * checkpoints need too comes first: a copy that loses against Flink then leaves the next one less to do.
 */
export async function copyMissing(
  plan: readonly PlannedFile[],
  directory: string,
  options: CopyFilesOptions,
): Promise<{ readonly filesCopied: number; readonly bytesCopied: number }> {
  const own = `${directory}/`;
  const lacking = plan.filter((file) => file.missing);
  const missing = [
    ...lacking.filter((file) => !file.sourceKey.startsWith(own)),
    ...lacking.filter((file) => file.sourceKey.startsWith(own)),
  ];
  const total = { totalFiles: missing.length, totalBytes: missing.reduce((sum, file) => sum + file.sizeBytes, 0) };
  let [files, bytes] = [0, 0];
  const tell = (more: { readonly files?: number; readonly bytes?: number }) => {
    files += more.files ?? 0;
    bytes += more.bytes ?? 0;
    options.onProgress?.({ files, bytes, ...total });
  };
  tell({});
  const sizes = await eachAtOnce(missing, options.parallelism ?? COPIES_AT_ONCE, async (file) => {
    const size = await copyFile(file, options, (passed) => tell({ bytes: passed }));
    tell({ files: 1 });
    return size;
  });
  return { filesCopied: missing.length, bytesCopied: sizes.reduce((sum, size) => sum + size, 0) };
}

/**
 * Copies one file, and enters it as known. Gives its size. Where both stores are of one account the server copies by
 * itself: then nobody here has seen the bytes, and there is no checksum of them. `passed` is told of bytes as they come; of fewer than none
 * when what came has to come again.
 */
export async function copyFile(
  file: PlannedFile,
  options: CopyFilesOptions,
  passed: (bytes: number) => void = () => undefined,
): Promise<number> {
  const { source, target, known, pace, signal } = options;
  const call = signal === undefined ? {} : { signal };
  const enter = (put: PutResult, sizeBytes: number, checksum: FileChecksum) => {
    if (put.kind === 'written') known.set(file.targetKey, { sizeBytes, etag: put.etag, checksum });
    return sizeBytes;
  };
  if (source.account !== undefined && source.account === target.account) {
    const copied = await target.copy(file.sourceKey, file.targetKey, { ...call, of: source });
    if (copied === undefined) throw new Vanished(file.sourceKey);
    requireSize(file, copied.sizeBytes);
    known.set(file.targetKey, copied);
    passed(copied.sizeBytes);
    return copied.sizeBytes;
  }
  if (file.sizeRule === 'exact' && file.sizeBytes <= BUFFERED_BYTES) {
    await pace?.pass(file.sizeBytes, signal);
    const found = await source.get(file.sourceKey, call);
    if (found === undefined) throw new Vanished(file.sourceKey);
    const { body } = found;
    requireSize(file, body.length);
    const checksum = checksumOf(body);
    const put = await target.put(file.targetKey, body, { ...call, sha256: checksum.sha256 });
    passed(body.length);
    return enter(put, body.length, checksum);
  }
  const copy = await streamed(file, options, passed);
  return enter(copy.put, copy.checksum.sizeBytes, copy.checksum);
}

interface StreamedCopy {
  readonly put: PutResult;
  readonly checksum: FileChecksum;
}

/** Copies without holding the file in memory; what may pass is tried again from its beginning. */
async function streamed(
  file: PlannedFile,
  options: CopyFilesOptions,
  passed: (bytes: number) => void,
): Promise<StreamedCopy> {
  const attempt = async (compare: boolean): Promise<StreamedCopy> => {
    let came = 0;
    try {
      return await streamOnce(file, options, compare, (bytes) => {
        came += bytes;
        passed(bytes);
      });
    } catch (error) {
      passed(-came);
      throw error;
    }
  };
  const trying = (compare: boolean) => withRetries(() => attempt(compare), mayPass, options.signal);
  try {
    return await trying(true);
  } catch (error) {
    if (!(error instanceof ArgusError && error.code === DIGEST_DIFFERS)) throw error;
  }
  // Either the source's ETag is no MD5 of the bytes, as with encryption, or they are damaged on their way.
  const copy = await trying(false);
  const there = await checksumAt(options.target, file.targetKey, options.signal);
  if (there?.sha256 === copy.checksum.sha256) return copy;
  throw new ArgusError('ObjectStoreFailed', `${file.targetKey} is not what was sent to ${options.target.uri}`, {
    retryable: true,
  });
}

const DIGEST_DIFFERS = 'ObjectDigestDiffers';

function mayPass(error: unknown): boolean {
  return error instanceof ArgusError && error.retryable && error.code !== DIGEST_DIFFERS;
}

async function streamOnce(
  file: PlannedFile,
  options: CopyFilesOptions,
  compare: boolean,
  passed: (bytes: number) => void,
): Promise<StreamedCopy> {
  const { source, target, pace, signal } = options;
  const call = signal === undefined ? {} : { signal };
  const from = await source.open(file.sourceKey, call);
  if (from === undefined) throw new Vanished(file.sourceKey);
  const body = pace === undefined ? from.body : paced(from.body, pace, signal);
  try {
    requireSize(file, body.sizeBytes);
  } catch (error) {
    body.stream.destroy();
    throw error;
  }
  const checksum = checksumOfPassing(body.stream, passed);
  const put = await target.put(file.targetKey, body, { ...call, ...expected(from.info, compare) });
  return { put, checksum: checksum() };
}

/** What the source's ETag tells of the bytes: their MD5, or in which parts they were sent. */
function expected({ etag, sizeBytes }: ObjectInfo, compare: boolean): { md5?: string; partBytes?: number } {
  if (compare && /^[0-9a-f]{32}$/.test(etag)) return { md5: etag };
  const partBytes = partSizeBehind(sizeBytes, etag);
  return partBytes === undefined ? {} : { partBytes };
}

function paced({ stream, sizeBytes }: StreamBody, pace: CopyPace, signal: AbortSignal | undefined): StreamBody {
  // An error of either is the other's too; who reads the stream sees it.
  return { stream: pipeline(stream, pacedStream(pace, signal), () => undefined), sizeBytes };
}

function requireSize(file: PlannedFile, sizeBytes: number): void {
  if (file.sizeRule === 'exact' ? sizeBytes === file.sizeBytes : sizeBytes >= file.sizeBytes) return;
  throw new ArgusError(
    'FileSizeDiffersAtSource',
    `${file.sourceKey} has ${sizeBytes} bytes, its checkpoint says ${file.sizeBytes}`,
  );
}

async function checksumAt(
  store: ObjectStore,
  key: string,
  signal: AbortSignal | undefined,
): Promise<FileChecksum | undefined> {
  const found = await store.open(key, signal === undefined ? {} : { signal });
  if (found === undefined) return undefined;
  const checksum = checksumOfPassing(found.body.stream, () => undefined);
  for await (const _ of found.body.stream);
  return checksum();
}
