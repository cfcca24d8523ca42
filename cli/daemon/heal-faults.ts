import { hostname } from 'node:os';
import type { Log } from '../../daemon/log.ts';
import type { MakeService } from '../../daemon/service.ts';
import { every } from '../../daemon/supervise.ts';
import { describeError } from '../../domain/errors.ts';
import type { Metrics } from '../../health/metrics.ts';
import { drillState } from '../../state/drills.ts';
import { listFaultNotes } from '../../state/fault-notes.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { healLeftFaults, leftFaultSentence } from '../drill/heal-left.ts';
import { withoutAPerson } from './without-a-person.ts';

const periodMs = 30_000;
/** After a heal that failed the next one is made so much later, and twice as much after each that fails as well. */
const firstPauseMs = 60_000;
const longestPauseMs = 3_600_000;

/**
 * Heals what a fault drill left broken whose process is gone: at the daemon's start, and each half a minute; more and more
 * seldom, up to once an hour, as long as the same faults can't be healed.
 */
export function healFaults({
  context,
  composition,
  log,
  metrics,
}: {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'also'>;
}): MakeService {
  const who = `argus daemon on ${hostname()} (pid ${process.pid})`;
  return () => ({
    name: 'heal-faults',
    async run(signal) {
      let told = '';
      let faultsLeft: readonly string[] = [];
      let failed = { faults: '', pauseMs: 0, untilMs: 0 };
      const forget = metrics.also(() => ({ faultsLeft }));
      const tick = async () => {
        const said: string[] = [];
        try {
          const notes = await listFaultNotes(drillState(composition.state), { signal });
          const faults = notes.map(({ fault, run }) => `${fault} ${run}`).join();
          if (faults !== '' && faults === failed.faults && context.clock.monotonic() < failed.untilMs) return;
          const own = withoutAPerson(context, log, who, signal);
          const quiet = { ...own, tell: () => undefined };
          const left = notes.length > 0 ? await healLeftFaults(quiet, composition.state, await own.loadConfig()) : [];
          faultsLeft = left.flatMap((f) => (f.kind === 'left' ? [f.note.fault] : []));
          if (faultsLeft.length > 0) {
            const pauseMs = failed.faults === faults ? Math.min(2 * failed.pauseMs, longestPauseMs) : firstPauseMs;
            failed = { faults, pauseMs, untilMs: context.clock.monotonic() + pauseMs };
            // Each try that failed is told, as seldom as they are.
            told = '';
          }
          // A drill that is at work is nobody's trouble.
          said.push(...left.filter((f) => f.kind !== 'alive').map(leftFaultSentence));
        } catch (error) {
          if (!signal.aborted) said.push(`what drills left broken can't be told: ${describeError(error)}`);
        }
        const now = said.join('; ');
        if (now !== '' && now !== told) log.warn({}, now);
        told = now;
      };
      await every(periodMs, tick, context.clock, signal).finally(forget);
    },
  });
}
