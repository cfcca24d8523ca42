import { bubbleOf } from '../../domain/bubble.ts';
import { describeError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { listDrillNotes, removeDrillNote } from '../../state/drill-notes.ts';
import { type ClearIo, clearBubble, restoreQuota, startUnderWayMs } from './clear-bubble.ts';
import type { IsolatedContext } from './context.ts';
import { drillThings } from './inventory.ts';
import { untilAnswered } from './until-answered.ts';

/** What was found of drills that are over, and what became of it. */
export interface Swept {
  /** By the drill's run: how many things of it were removed. */
  readonly removed: Readonly<Record<string, number>>;
  /** What could not be looked at or removed, and why. */
  readonly left: readonly { readonly run: string; readonly region: string; readonly why: string }[];
}

/** What sweeping needs. */
export type SweepContext = Pick<IsolatedContext, 'siteOf'> & {
  readonly state: ObjectStore;
  /** The region to look through in any case. */
  readonly region: string;
};

/**
 * Removes what drills left that ended without cleaning up: found by the names that drills give, and by their notes, which
 * also tell in which region, and the limits they had set. Only under the drills' lease, where no other drill lives. Of a
 * region that can't be asked its note stays for the next time.
 */
export async function sweepDrills({ state, siteOf, region }: SweepContext, io: ClearIo): Promise<Swept> {
  const notes = await untilAnswered(() => listDrillNotes(state, { signal: io.signal }), io);
  const removed: Record<string, number> = {};
  const left: { readonly run: string; readonly region: string; readonly why: string }[] = [];
  const regions = [region, ...new Set(notes.map((note) => note.region).filter((name) => name !== region))];
  for (const name of regions) {
    const noted = notes.filter((note) => note.region === name);
    try {
      const look = () => runsIn(name, siteOf, io);
      // Another region may be dark for long: it isn't waited for.
      const found = name === region ? untilAnswered(look, io) : look();
      const runs = new Set([...noted.map(({ run }) => run), ...(await found)]);
      for (const run of runs) {
        const note = noted.find((each) => each.run === run);
        const site = siteOf(name, bubbleOf(run), note?.quota?.principal);
        if (site === undefined) throw new Error(`the configuration has no region ${name}`);
        // One that has noted its jobs may have died amidst their start.
        const things = await clearBubble(site, run, io, note?.jobs.length ? startUnderWayMs : 0);
        if (things > 0) removed[run] = things;
        if (note === undefined) continue;
        await restoreQuota(site, note.quota, io);
        await untilAnswered(() => {
          io.check();
          return removeDrillNote(state, run, { signal: io.signal });
        }, io);
      }
    } catch (error) {
      io.signal.throwIfAborted();
      // The region in which drills take place now has to be clean; what lies in another one waits.
      if (name === region) throw error;
      left.push(...noted.map(({ run }) => ({ run, region: name, why: describeError(error) })));
    }
  }
  return { removed, left };
}

/** Whatever drill the site is asked for, it may look at everything. */
const anyDrill = bubbleOf('20000101T000000Z-drill-0000');

async function runsIn(name: string, siteOf: IsolatedContext['siteOf'], io: ClearIo): Promise<Iterable<string>> {
  const site = siteOf(name, anyDrill);
  return site === undefined ? [] : (await drillThings(site, io.signal)).map(({ run }) => run);
}
