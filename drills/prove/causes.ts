import type { ByteDifference } from '../../replication/checkpoints/verify.ts';
import type { DrillCause } from '../drill-report.ts';

/** What refusals and differences of a point's files are called as causes of a failed drill. */
const causes: Readonly<Record<ByteDifference['code'], { readonly code: string; readonly hint: string }>> = {
  FileMissing: { code: 'StateFileMissing', hint: mend('a file') },
  FileSizeDiffers: { code: 'StateFileDamaged', hint: mend('a file') },
  FileChanged: { code: 'StateFileDamaged', hint: mend('a file') },
  BytesDiffer: { code: 'StateFileDamaged', hint: mend('a file') },
  MetadataMissing: { code: 'MetadataMissing', hint: mend('the metadata') },
  MetadataDamaged: { code: 'MetadataDamaged', hint: mend('the metadata') },
  MetadataPointsElsewhere: { code: 'MetadataDamaged', hint: mend('the metadata') },
};

function mend(what: string): string {
  return `the daemon copies ${what} again while the primary has it; \`argus checkpoints verify\` tells all that differs`;
}

/** A difference of a point's files as a cause. Pure. */
export function causeOfDifference(job: string, { code, message }: ByteDifference): DrillCause {
  return { job, message, ...causes[code] };
}

/** A newer point that was refused. */
interface RefusedPoint {
  readonly job: string;
  readonly checkpointId: number;
  readonly code: string;
  readonly message: string;
}

/**
 * Why newer points were refused, as far as that is damage: a file that lacks, or isn't what was copied. One that is only
 * not mirrored yet, or whose output isn't, is no fault. Pure.
 */
export function causesOfRefused(rejected: readonly RefusedPoint[]): readonly DrillCause[] {
  return rejected.flatMap(({ job, checkpointId, code, message }) => {
    if (!(code in causes)) return [];
    const { code: cause, hint } = causes[code as keyof typeof causes];
    return [{ job, code: cause, hint, message: `checkpoint ${checkpointId} of ${job} could not be used: ${message}` }];
  });
}
