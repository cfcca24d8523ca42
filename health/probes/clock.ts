import { ArgusError } from '../../domain/errors.ts';
import { type ProbeOf, type ProbeOptions, probe } from '../probe.ts';

/** This machine's clock beside a region's. */
export interface ClockReading {
  /** How far this machine's is ahead; negative: behind. */
  readonly aheadMs: number;
  /** The truth lies at most this far from it. */
  readonly uncertaintyMs: number;
}

/**
 * Do this machine's clock and the region's agree? `ClockSkewed` only where they differ by more than the limit beyond all
 * doubt of the measurement. What gives no reading tells nothing (`ClockUntold`, unknown).
 */
export async function probeClock(
  where: string,
  read: (call: { readonly signal: AbortSignal }) => Promise<ClockReading | undefined>,
  limitMs: number,
  options: ProbeOptions,
): Promise<ProbeOf<ClockReading>> {
  return probe(async (call) => {
    const reading = await read(call);
    if (reading === undefined) throw new ArgusError('ClockUntold', `${where} tells no time`, { heard: false });
    const { aheadMs, uncertaintyMs } = reading;
    if (Math.abs(aheadMs) - uncertaintyMs <= limitMs) return reading;
    const by = `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s (± ${(uncertaintyMs / 1_000).toFixed(1)} s)`;
    throw new ArgusError('ClockSkewed', `this clock is ${by} ${aheadMs > 0 ? 'ahead of' : 'behind'} that of ${where}`);
  }, options);
}
