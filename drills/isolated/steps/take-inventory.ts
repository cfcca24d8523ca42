import { ArgusError } from '../../../domain/errors.ts';
import type { StepIo } from '../../../runbooks/engine/step.ts';
import { evidence } from '../../../runbooks/failover/failover-step.ts';
import { type DrillNote, listDrillNotes, removeDrillNote, writeDrillNote } from '../../../state/drill-notes.ts';
import { leaseMark } from '../../../state/lease.ts';
import { type ClearIo, clearBubble, restoreQuota } from '../clear-bubble.ts';
import type { IsolatedContext, IsolatedFacts, IsolatedStep } from '../context.ts';
import { countKinds, leaksBetween, takeInventory } from '../inventory.ts';
import { type Swept, sweepDrills } from '../sweep.ts';
import { untilAnswered } from '../until-answered.ts';

/** Removes what earlier drills left, counts what is there, and notes what will be made before anything is. */
export function takeInventoryStep(words: Pick<IsolatedStep, 'title' | 'manual'>): IsolatedStep {
  let swept: Swept | undefined;
  return {
    id: 'take-inventory',
    ...words,
    timeoutMs: 240_000,
    onFailure: { kind: 'stop', hint: '`argus drill clean` removes what earlier drills left, and says what it can not' },
    async observe() {
      return { kind: 'todo' };
    },
    async act(context, _facts, io) {
      const { state, standby } = context;
      swept = await sweepDrills({ state, siteOf: context.siteOf, region: standby.name }, io);
      const note = await untilAnswered(() => noteOf(context, io), io);
      await untilAnswered(() => {
        io.check();
        return writeDrillNote(state, note, { signal: io.signal });
      }, io);
    },
    async verify(context, _facts, { signal }) {
      const { state, run } = context;
      const noted = (await listDrillNotes(state, { signal })).some((note) => note.run === run);
      if (!noted) return { kind: 'failed', error: { code: 'DrillNotNoted', message: `there is no note of ${run}` } };
      // Asked first: what somebody does while it is counted is his.
      const actsBefore = await leaseMark(state, { signal });
      const before = await takeInventory(context, signal);
      const { counts, ...unknown } = countKinds(before);
      return {
        kind: 'done',
        evidence: evidence({ before: counts, ...unknown, ...swept }),
        facts: { before, actsBefore },
      };
    },
    async compensate(context, facts, io) {
      await clearBubble(context.standby, context.run, io);
      await restoreQuota(context.standby, await quotaOf(context, io), io);
      return evidence(await closeDrill(context, facts, io));
    },
  };
}

async function noteOf({ run, by, clock, standby, config, jobs }: IsolatedContext, io: StepIo): Promise<DrillNote> {
  const { principal, name } = standby;
  const limited = config.drill.regions[name]?.quota !== undefined && principal !== undefined;
  const before = limited ? await standby.kafka.describeQuotas(principal, { signal: io.signal }) : new Map();
  return {
    run,
    atMs: clock.now(),
    by,
    region: name,
    jobs: jobs.map((job) => ({
      job: job.config.name,
      flinkJobId: job.flinkJobId,
      slots: job.config.submit?.parallelism ?? 1,
    })),
    ownCluster: standby.ownCluster,
    points: [],
    ...(limited ? { quota: { principal, before: Object.fromEntries(before) } } : {}),
  };
}

/** The limits that the drill's note has kept. */
export async function quotaOf({ state, run }: IsolatedContext, io: ClearIo) {
  const notes = await untilAnswered(() => listDrillNotes(state, { signal: io.signal }), io);
  return notes.find((note) => note.run === run)?.quota;
}

/**
 * Looks at what is there beside what was before, and takes the drill's note away when all that it made is gone. Something
 * more than before is a `Leak`. Names that differ say nothing where somebody has acted on the regions meanwhile, as the
 * failover that the drill makes way for. What doesn't answer is asked again.
 */
export async function closeDrill(context: IsolatedContext, facts: Partial<IsolatedFacts>, io: ClearIo) {
  const { before, actsBefore } = facts;
  const after = await untilAnswered(() => takeInventory(context, io.signal), io);
  const actsNow = await untilAnswered(() => leaseMark(context.state, { signal: io.signal }), io);
  const othersActed = actsBefore !== undefined && actsNow !== actsBefore;
  const own = [context.bubble.tag, ...context.jobs.map(({ flinkJobId }) => flinkJobId)];
  // Without a look at what was before, all that has this drill's names counts.
  const leaks =
    before === undefined
      ? after.filter(({ name }) => own.some((each) => name.includes(each)))
      : leaksBetween(before, after).filter(({ kind }) => kind !== 'dns' || !othersActed);
  context.findings.leaks = leaks;
  const [first] = leaks;
  if (first !== undefined) {
    const more = leaks.length > 1 ? ` and ${leaks.length - 1} more` : '';
    const leak = new ArgusError('Leak', `${first.kind} ${first.name}${more} was not there before the drill`, {
      hint: '`argus drill clean` removes what has a name of a drill; look at anything else by hand',
    });
    if (!context.findings.causes.some(({ code }) => code === 'Leak')) {
      context.findings.causes.push({ code: leak.code, message: leak.message });
    }
    throw leak;
  }
  await untilAnswered(() => {
    io.check();
    return removeDrillNote(context.state, context.run, { signal: io.signal });
  }, io);
  const { counts, ...unknown } = countKinds(after);
  const untold = othersActed ? { dnsNotCompared: 'somebody acted on the regions meanwhile' } : {};
  return { after: counts, ...unknown, ...untold, leaks: 0 };
}
