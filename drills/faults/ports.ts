import type { HookAnswer } from '../../runbooks/hooks/hook-steps.ts';
import type { FaultNote } from '../../state/fault-notes.ts';
import type { FaultLook } from './look.ts';

/** What is asked of a hook. */
export type FaultCall = 'inject' | 'heal' | 'check';

/** What a hook is told. */
export interface FaultOrder {
  readonly fault: FaultNote['fault'];
  readonly run: string;
  readonly epoch: number;
  readonly from: string;
  readonly to: string;
  /** Only of `inject`: after so many seconds it may be healed by itself, whatever became of Argus. */
  readonly seconds?: number;
}

/** The hooks of one fault, their secrets resolved. */
export interface FaultHooks {
  readonly fault: FaultNote['fault'];
  /** What each calls, as a person would type it; without secrets. `check` is absent where there is none. */
  readonly manual: { readonly inject: string; readonly heal: string; readonly check?: string };
  readonly timeoutMs: { readonly inject: number; readonly heal: number; readonly check: number };
  /** Calls one once. A failure is an answer; thrown is only what the signal says. */
  call(what: FaultCall, order: FaultOrder, signal: AbortSignal): Promise<HookAnswer>;
}

/** Where it is kept what was broken and is not known to be mended. */
export interface FaultNotes {
  put(note: FaultNote, signal: AbortSignal): Promise<void>;
  list(signal: AbortSignal): Promise<readonly FaultNote[]>;
  drop(fault: FaultNote['fault'], signal: AbortSignal): Promise<void>;
}

/** What a comparison of both sides' records came to. */
export type Compared =
  | { readonly kind: 'compared'; readonly records: number; readonly difference?: string }
  | { readonly kind: 'skipped'; readonly why: string };

/** What a fault drill looks through. */
export interface FaultEyes {
  look(signal: AbortSignal): Promise<FaultLook>;
  /** What was mirrored meanwhile, record by record. */
  compare(signal: AbortSignal): Promise<Compared>;
}
