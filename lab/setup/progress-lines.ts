import type { SetupEvent } from './part.ts';

/**
 * Turns set-up events into lines for people: a line when a part starts, when it is ready or failed, and at most one
 * every `everyMs` in between. A set-up that finds everything there writes nothing.
 */
export function progressLines(
  write: (line: string) => void,
  everyMs = 5_000,
  now: () => number = () => performance.now(),
): (event: SetupEvent) => void {
  const lastAt = new Map<string, number>();
  return (event) => {
    const name = event.part.padEnd(14);
    switch (event.state) {
      case 'checking':
        if (event.detail !== undefined) write(`${name} ${event.detail}`);
        return;
      case 'installing': {
        const last = lastAt.get(event.part);
        if (last !== undefined && now() - last < everyMs) return;
        lastAt.set(event.part, now());
        write(`${name} installing${event.detail === undefined ? ' …' : `: ${event.detail}`}`);
        return;
      }
      case 'ready':
        if (lastAt.has(event.part)) write(`${name} ready (${((event.ms ?? 0) / 1000).toFixed(1)} s)`);
        return;
      case 'failed':
        write(`${name} failed: ${event.detail ?? 'no reason was given'}`);
        return;
    }
  };
}
