import { formatByteSize } from '../../domain/byte-size.ts';
import type { DoctorFinding } from './finding.ts';

/** What leaves the primary, bytes a second. */
export interface SeenTraffic {
  readonly primary: string;
  /** By how much the mirrored topics' logs grew. */
  readonly mirrored: number;
  /** What came to the replica of checkpoints in the last hour, as an average. */
  readonly checkpoints: number;
}

const monthSeconds = 30 * 24 * 3_600;

/** What replication sends out of the primary, and its price where one is given. Pure. */
export function judgeEgress(check: string, traffic: SeenTraffic, pricePerGb?: number): readonly DoctorFinding[] {
  const { primary, mirrored, checkpoints } = traffic;
  const month = (mirrored + checkpoints) * monthSeconds;
  const price =
    pricePerGb === undefined ? '' : `, about ${Math.ceil((month / 1e9) * pricePerGb)} at ${pricePerGb} a GB`;
  const size = formatByteSize(Math.round(month));
  return [
    {
      check,
      code: 'EgressRate',
      severity: 'advice',
      region: primary,
      message: `as it goes now ${formatByteSize(Math.round(mirrored))}/s of records and ${formatByteSize(Math.round(checkpoints))}/s of checkpoints leave ${primary}: ${size} in 30 days${price}`,
      fix:
        pricePerGb === undefined
          ? 'give --egress-price with what your provider takes for a GB between the regions'
          : 'mirror.throttle and checkpoints.bandwidth bound it; compression at the producers lessens it',
    },
  ];
}
