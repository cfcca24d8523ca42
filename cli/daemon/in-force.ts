import type { LoadedConfig } from '../config/load.ts';
import type { CommandContext } from '../context.ts';

/** The configuration that a daemon goes by, whatever its file says by then. */
export interface InForce {
  now(): LoadedConfig;
  takeOver(loaded: LoadedConfig): void;
  /** For commands that the daemon carries out itself: it reads no file. */
  readonly context: CommandContext;
}

/** Begins with what was loaded when the daemon began. */
export function inForce(context: CommandContext, loaded: LoadedConfig): InForce {
  let newest = loaded;
  return {
    now: () => newest,
    takeOver(next) {
      newest = next;
    },
    context: { ...context, loadConfig: async () => newest },
  };
}
