import type { LeftFault } from '../../drills/faults/heal-left.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { drillState } from '../../state/drills.ts';
import { type FaultNote, listFaultNotes } from '../../state/fault-notes.ts';
import { readRoles } from '../../state/roles.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { CommandContext } from '../context.ts';

/**
 * Heals what fault drills left broken whose process is gone, and gives what became of each; where nothing is left, that is
 * one look at the state. What can't be healed is told with the command that a person would type.
 */
export async function healLeftFaults(
  context: CommandContext,
  state: ObjectStore,
  loaded: Pick<LoadedConfig, 'config' | 'folder'>,
): Promise<readonly LeftFault[]> {
  const drills = drillState(state);
  const { clock, signal, tell, who: holder, processes } = context;
  if ((await listFaultNotes(drills, { signal })).length === 0) return [];
  const [{ healLeft }, { faultNotesIn, openFaultHooks }] = await Promise.all([
    import('../../drills/faults/heal-left.ts'),
    import('./open-faults.ts'),
  ]);
  const { primary: from, standby: to } = (await readRoles(state, { signal })) ?? loaded.config.roles;
  const left = await healLeft(
    { state: drills, clock, signal, holder, processes, onWaiting: tell },
    faultNotesIn(drills),
    (fault) => openFaultHooks(loaded, context.env, fault),
    { from, to },
  );
  for (const fault of left) tell(leftFaultSentence(fault));
  return left;
}

/** What became of it, for people, with the command that heals it where it isn't. Pure. */
export function leftFaultSentence(fault: LeftFault): string {
  const { note } = fault;
  const what = `${note.fault}, which ${note.run} broke`;
  if (fault.kind === 'healed') return `healed ${what}`;
  if (fault.kind === 'alive') return `${what}, is its own to heal: ${fault.why}`;
  return `warning: ${what}, is NOT healed: ${fault.why}; ${byHand(note)}`;
}

/** A fault that is noted as broken, with what a person would do. Pure. */
export const notHealedLine = (note: FaultNote): string =>
  `NOT HEALED: ${note.fault}, broken by ${note.run}; ${byHand(note)}`;

const byHand = ({ fault, heal }: FaultNote) => `heal it: ${heal}; then say so: argus drill clean --healed ${fault}`;
