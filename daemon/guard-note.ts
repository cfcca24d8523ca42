import { ArgusError } from '../domain/errors.ts';

/** So long one try may hold up what comes behind it. */
const tryMs = 2_000;

/** What a guard has to note in a state that may not answer: the newest note, tried again until it is there. */
export interface GuardNote {
  /** Puts this in the place of what was due. */
  due(write: (signal: AbortSignal) => Promise<unknown>): void;
  /** Tries what is due; again only when the state was heard since (`heardAtMs`). Never throws. */
  attempt(heardAtMs: number | undefined, signal: AbortSignal): Promise<void>;
}

export function guardNote(): GuardNote {
  let write: ((signal: AbortSignal) => Promise<unknown>) | undefined;
  let triedAtMs: number | undefined;
  return {
    due(next) {
      [write, triedAtMs] = [next, undefined];
    },
    async attempt(heardAtMs = 0, signal) {
      const now = write;
      if (now === undefined || (triedAtMs !== undefined && heardAtMs <= triedAtMs)) return;
      triedAtMs = heardAtMs;
      try {
        await now(AbortSignal.any([signal, AbortSignal.timeout(tryMs)]));
      } catch (error) {
        // Whoever opens the region has the last word; anything else may be otherwise at the next try.
        if (!(error instanceof ArgusError && error.code === 'FenceOpened')) return;
      }
      if (write === now) write = undefined;
    },
  };
}
