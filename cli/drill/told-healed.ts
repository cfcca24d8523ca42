import { ArgusError } from '../../domain/errors.ts';
import { forgetToldHealed } from '../../drills/faults/told-healed.ts';
import { drillState } from '../../state/drills.ts';
import type { FaultNote } from '../../state/fault-notes.ts';
import { readRoles } from '../../state/roles.ts';
import { agree } from '../agree.ts';
import type { CommandContext } from '../context.ts';
import { occasionOf } from '../occasion.ts';
import { withState } from '../session.ts';
import { faultNotesIn } from './open-faults.ts';

/** What is given to `argus drill clean --healed`. */
interface ToldHealedOptions {
  readonly healed: readonly string[];
  readonly yes?: boolean;
  readonly reason?: string;
}

/**
 * `argus drill clean --healed <fault>`: a person says that it is healed; it is noted as broken no more, on his word. Needs
 * the state alone. Asks for each fault's name first.
 */
export async function toldHealed(context: CommandContext, options: ToldHealedOptions): Promise<number> {
  return withState(context, async (state, { config }) => {
    const { clock, signal, who: holder, processes, tell: onWaiting } = context;
    const drills = drillState(state);
    const notes = faultNotesIn(drills);
    const told = notedAmong(await notes.list(signal), options.healed);
    if (options.yes !== true)
      for (const note of told) await agree(context, note.fault, "the fault's name", words(note));
    const { primary: from, standby: to } = (await readRoles(state, { signal })) ?? config.roles;
    const actor = { state: drills, clock, signal, holder, onWaiting, ...(processes && { processes }) };
    const occasion = await occasionOf(context, options);
    const { run, outcome, error } = await forgetToldHealed(actor, notes, told, { from, to }, occasion);
    if (outcome !== 'done') {
      const { code, message, hint } = error ?? { code: 'BrokeOff', message: 'it broke off' };
      const exitCode = outcome === 'refused' ? 3 : 1;
      throw new ArgusError(code, message, { exitCode, ...(hint === undefined ? {} : { hint }) });
    }
    if (context.json) context.print(JSON.stringify({ run, by: holder, toldHealed: told }));
    else for (const { fault } of told) context.print(`${fault} counts as healed, on your word: ${run}`);
    return 0;
  });
}

/** The notes of these faults; one that isn't noted is exit code 2. */
function notedAmong(noted: readonly FaultNote[], faults: readonly string[]): readonly FaultNote[] {
  return [...new Set(faults)].map((fault) => {
    const note = noted.find((n) => n.fault === fault);
    if (note !== undefined) return note;
    throw new ArgusError('FaultNotNoted', `it is not noted that a drill left "${fault}" broken`, {
      exitCode: 2,
      hint: '`argus drill faults` tells what is noted as broken',
    });
  });
}

const words = ({ fault, run, heal }: FaultNote) => [
  `nobody looks whether ${fault}, which ${run} broke, is healed: your word for it is kept, drills go on by it, and the alert ends`,
  `its drill would have healed it so: ${heal}`,
];
