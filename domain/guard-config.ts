import { z } from 'zod';
import { duration } from './config-values.ts';
import { storePlace } from './store-config.ts';

/** A guard that starts waits at most this long for a first answer before it decides. */
export const settlesWithin = (fenceTtlMs: number): number => Math.min(2_000, fenceTtlMs / 10);

/** A guard in each region (`argus guard`), which shuts its own Kafka when it hears of a failover, or of nobody. */
export const guardSection = z
  .strictObject({
    /**
     * Where claims are left besides the state: independent of it, in a third place. A guard needs one of the two, a
     * failover both.
     */
    witness: storePlace,
    /** A guard that heard neither for this long shuts its region. */
    fenceTtl: duration.prefault('20s'),
    /** What clocks may run apart in that time, and a denial may take. */
    skew: duration.prefault('5s'),
    /** How long a failover waits, after its claim, for a guard whose word doesn't come. */
    lease: duration.prefault('45s'),
    /** Where a guard notes the rules that it makes, relative to the configuration: it has to get along without the state. */
    folder: z.string().min(1).default('guard'),
  })
  .superRefine(({ fenceTtl, skew, lease }, ctx) => {
    const settles = settlesWithin(fenceTtl);
    if (fenceTtl + settles + skew < lease) return;
    const message = `fenceTtl + skew, and ${settles / 1_000} s for a guard that starts anew (${(fenceTtl + settles + skew) / 1_000} s), must be below lease (${lease / 1_000} s): else a failover could go on before the guard has shut its region`;
    ctx.addIssue({ code: 'custom', path: ['lease'], message });
  });
