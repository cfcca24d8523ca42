import type { Log } from '../daemon/log.ts';
import type { Clock } from '../domain/clock.ts';
import type { LocalProcesses } from '../runbooks/engine/under-lease.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Screen } from './screen.ts';

/** What every command gets from the outside. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly json: boolean;
  readonly verbose: boolean;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** stdout is a terminal. */
  readonly terminal: boolean;
  /** Where a live view can be drawn; absent: nowhere, or none is wanted. */
  readonly screen?: Screen;
  /** `--config`, where it is given. */
  readonly configFile?: string;
  /** A person can be asked: stdin and stderr are terminals. */
  readonly interactive: boolean;
  /** `user@host` and process id, for leases and the journal. */
  readonly who: string;
  /** This system's processes; absent: nothing is known of them. */
  readonly processes?: LocalProcesses;
  /** Results, to stdout. */
  print(text: string): void;
  /** Progress and questions, to stderr. */
  tell(text: string): void;
  /** Asks the person at the terminal; undefined when he leaves without an answer (Ctrl-C, Ctrl-D). Only when `interactive`. */
  ask(question: string): Promise<string | undefined>;
  /** Reads and validates the configuration that `--config` or ARGUS_CONFIG names. */
  loadConfig(): Promise<LoadedConfig>;
  /** From now on SIGHUP asks for this instead of the command's end. Absent: it can't be had, as at a terminal. */
  onHangup?(act: () => void): void;
  /** Logs to stderr. */
  openLog(): Promise<Log>;
}
