import { randomBytes } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import { type AutomaticDecision, sameDecision } from '../health/decide-automatic.ts';
import type { Verdict } from '../health/verdict.ts';
import { verdictTable } from '../health/verdict-table.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { type AutomaticStanding, dropOldDecisions, putStanding, recordDecision } from '../state/decisions.ts';
import type { Log } from './log.ts';
import type { DaemonView } from './service.ts';

/** Unchanged, how things stand is written so often. */
const standingMs = 10_000;

interface TellParts {
  readonly mode: AutomaticStanding['mode'];
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Who decides, for people. */
  readonly who: string;
  /** Counts a verdict that began or ended. */
  readonly onVerdict?: (code: string) => void;
}

/** Tells on what was judged and decided, as far as it changed. */
export interface Teller {
  judged(
    verdicts: readonly Verdict[],
    decision: AutomaticDecision,
    roles: Roles,
    call: { readonly signal: AbortSignal },
  ): Promise<void>;
  proposed(
    order: { readonly from: string; readonly to: string; readonly reason: string },
    blockers: readonly { readonly code: string; readonly message: string }[],
  ): void;
}

/** A teller to the daemon's events, its log and, while this daemon leads, the state. */
export function teller(parts: TellParts, { events, leads }: Pick<DaemonView, 'events' | 'leads'>): Teller {
  const { mode, state, clock, log, who, onVerdict } = parts;
  let stood = new Map<string, Verdict>();
  let before: AutomaticDecision = { kind: 'idle', sentence: 'nothing was judged yet' };
  let sinceMs = clock.now();
  let kept: AutomaticDecision | undefined;
  let writtenAtMs = Number.NEGATIVE_INFINITY;

  function changesOf(verdicts: readonly Verdict[]): boolean {
    const now = new Map(verdicts.map((v) => [`${v.code} ${v.subject ?? ''}`, v]));
    let changed = false;
    const told = (v: Verdict, change: 'raised' | 'cleared') => {
      changed = true;
      onVerdict?.(v.code);
      const { code, subject, severity, sentence, partOf } = v;
      log[change === 'raised' && severity !== 'ok' ? 'warn' : 'info'](
        { verdict: code },
        `${code} ${change}: ${sentence}`,
      );
      events.emit({
        kind: 'verdict-changed',
        change,
        code,
        ...(subject === undefined ? {} : { subject }),
        severity,
        sentence,
        notify: verdictTable[code].notify && partOf === undefined,
        atMs: clock.now(),
      });
    };
    for (const [key, v] of now) if (!stood.has(key)) told(v, 'raised');
    for (const [key, v] of stood) if (!now.has(key)) told(v, 'cleared');
    stood = now;
    return changed;
  }

  const reasonsOf = (d: AutomaticDecision) => (d.kind === 'wait' ? d.reasons : []);

  return {
    async judged(
      verdicts: readonly Verdict[],
      decision: AutomaticDecision,
      { epoch, primary, standby }: Roles,
      call: { readonly signal: AbortSignal },
    ): Promise<void> {
      const changed = changesOf(verdicts);
      const atMs = clock.now();
      const differs = !sameDecision(before, decision);
      if (differs) {
        sinceMs = atMs;
        const reasons = reasonsOf(decision);
        const why = reasons.map((r) => r.message).join('; ');
        log.info({ decision: decision.kind }, `${decision.kind}: ${decision.sentence}${why === '' ? '' : `; ${why}`}`);
        events.emit({ kind: 'decision-changed', decision: decision.kind, sentence: decision.sentence, reasons, atMs });
      }
      before = decision;
      if (!leads()) return;
      try {
        if (kept === undefined ? decision.kind !== 'idle' : !sameDecision(kept, decision)) {
          const about = decision.kind === 'idle' ? undefined : decision.verdict;
          const { kind, sentence } = decision;
          const entry = {
            atMs,
            by: who,
            kind,
            sentence,
            reasons: [...reasonsOf(decision)],
            rolesEpoch: epoch,
            ...(about === undefined ? {} : { verdict: about }),
          };
          await recordDecision(state, entry, randomBytes(2).toString('hex'), call);
          // Not waited for: an act comes after this. What isn't dropped now is dropped with a later decision.
          void dropOldDecisions(state, call).catch(() => undefined);
        }
        kept = decision;
        if (!changed && !differs && clock.monotonic() - writtenAtMs < standingMs) return;
        await putStanding(state, standingOf(verdicts, decision, primary, standby, atMs), call);
        writtenAtMs = clock.monotonic();
      } catch (error) {
        // Told again with the next tick: `kept` is still what was.
        if (!call.signal.aborted) log.debug({}, `what was decided can't be kept now: ${describeError(error)}`);
      }
    },
    proposed({ from, to, reason }, blockers) {
      const sentence = `a failover from ${from} to ${to} is advised: ${reason}`;
      log.warn({ blockers }, sentence);
      events.emit({
        kind: 'failover-proposed',
        from,
        to,
        sentence,
        command: 'argus failover',
        blockers,
        atMs: clock.now(),
      });
    },
  };

  function standingOf(
    verdicts: readonly Verdict[],
    decision: AutomaticDecision,
    primary: string,
    standby: string,
    atMs: number,
  ): AutomaticStanding {
    return {
      atMs,
      by: who,
      mode,
      primary,
      standby,
      verdicts: verdicts.map(({ code, subject, severity, sinceMs: since, sentence, evidence, partOf }) => ({
        code,
        severity,
        sinceMs: since,
        sentence,
        evidence: [...evidence],
        ...(subject === undefined ? {} : { subject }),
        ...(partOf === undefined ? {} : { partOf }),
      })),
      decision: { kind: decision.kind, sentence: decision.sentence, reasons: [...reasonsOf(decision)], sinceMs },
    };
  }
}
