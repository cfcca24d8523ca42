import { z } from 'zod';
import type { CheckpointManifest } from '../../domain/checkpoint.ts';

const whole = z.number().int().min(0);
const decimal = z.string().regex(/^-?\d{1,19}$/);

const VERSION = 1;

const schema: z.ZodType<CheckpointManifest> = z.object({
  version: z.literal(VERSION),
  job: z.string(),
  flinkJobId: z.string(),
  checkpointId: whole,
  kind: z.literal('savepoint').optional(),
  completedAtMs: z.number(),
  committedAtMs: z.number(),
  metadataVersion: whole,
  sourceUri: z.string(),
  replicaUri: z.string(),
  metadata: z.object({ key: z.string(), sizeBytes: whole, sha256: z.string() }),
  files: z.array(
    z.object({
      key: z.string(),
      sizeBytes: whole,
      sizeRule: z.enum(['exact', 'atLeast']),
      etag: z.string(),
      checksum: z.object({ sha256: z.string(), sizeBytes: whole }).optional(),
    }),
  ),
  sourceOffsets: z.array(z.object({ topic: z.string(), partition: whole, offset: decimal })),
  droppedTransactions: z.array(
    z.object({ transactionalId: z.string(), producerId: decimal, producerEpoch: z.number().int() }),
  ),
  needsClaim: z.boolean().optional(),
  resolvedMarkers: z
    .object({
      group: z.string(),
      atMs: z.number(),
      splits: z.array(z.object({ topic: z.string(), partition: whole, marker: decimal, offset: decimal })),
    })
    .optional(),
  sinkEnds: z
    .object({
      atMs: z.number(),
      newerComplete: z.boolean(),
      partitions: z.array(z.object({ topic: z.string(), partition: whole, endOffset: decimal, stableOffset: decimal })),
      open: z.array(
        z.object({
          topic: z.string(),
          partition: whole,
          producerId: decimal,
          producerEpoch: z.number().int(),
          firstOffset: decimal,
        }),
      ),
    })
    .optional(),
});

export function encodeManifest(manifest: CheckpointManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
}

/** The manifest, or what is wrong with it as a sentence's end; `newer`: an Argus of a later version wrote it. */
export function decodeManifest(
  bytes: Uint8Array,
): CheckpointManifest | { readonly problem: string; readonly newer?: true } {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return { problem: 'is not JSON' };
  }
  const version = typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined;
  if (typeof version === 'number' && version > VERSION) {
    const problem = `has version ${version}, which a newer Argus wrote; this one knows only version ${VERSION}`;
    return { problem, newer: true };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return { problem: `is not a manifest: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}` };
}
