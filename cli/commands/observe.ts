import { runObserver } from '../../daemon/observe.ts';
import { ArgusError } from '../../domain/errors.ts';
import type { CommandContext } from '../context.ts';
import { observerTasks } from '../observer.ts';
import { withComposition } from '../session.ts';

/** `argus observe`: until Ctrl-C or SIGTERM, as one of `automatic.observers`. */
export async function run(context: CommandContext, options: { readonly name: string }): Promise<number> {
  const log = await context.openLog();
  return withComposition(context, async (composition) => {
    const { config, state } = composition;
    const { clock, signal } = context;
    const { observers } = config.automatic;
    const self = observers.find((o) => o.name === options.name);
    if (self === undefined) {
      throw new ArgusError('ObserverUnknown', `no observer is called "${options.name}"`, {
        exitCode: 2,
        hint:
          observers.length === 0
            ? 'name it, and where it stands, in automatic.observers (docs/configuration.md)'
            : `automatic.observers has: ${observers.map((o) => o.name).join(', ')}`,
      });
    }
    const { tasks, close } = observerTasks(context, composition, self.name);
    log.info({ observer: self.name, place: self.place }, `${self.name} observes from ${self.place}`);
    try {
      const atOnce = config.probes.concurrency;
      await runObserver({ ...self, tasks, atOnce, state, clock, log, random: Math.random }, signal);
    } finally {
      close();
    }
    return 0;
  });
}
