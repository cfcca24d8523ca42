import type { LeftFault } from '../../drills/faults/heal-left.ts';
import type { ObjectStore } from '../../regions/objects/object-store.ts';
import { refusal } from '../../runbooks/engine/failures.ts';
import { drillState } from '../../state/drills.ts';
import { type FaultNote, listFaultNotes } from '../../state/fault-notes.ts';
import type { Failure } from '../../state/journal.ts';
import { readLease } from '../../state/lease.ts';
import { readRoles } from '../../state/roles.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { CommandContext } from '../context.ts';
import type { DrillRunOptions } from './drill-options.ts';

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

/**
 * Heals what was left broken before a drill begins, and refuses the drill (`FaultLeft`, exit code 3) where that could not
 * be: what it would prove is not known of a platform that is whole. A tabletop only tells, and is not refused.
 */
export async function requireHealed(
  context: CommandContext,
  state: ObjectStore,
  loaded: Pick<LoadedConfig, 'config' | 'folder'>,
  { planOnly = false, trigger }: Pick<DrillRunOptions, 'planOnly' | 'trigger'>,
): Promise<void> {
  const { signal } = context;
  const drills = drillState(state);
  // One that waits is begun again each minute: its daemon heals, at a pace of its own.
  const byItself = trigger?.kind === 'schedule' && !planOnly;
  const broken = byItself
    ? await listFaultNotes(drills, { signal })
    : (await healLeftFaults(context, state, loaded)).filter((f) => f.kind === 'left').map((f) => f.note);
  if (planOnly || broken.length === 0) return;
  const held = await readLease(drills, { signal });
  throw refusal(faultLeft(broken, held?.released === true ? undefined : held?.run));
}

/** Why no drill is begun over these; `holder`: the drill that has the lease, alive or dead. Pure. */
export function faultLeft(broken: readonly FaultNote[], holder: string | undefined): Failure {
  const own = broken.some(({ run }) => run === holder);
  const first = own
    ? `\`argus runs show ${holder}\` says whether it is at work still: then it heals itself; else `
    : '';
  const named = broken.map(({ fault }) => fault).join(' ');
  return {
    code: 'FaultLeft',
    message: `not healed: ${broken.map(({ fault, run }) => `${fault}, which ${run} broke`).join('; ')}`,
    hint: `${first}\`argus drill faults\` has the command that heals it: put the hook back and run \`argus drill clean\`, or heal it by hand and run \`argus drill clean --healed ${named}\``,
  };
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
