import type { Roles } from '../../domain/roles.ts';

/** The two places where a guard looks for claims: the state, and a witness that is independent of it. */
export type GuardPlace = 'state' | 'witness';

/** What one place said. */
export interface GuardReading {
  /** When the question was begun, on the guard's monotonic clock: what was written before that is in the answer. */
  readonly askedAtMs: number;
  /** The highest roles epoch for which a failover claims the region; absent: none does. */
  readonly claimedEpoch?: number;
  /** The run whose claim that is; absent where it can't be read. */
  readonly claimRun?: string;
  /** Of the state alone: the roles in force. */
  readonly roles?: Pick<Roles, 'primary' | 'epoch'>;
  /** Of the state alone: the roles epoch for which a run opens the region. */
  readonly openedFor?: number;
}

/** What a guard knows. */
export interface GuardMemory {
  /** From when on it counts its silence until it hears somebody: see `memoryAtStart`. */
  readonly sinceMs: number;
  /** When it last found that it had heard nobody for the TTL; absent: never. */
  readonly silentAtMs?: number;
  readonly state?: GuardReading;
  readonly witness?: GuardReading;
}

export interface GuardSettings {
  readonly region: string;
  /** A region that heard nobody for this long shuts itself. */
  readonly fenceTtlMs: number;
}

/** Whether the region may take writes; `keep`: nobody said so yet, an open one stays open and a shut one shut. */
export type GuardVerdict =
  | { readonly kind: 'open' | 'keep' }
  | { readonly kind: 'shut'; readonly because: 'claimed' | 'not-primary'; readonly why: string }
  /** It hears nobody, or the witness again, which doesn't know the roles. */
  | {
      readonly kind: 'shut';
      readonly because: 'silence';
      readonly hears: 'nobody' | 'witness';
      readonly why: string;
    };

/** The memory with one more answer; one that was asked before what is known is passed over. Pure. */
export function remember(memory: GuardMemory, place: GuardPlace, reading: GuardReading): GuardMemory {
  const known = memory[place];
  return known !== undefined && known.askedAtMs > reading.askedAtMs ? memory : { ...memory, [place]: reading };
}

/**
 * What a guard knows that starts at `nowMs`, if the one before it last heard somebody `silentMs` earlier (undefined:
 * there was none). Pure. A silence that had already lasted the TTL is kept in mind, as if it had run.
 */
export function memoryAtStart(
  nowMs: number,
  silentMs: number | undefined,
  settings: Pick<GuardSettings, 'fenceTtlMs'> & { readonly graceMs: number },
): GuardMemory {
  const sinceMs = silentSince(nowMs, silentMs, settings);
  return nowMs - sinceMs < settings.fenceTtlMs ? { sinceMs } : { sinceMs, silentAtMs: nowMs };
}

/**
 * From when on it counts its silence. A short gap counts whole: a guard that is started anew again and again shuts no
 * later than one that runs. After a long one nobody has guarded, and the region gets `graceMs` to hear somebody.
 */
function silentSince(
  nowMs: number,
  silentMs: number | undefined,
  { fenceTtlMs, graceMs }: Pick<GuardSettings, 'fenceTtlMs'> & { readonly graceMs: number },
): number {
  if (silentMs === undefined) return nowMs;
  return nowMs - (silentMs < 2 * fenceTtlMs ? Math.max(0, silentMs) : fenceTtlMs - graceMs);
}

/** The memory after a verdict: silence is kept in mind until the state has told the roles again. Pure. */
export function rememberSilence(memory: GuardMemory, verdict: GuardVerdict, nowMs: number): GuardMemory {
  const isSilent = verdict.kind === 'shut' && verdict.because === 'silence' && verdict.hears === 'nobody';
  return isSilent ? { ...memory, silentAtMs: nowMs } : memory;
}

/**
 * Whether a region may take writes now. Pure. It shuts when a failover claims it, when the roles give the role to
 * another, and when neither place was heard for the TTL; from then on until the state tells the roles, since a run may
 * have promoted another region without a claim. A claim on roles that are no longer in force is void. Before the state
 * told the roles nothing is opened: who starts anew doesn't know why a region is shut.
 */
export function decideGuard(memory: GuardMemory, nowMs: number, { region, fenceTtlMs }: GuardSettings): GuardVerdict {
  const { state, witness, sinceMs, silentAtMs } = memory;
  const heardAt = Math.max(sinceMs, state?.askedAtMs ?? sinceMs, witness?.askedAtMs ?? sinceMs);
  const silentMs = nowMs - heardAt;
  if (silentMs >= fenceTtlMs) {
    return {
      kind: 'shut',
      because: 'silence',
      hears: 'nobody',
      why: `neither state nor witness answered for ${Math.round(silentMs)} ms`,
    };
  }
  const opened = state?.openedFor ?? 0;
  const inForce = state?.roles;
  const ownEpoch = Math.max(opened, inForce?.primary === region ? inForce.epoch : 0);
  const claimed = Math.max(state?.claimedEpoch ?? 0, witness?.claimedEpoch ?? 0);
  if (claimed > 0 && claimed >= ownEpoch) {
    return { kind: 'shut', because: 'claimed', why: `a failover claims it (roles epoch ${claimed})` };
  }
  if (inForce !== undefined && inForce.primary !== region && opened <= inForce.epoch) {
    return {
      kind: 'shut',
      because: 'not-primary',
      why: `${inForce.primary} is primary (roles epoch ${inForce.epoch})`,
    };
  }
  if (silentAtMs !== undefined && (state === undefined || state.askedAtMs < silentAtMs)) {
    const why = 'neither state nor witness answered for a while, and the state has not told the roles since';
    return { kind: 'shut', because: 'silence', hears: 'witness', why };
  }
  return { kind: inForce === undefined ? 'keep' : 'open' };
}

/** How a failover stands with a primary that it can't reach, but whose guard listens. */
export interface ClaimView {
  /** When the claim was known to be in both places, on the failover's monotonic clock; absent: it is not. */
  readonly claimedAtMs?: number;
  /** The guard's own word that its region is shut for this claim. */
  readonly word?: 'proven' | 'partial';
  readonly nowMs: number;
  /** Longer than the guard's TTL and the skew of clocks together. */
  readonly leaseMs: number;
}

/** Whether a primary that can't be reached counts as shut. */
export type ClaimVerdict =
  | { readonly kind: 'wait'; readonly waitingFor: string }
  /** Its guard says so. */
  | { readonly kind: 'told'; readonly proof: 'proven' | 'partial' }
  /** Nobody saw it: a guard that runs has to have shut it by now. */
  | { readonly kind: 'expired' };

/** Pure part of waiting for a guard. Nothing counts before the claim is in both places: a guard needs only one of them. */
export function decideClaim({ claimedAtMs, word, nowMs, leaseMs }: ClaimView): ClaimVerdict {
  if (claimedAtMs === undefined) return { kind: 'wait', waitingFor: 'the claim to be in the state and at the witness' };
  if (word !== undefined) return { kind: 'told', proof: word };
  const leftMs = claimedAtMs + leaseMs - nowMs;
  if (leftMs > 0)
    return { kind: 'wait', waitingFor: `the guard's word, or its lease to run out in ${Math.ceil(leftMs / 1_000)} s` };
  return { kind: 'expired' };
}
