import { hostname } from 'node:os';
import { watchLease } from '../../daemon/lease-watch.ts';
import type { Log } from '../../daemon/log.ts';
import type { MakeService } from '../../daemon/service.ts';
import { every } from '../../daemon/supervise.ts';
import { describeError } from '../../domain/errors.ts';
import type { LeftFault } from '../../drills/faults/heal-left.ts';
import type { Metrics } from '../../health/metrics.ts';
import { drillState } from '../../state/drills.ts';
import { type FaultNote, listFaultNotes } from '../../state/fault-notes.ts';
import { readLease } from '../../state/lease.ts';
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
      const drills = drillState(composition.state);
      const lives = watchLease();
      let told = '';
      let broken: readonly FaultNote[] = [];
      let failed = { faults: '', pauseMs: 0, untilMs: 0 };
      const forget = metrics.also(() => ({ faultsLeft: broken.map(({ fault }) => fault) }));
      /** What is left, but for what a drill at work has broken itself. */
      const apartFromDrills = async (found: readonly LeftFault[]): Promise<readonly LeftFault[]> => {
        if (!found.some(({ kind }) => kind === 'left')) return found;
        // In this order: a drill forgets its note before it gives the lease back.
        const held = await readLease(drills, { signal });
        const atWork = lives(held, context.clock.monotonic()) ? held.run : undefined;
        const noted = new Set((await listFaultNotes(drills, { signal })).map(idOf));
        return found.flatMap((f): readonly LeftFault[] => {
          if (f.kind !== 'left') return [f];
          if (!noted.has(idOf(f.note))) return [];
          return [f.note.run === atWork ? { kind: 'alive', note: f.note, why: 'its drill is at work' } : f];
        });
      };
      const tick = async () => {
        const said: string[] = [];
        try {
          const notes = await listFaultNotes(drills, { signal });
          const faults = notes.map(idOf).join();
          if (faults !== '' && faults === failed.faults && context.clock.monotonic() < failed.untilMs) return;
          const own = withoutAPerson(context, log, who, signal);
          const quiet = { ...own, tell: () => undefined };
          const found = notes.length > 0 ? await healLeftFaults(quiet, composition.state, await own.loadConfig()) : [];
          const left = await apartFromDrills(found);
          broken = notHealed(left, broken);
          // While a drill is at work the next look is soon: what it leaves is healed at once.
          if (left.some((f) => f.kind === 'left') && left.every((f) => f.kind !== 'alive')) {
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

/** What nobody healed: also what could not be healed before, when another drill was in the way of this try. Pure. */
function notHealed(left: readonly LeftFault[], before: readonly FaultNote[]): readonly FaultNote[] {
  const known = new Set(before.map(idOf));
  return left
    .filter(({ kind, note }) => kind === 'left' || (kind === 'alive' && known.has(idOf(note))))
    .map(({ note }) => note);
}

const idOf = ({ fault, run }: FaultNote) => `${fault} ${run}`;
