import type { Clock } from '../../domain/clock.ts';
import type { Failure } from '../../state/journal.ts';
import { type CalmView, whyNotCalm } from './calm.ts';
import type { FaultLook } from './look.ts';
import type { FaultEyes } from './ports.ts';

/** One look that was late is no incident; what is still so after this is. */
const patienceMs = 15_000;
const pollMs = 1_000;

/** Looks until all is calm, or long enough to be sure that it isn't: the last look, and then why not. */
export async function waitCalm(
  eyes: FaultEyes,
  view: Omit<CalmView, 'look'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly look: FaultLook; readonly why?: Failure }> {
  const from = clock.monotonic();
  for (;;) {
    const look = await eyes.look(signal);
    const why = whyNotCalm({ ...view, look });
    if (why === undefined) return { look };
    if (clock.monotonic() - from >= patienceMs) return { look, why };
    await clock.sleep(pollMs, signal);
  }
}
