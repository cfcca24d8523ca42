import type { CheckpointManifest } from '../../domain/checkpoint.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { type FileProblem, verifyPoint } from '../checkpoints/replica.ts';
import {
  type OffsetTranslator,
  type TranslatedPoint,
  type TranslationReasonCode,
  translatePoint,
} from '../checkpoints/translate-point.ts';
import { recoveryViews } from './gather.ts';

/** A newer point, and why it was refused. */
export interface RefusedTranslation {
  readonly flinkJobId: string;
  readonly checkpointId: number;
  readonly completedAtMs: number;
  /** Never empty. */
  readonly reasons: readonly { readonly code: TranslationReasonCode | FileProblem['code']; readonly message: string }[];
}

export type TranslatedChoice =
  | {
      readonly kind: 'chosen';
      readonly manifest: CheckpointManifest;
      readonly point: TranslatedPoint;
      readonly rejected: readonly RefusedTranslation[];
    }
  | { readonly kind: 'none'; readonly rejected: readonly RefusedTranslation[] };

export interface ChooseTranslatedOptions {
  /** The standby's. */
  readonly objects: ObjectStore;
  readonly job: string;
  readonly translator: OffsetTranslator;
  /** Only checkpoints of this number. */
  readonly checkpointId?: number;
  readonly signal?: AbortSignal;
}

/**
 * The newest point on the replica that is whole and all of whose offsets are translated exactly; one after the other,
 * since each offset has to be looked up. Reads only.
 */
export async function chooseTranslated(options: ChooseTranslatedOptions): Promise<TranslatedChoice> {
  const { objects, job, translator, checkpointId, signal } = options;
  const call = signal === undefined ? {} : { signal };
  const rejected: RefusedTranslation[] = [];
  for await (const view of recoveryViews({ objects, ...call }, job, [])) {
    for (const candidate of view.candidates) {
      const { manifest } = candidate;
      if (checkpointId !== undefined && manifest.checkpointId !== checkpointId) continue;
      const problems = verifyPoint(candidate, view.objects);
      const told = problems.length > 0 ? undefined : await translatePoint(objects, manifest, translator, call);
      if (told?.kind === 'exact') return { kind: 'chosen', manifest, point: told.point, rejected };
      const { flinkJobId, completedAtMs } = manifest;
      const reasons = told === undefined ? problems : told.reasons;
      rejected.push({ flinkJobId, checkpointId: manifest.checkpointId, completedAtMs, reasons });
    }
  }
  return { kind: 'none', rejected };
}
