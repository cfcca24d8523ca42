import type { Log } from '../log.ts';

/** Longer than everything that ends in order takes: leases given back (3 s), connections (2 s), a mirror (2 s). */
const stopWithinMs = 20_000;

/** Ends the process when it was asked to end and is still there after 20 s; whoever asks again ends it at once. */
export function boundStop(
  signal: AbortSignal,
  { log, exit }: { readonly log: Log; readonly exit: (code: number) => void },
): void {
  const onAbort = () => {
    const late = () => {
      log.error({}, `the daemon has not ended within ${stopWithinMs / 1_000} s; it ends now`);
      exit(1);
    };
    setTimeout(late, stopWithinMs).unref();
  };
  signal.addEventListener('abort', onAbort, { once: true });
}
