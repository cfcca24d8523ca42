import { ArgusError } from '../../domain/errors.ts';
import { readSlot, replaceSlot } from '../../state/drill-slots.ts';
import { drillState } from '../../state/drills.ts';
import type { CommandContext } from '../context.ts';
import { occasionOf } from '../occasion.ts';
import { withState } from '../session.ts';

/**
 * `argus drill approve <slot>`: a person's word that a drill by switchover may begin when it is due. Kept with the slot
 * and in the drill's journal. Refused (3) when that slot waits for no word any more.
 */
export async function run(
  context: CommandContext,
  options: { readonly slot: string; readonly reason?: string },
): Promise<number> {
  return withState(context, async (state) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(10_000)]);
    const drills = drillState(state);
    const { reason } = await occasionOf({ ...context, interactive: false }, options);
    const found = /^[a-z]+-\d{8}T\d{6}Z$/.test(options.slot)
      ? await readSlot(drills, options.slot, { signal })
      : undefined;
    if (found === undefined) throw unknownSlot(options.slot);
    const { slot, kind, status, approval, closesAtMs } = found.value;
    // Whether one is required may have changed since the slot was opened.
    if (kind !== 'switchover' || status !== 'open' || context.clock.now() >= closesAtMs)
      throw waitsForNothing(slot, status);
    const word = { atMs: context.clock.now(), by: context.who, ...(reason === undefined ? {} : { reason }) };
    const kept = approval ?? word;
    if (
      approval === undefined &&
      (await replaceSlot(drills, found, { ...found.value, approval: word }, { signal })) === undefined
    ) {
      throw new ArgusError('SlotChanged', `${slot} was changed by somebody else at this moment; nothing was changed`, {
        hint: 'type it again: it looks anew',
        exitCode: 1,
      });
    }
    context.print(
      context.json
        ? JSON.stringify({ slot, approval: kept })
        : `${slot} is approved by ${kept.by}; it begins between ${iso(found.value.opensAtMs)} and ${iso(closesAtMs)}, when all is calm`,
    );
    return 0;
  });
}

const iso = (ms: number) => new Date(ms).toISOString();

const unknownSlot = (slot: string) =>
  new ArgusError('SlotUnknown', `no drill is announced as "${slot}"`, {
    hint: '`argus drill schedule` has the names; a drill is announced `announce` before it is due',
    exitCode: 2,
  });

const waitsForNothing = (slot: string, status: string) =>
  new ArgusError('NotWaiting', `${slot} waits for no approval (${status}); nothing was changed`, {
    hint: '`argus drill schedule` tells what waits, and what was left out',
    exitCode: 3,
  });
