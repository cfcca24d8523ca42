import type { AutomaticSettings } from '../domain/automatic-config.ts';
import type { Clock } from '../domain/clock.ts';
import { describeError } from '../domain/errors.ts';
import type { Roles } from '../domain/roles.ts';
import { type AutomaticDecision, type AutomaticView, decideAutomatic } from '../health/decide-automatic.ts';
import { judge, noMemory, type Verdict, type VerdictMemory, witnessName } from '../health/verdict.ts';
import { verdictTable } from '../health/verdict-table.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import { readObserverReports } from '../state/observers.ts';
import type { Readiness } from '../state/readiness.ts';
import { automaticFacts } from './automatic-facts.ts';
import { newEar } from './hear-observers.ts';
import type { Log } from './log.ts';
import { readinessWords } from './readiness-words.ts';
import type { DaemonView, MakeService } from './service.ts';
import { every } from './supervise.ts';
import { teller } from './tell-decisions.ts';

/** How a run, or its preparation, ended. */
export type ActOutcome =
  | { readonly kind: 'ended'; readonly exitCode: number }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** What automatic mode may do: both are the command's own. */
export interface AutomaticActions {
  failover(order: AutomaticOrder, signal: AbortSignal): Promise<ActOutcome>;
  /** Plans, and changes nothing; the blockers of the plan. */
  propose(order: AutomaticOrder, signal: AbortSignal): Promise<readonly { code: string; message: string }[]>;
}

export interface AutomaticOrder {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly acceptUnfenced: boolean;
}

export interface DecideParts {
  readonly settings: AutomaticSettings;
  readonly statePlace: AutomaticView['statePlace'];
  readonly guarded: boolean;
  readonly rpoMs: number;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Who decides, for people. */
  readonly who: string;
  readonly actions: AutomaticActions;
  /** Told each second how things stand. */
  readonly onJudged?: (verdicts: readonly Verdict[], decision: AutomaticDecision) => void;
  readonly onVerdict?: (code: string) => void;
}

const tickMs = 1_000;
/** For the reports: what comes later is old. */
const reportsMs = 2_000;
/** For what a decision needs besides, and for keeping it. */
const callMs = 5_000;
/** Before a verdict's condition is found, an outage lasts for what a report keeps, and for a look. */
const unfoundMs = 3_000;
/** A plan that was refused is tried again after this. */
const retryMs = 15_000;
/** What a decision needs is read so often while there is nothing to decide: a run may have been cut off. */
const quietMs = 10_000;

/** Reads what observers see, judges it each second, and acts where automatic mode is allowed to and this daemon leads. */
export function decideService(parts: DecideParts): MakeService {
  return (view) => ({ name: 'verdicts', run: (signal) => runDecisions(parts, view, signal) });
}

async function runDecisions(parts: DecideParts, view: DaemonView, signal: AbortSignal): Promise<void> {
  const { settings, state, clock, log } = parts;
  const ear = newEar();
  const facts = automaticFacts(state);
  const words = readinessWords(state);
  const tell = teller({ ...parts, mode: settings.mode }, view);
  let memory: VerdictMemory = noMemory;
  let blocked: { readonly message: string; readonly atMs: number } | undefined;
  let proposed: { readonly about: string; readonly failedAtMs?: number } | undefined;
  let busy: Promise<void> | undefined;
  let said: string | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let resuming = false;
  const names = [...new Set([...settings.observers.map((o) => o.name), witnessName])];

  const act = (order: AutomaticOrder) => {
    busy = parts.actions
      .failover(order, signal)
      .then((outcome) => {
        if (outcome.kind === 'refused') blocked = { message: outcome.message, atMs: clock.monotonic() };
        const end = outcome.kind === 'refused' ? `was refused: ${outcome.message}` : `ended with ${outcome.exitCode}`;
        log.warn({}, `the automatic failover from ${order.from} to ${order.to} ${end}`);
      })
      .catch((error: unknown) => {
        blocked = { message: describeError(error), atMs: clock.monotonic() };
        if (!signal.aborted) log.error({}, `the automatic failover broke off: ${describeError(error)}`);
      })
      .finally(() => {
        busy = undefined;
      });
  };

  const propose = (order: AutomaticOrder) => {
    busy = parts.actions
      .propose(order, signal)
      .then((blockers) => tell.proposed(order, blockers))
      .catch((error: unknown) => {
        proposed = { about: proposed?.about ?? '', failedAtMs: clock.monotonic() };
        if (!signal.aborted) log.warn({}, `no plan could be prepared: ${describeError(error)}`);
      })
      .finally(() => {
        busy = undefined;
      });
  };

  const tick = async () => {
    const within = (ms: number) => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(ms)]) });
    try {
      ear.hear((await readObserverReports(state, names, within(reportsMs))).values(), clock.monotonic());
      said = undefined;
    } catch (error) {
      const why = describeError(error);
      if (!signal.aborted && why !== said) log.warn({}, `what observers see can't be read: ${why}`);
      said = why;
    }
    const roles = view.roles();
    if (roles === undefined || signal.aborted) return;
    const [nowMs, monotonicMs] = [clock.now(), clock.monotonic()];
    const judged = judge(memory, {
      nowMs,
      monotonicMs,
      reports: ear.heard(),
      primary: roles.primary,
      standby: roles.standby,
      settings,
      ...notReadyBy(words.newest(), roles),
    });
    memory = judged.memory;
    const { verdicts } = judged;
    const actionable = verdicts.find((v) => v.holds && verdictTable[v.code].act === 'failover');
    const due = actionable !== undefined || resuming || monotonicMs - lookedAtMs >= quietMs;
    if (due) lookedAtMs = monotonicMs;
    const [read] = await Promise.all([
      due && view.leads() ? readFacts(roles, { nowMs, monotonicMs }, within(callMs)) : undefined,
      // Absent: what is known stays, and grows old.
      due ? words.look(within(callMs)).catch(() => undefined) : undefined,
    ]);
    const ready = words.before(actionable ? actionable.sinceMs - settings.stale - unfoundMs : nowMs);
    if (blocked && monotonicMs - blocked.atMs > retryMs) blocked = undefined;
    const decision = decideAutomatic({
      settings,
      verdicts,
      roles: read === 'unreadable' ? undefined : roles,
      nowMs,
      leads: view.leads(),
      statePlace: parts.statePlace,
      guarded: parts.guarded,
      readiness: ready && ready.primary === roles.primary ? wordOf(ready) : undefined,
      rpoMs: parts.rpoMs,
      planBlocked: blocked?.message,
      ...(read === undefined || read === 'unreadable' ? { lossMs: 'unknown' as const } : read),
      // What this process is at has no end yet, and is not cut off.
      ...(busy === undefined ? {} : { cutOff: undefined }),
    });
    resuming = busy === undefined && read !== undefined && read !== 'unreadable' && read.cutOff !== undefined;
    parts.onJudged?.(verdicts, decision);
    await tell.judged(verdicts, decision, roles, within(callMs));
    if (busy !== undefined || signal.aborted) return;
    if (decision.kind === 'act') act(orderOf(decision));
    else if (decision.kind === 'advise' && view.leads()) {
      const again = proposed?.failedAtMs !== undefined && monotonicMs - proposed.failedAtMs > retryMs;
      if (proposed?.about === decision.verdict && !again) return;
      proposed = { about: decision.verdict };
      propose(orderOf(decision));
    } else if (decision.kind === 'idle') proposed = undefined;
  };

  const readFacts = (roles: Roles, clocks: { nowMs: number; monotonicMs: number }, call: { signal: AbortSignal }) =>
    facts.read(roles.primary, clocks, call).catch((error: unknown) => {
      if (!signal.aborted) log.debug({}, `what a decision needs can't be read: ${describeError(error)}`);
      return 'unreadable' as const;
    });

  await every(tickMs, tick, clock, signal);
  // Its run is interrupted by the same signal, and says so in its journal.
  await busy;
}

const notReadyBy = (word: Readiness | undefined, { primary }: Roles) =>
  word?.status === 'red' && word.primary === primary ? { notReady: word.blockers.map((b) => b.sentence) } : {};

const wordOf = ({ status, blockers, warnings }: Readiness) => ({
  status,
  blockers: [...blockers, ...warnings].map((b) => b.sentence),
});

const orderOf = ({ from, to, sentence, acceptUnfenced }: Extract<AutomaticDecision, { kind: 'act' | 'advise' }>) => ({
  from,
  to,
  reason: sentence,
  acceptUnfenced,
});
