import { describeError } from '../../domain/errors.ts';
import { isRetryable } from '../../runbooks/engine/failures.ts';
import type { StepIo } from '../../runbooks/engine/step.ts';

/** Between two questions. */
const pauseMs = 500;

/** What a question comes to, asked again as long as that may help. It ends by the signal alone. */
export async function untilAnswered<T>(
  ask: () => Promise<T>,
  { clock, signal, progress }: Pick<StepIo, 'clock' | 'signal' | 'progress'>,
): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isRetryable(error)) throw error;
      signal.throwIfAborted();
      progress(describeError(error));
    }
    await clock.sleep(pauseMs, signal);
  }
}
