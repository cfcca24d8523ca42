import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { eachAtOnce } from '../../domain/each-at-once.ts';

/** An object that is copied inside a server, to another key of a bucket. */
export interface ServerCopy {
  readonly fromBucket: string;
  readonly fromKey: string;
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
  /** Size of a part; what is larger is copied in several. S3 copies at most 5 GiB in one request. */
  readonly partBytes: number;
}

/** Runs one request to the store, with its deadline. */
export type SendCopy = <T>(run: (abortSignal: AbortSignal) => Promise<T>) => Promise<T>;

const PARTS_AT_ONCE = 4;
/** Source: Amazon S3 multipart upload limits. */
const MOST_PARTS = 10_000;

/** Copies without a byte passing through here. Gives the copy's ETag as the server writes it, with quotes. */
export async function serverCopy(client: S3Client, copy: ServerCopy, send: SendCopy): Promise<string | undefined> {
  const CopySource = `${copy.fromBucket}/${copy.fromKey.split('/').map(encodeURIComponent).join('/')}`;
  const to = { Bucket: copy.bucket, Key: copy.key };
  const ranges = copyRanges(copy.sizeBytes, copy.partBytes);
  if (ranges.length <= 1) {
    const command = new CopyObjectCommand({ ...to, CopySource });
    return (await send((abortSignal) => client.send(command, { abortSignal }))).CopyObjectResult?.ETag;
  }
  const create = new CreateMultipartUploadCommand(to);
  const { UploadId } = await send((abortSignal) => client.send(create, { abortSignal }));
  const upload = { ...to, UploadId };
  try {
    const Parts = await eachAtOnce([...ranges.entries()], PARTS_AT_ONCE, async ([index, CopySourceRange]) => {
      const PartNumber = index + 1;
      const command = new UploadPartCopyCommand({ ...upload, CopySource, CopySourceRange, PartNumber });
      const answer = await send((abortSignal) => client.send(command, { abortSignal }));
      return { PartNumber, ETag: answer.CopyPartResult?.ETag };
    });
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [...Parts] } });
    return (await send((abortSignal) => client.send(complete, { abortSignal }))).ETag;
  } catch (error) {
    // The parts would be stored, and paid for, until a rule of the bucket removes them.
    await client
      .send(new AbortMultipartUploadCommand(upload), { abortSignal: AbortSignal.timeout(2_000) })
      .catch(() => undefined);
    throw error;
  }
}

/** The ranges of the parts, as `x-amz-copy-source-range` has them; one or none: a single request does. Pure. */
export function copyRanges(sizeBytes: number, partBytes: number): readonly string[] {
  const part = Math.max(partBytes, Math.ceil(sizeBytes / MOST_PARTS));
  const ranges: string[] = [];
  for (let from = 0; from < sizeBytes; from += part) {
    ranges.push(`bytes=${from}-${Math.min(from + part, sizeBytes) - 1}`);
  }
  return ranges;
}
