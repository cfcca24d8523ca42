import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../log.ts';
import type { DaemonView, MakeService } from '../service.ts';
import { supervise, type Task } from '../supervise.ts';

/** Services of the daemon that can be exchanged for others while it runs. */
export interface ExchangeableServices {
  readonly make: MakeService;
  /** Ends those that run, the last begun first, and begins the others. Only one exchange at a time. */
  exchange(next: readonly MakeService[]): Promise<void>;
}

/** Runs services as one; `exchange` puts others in their place. */
export function exchangeableServices(
  first: readonly MakeService[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): ExchangeableServices {
  let current = first;
  let view: DaemonView | undefined;
  let tasks: Task[] = [];
  let running = false;

  function begin(): void {
    const given = view;
    if (given === undefined) return;
    tasks = current.map((make) => {
      const { name, run } = make(given);
      return supervise(run, { name, clock, log });
    });
  }
  async function end(): Promise<void> {
    const ending = tasks.reverse();
    tasks = [];
    for (const task of ending) await task.stop();
  }

  return {
    make(given) {
      view = given;
      return {
        name: 'exchangeable services',
        async run(signal) {
          running = true;
          begin();
          await new Promise<void>((resolve) => {
            if (signal.aborted) resolve();
            else signal.addEventListener('abort', () => resolve(), { once: true });
          });
          running = false;
          await end();
        },
      };
    },
    async exchange(next) {
      current = next;
      if (!running) return;
      await end();
      // The daemon may have ended meanwhile.
      if (running) begin();
    },
  };
}
