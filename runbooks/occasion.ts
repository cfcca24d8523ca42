import type { RegionVersions } from '../health/platform-versions.ts';
import type { Json } from '../state/journal.ts';

/** Why a run was begun and from where, beside who began it. Stands in the details of its `run-started`. */
export interface Occasion {
  /** As the operator said it; absent: he was not asked, or said nothing. */
  readonly reason?: string;
  /** Address of the machine from which he was logged in; absent: he sat at this one. */
  readonly startedFrom?: string;
  readonly begunWith?: BegunWith;
}

/** What a run was begun with: a report of it shall say the same when all of that has changed. */
export interface BegunWith {
  /** Versions. */
  readonly argus: string;
  readonly node: string;
  /** Of the bytes of the configuration's file. */
  readonly configSha256?: string;
  readonly objectives: { readonly rtoMs: number; readonly rpoMs: number };
  /** What the regions ran, as far as they had told by then. */
  readonly platform?: readonly RegionVersions[];
}

/** The occasion in the details that a run was started with. Pure. */
export function occasionIn(details: Json): Occasion {
  if (details === null || typeof details !== 'object' || Array.isArray(details)) return {};
  const { reason, startedFrom } = details;
  return {
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof startedFrom === 'string' ? { startedFrom } : {}),
  };
}
