import { z } from 'zod';
import { secretRef, serviceUrl } from './config-values.ts';

/** How an S3-compatible store is reached. */
export const s3Access = {
  /** URL of the S3 API, e.g. `https://<account>.r2.cloudflarestorage.com`. */
  endpoint: serviceUrl,
  region: z.string().default('auto'),
  accessKeyId: secretRef,
  secretAccessKey: secretRef,
  /** `https://endpoint/bucket/key` instead of `https://bucket.endpoint/key`. */
  pathStyle: z.boolean().default(true),
};

/** A place for documents: a folder (`file:./state`) or a part of a bucket. */
export const storePlace = z.union([
  z.string().regex(/^file:.+$/, 'file:<folder>, or a mapping with an s3:// url'),
  z.strictObject({ ...s3Access, url: z.string().regex(/^s3:\/\/[^/]+(\/.*)?$/, 's3://bucket/prefix') }),
]);

/** Where a place for documents is. */
export type StorePlace = z.output<typeof storePlace>;
