import { ArgusError } from '../../domain/errors.ts';
import type { StepIo } from '../../runbooks/engine/step.ts';
import type { Json } from '../../state/journal.ts';
import type { FaultHooks, FaultNotes, FaultOrder } from './ports.ts';

const pollMs = 1_000;

/** So long may a heal take, with what its check waits for. */
export const mendMs = ({ timeoutMs }: Pick<FaultHooks, 'timeoutMs'>): number =>
  timeoutMs.heal + 2 * timeoutMs.check + 60_000;

/**
 * Heals a fault, waits until its check says so, and forgets its note. May be done again at any time: what is healed
 * stays healed. `HookFailed` when the heal fails; then the note stays.
 */
export async function mend(
  hooks: FaultHooks,
  notes: FaultNotes,
  order: FaultOrder,
  io: Pick<StepIo, 'signal' | 'progress' | 'clock'>,
): Promise<Json> {
  const { fault, manual } = hooks;
  const answer = await hooks.call('heal', order, io.signal);
  if (!answer.ok) throw hookFailed(`healing ${fault}`, answer);
  for (let said = ''; manual.check !== undefined; ) {
    const checked = await hooks.call('check', order, io.signal);
    if (checked.ok) break;
    const now = `${fault} to be healed: its check ended with ${checked.result}`;
    if (now !== said) io.progress(now);
    said = now;
    await io.clock.sleep(pollMs, io.signal);
  }
  await notes.drop(fault, io.signal);
  return { result: answer.result, output: answer.output, checked: manual.check !== undefined };
}

/** What a person does where Argus could not. Pure. */
export const healYourself = (fault: FaultHooks['fault'], heal: string): string =>
  `heal it yourself: ${heal}; then \`argus drill clean --healed ${fault}\``;

/** That a hook did not do what it was called for. */
export function hookFailed(what: string, { result, output }: { readonly result: string; readonly output: string }) {
  return new ArgusError('HookFailed', `${what} ended with ${result}${output === '' ? '' : `: ${output}`}`);
}
