import { createHash } from 'node:crypto';
import { ByteBudget } from './byte-budget.ts';
import type { StreamBody } from './object-store.ts';
import { BUFFERED_BYTES, partSize } from './part-sizes.ts';
import { S3Refusal, s3MayPass } from './s3-errors.ts';
import { bodyLengthDiffers, type S3Answer, type S3Request } from './s3-requests.ts';
import { xmlText } from './s3-xml.ts';
import { withRetries } from './with-retries.ts';

/** Sends what is too large for one request. */
export interface S3Uploads {
  /**
   * Reads the body once, part after part, and sends several parts at the same time; a part that fails is sent again.
   * Gives the ETag, bare. After a failure nothing is left at the server.
   */
  upload(key: string, body: StreamBody, partBytes: number | undefined, signal: AbortSignal): Promise<string>;
}

/** For one store: however many uploads there are at once, they hold 128 MiB at most, or one part that is larger. */
export function createS3Uploads(
  send: (request: Omit<S3Request, 'idleMs'>, signal: AbortSignal) => Promise<S3Answer>,
): S3Uploads {
  const budget = new ByteBudget(BUFFERED_BYTES);

  return {
    async upload(key, body, wanted, signal) {
      const partBytes = partSize(body.sizeBytes, wanted);
      const created = await textOf(await send({ method: 'POST', key, query: { uploads: '' } }, signal));
      const uploadId = xmlText(created, 'UploadId');
      if (uploadId === undefined) throw new Error('the store gave no UploadId');
      const failed = new AbortController();
      const stop = AbortSignal.any([signal, failed.signal]);
      const sending: Promise<string>[] = [];
      try {
        for await (const part of partsOf(body, partBytes, budget)) {
          const sent = sendPart({ key, uploadId, number: sending.length + 1 }, part, stop).finally(() =>
            budget.giveBack(part.length),
          );
          sent.catch((error: unknown) => failed.abort(error));
          sending.push(sent);
          if (stop.aborted) break;
        }
        const etags = await Promise.all(sending);
        return await complete(key, uploadId, etags, signal);
      } catch (error) {
        failed.abort(error);
        await Promise.allSettled(sending);
        // The parts would be stored, and paid for, until a rule of the bucket removes them.
        const aborted = send({ method: 'DELETE', key, query: { uploadId } }, AbortSignal.timeout(2_000));
        await aborted.then(
          (answer) => answer.body.resume(),
          () => undefined,
        );
        // Of several parts that failed, the first says why.
        throw signal.aborted ? error : failed.signal.reason;
      }
    },
  };

  async function sendPart(
    at: { readonly key: string; readonly uploadId: string; readonly number: number },
    part: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    const query = { partNumber: String(at.number), uploadId: at.uploadId };
    const answer = await withRetries(
      () => send({ method: 'PUT', key: at.key, query, body: part }, signal),
      s3MayPass,
      signal,
    );
    answer.body.resume();
    return answer.headers.etag ?? '';
  }

  async function complete(key: string, uploadId: string, etags: readonly string[], signal: AbortSignal) {
    const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const answer = await send({ method: 'POST', key, query: { uploadId }, body, sha256 }, signal);
    const text = await textOf(answer);
    // An answer that took long begins with success before its outcome is known.
    if (text.includes('<Error>')) throw new S3Refusal(500, text, answer.headers);
    return (xmlText(text, 'ETag') ?? '').replaceAll('"', '');
  }
}

/** The body in pieces of the same size but the last, each taken from the budget, to be given back by who has it. */
async function* partsOf({ stream, sizeBytes }: StreamBody, partBytes: number, budget: ByteBudget) {
  let left = sizeBytes;
  let rest: Uint8Array = new Uint8Array();
  const chunks = (stream as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    while (left > 0) {
      const length = Math.min(partBytes, left);
      await budget.take(length);
      let filled = 0;
      let handed = false;
      try {
        const part = Buffer.allocUnsafe(length);
        while (filled < length) {
          if (rest.length === 0) {
            const next = await chunks.next();
            if (next.done) throw bodyLengthDiffers(sizeBytes - left + filled, sizeBytes);
            rest = next.value;
          }
          const piece = rest.subarray(0, length - filled);
          part.set(piece, filled);
          filled += piece.length;
          rest = rest.subarray(piece.length);
        }
        left -= length;
        handed = true;
        yield part;
      } finally {
        if (!handed) budget.giveBack(length);
      }
    }
    if (rest.length > 0 || !(await chunks.next()).done) throw bodyLengthDiffers(sizeBytes + 1, sizeBytes);
  } finally {
    await chunks.return?.();
  }
}

async function textOf(answer: S3Answer): Promise<string> {
  answer.body.setEncoding('utf8');
  let text = '';
  for await (const piece of answer.body) text += piece;
  return text;
}
