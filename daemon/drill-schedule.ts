import { randomUUID } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import type { DrillScheduleEntry } from '../domain/drill-schedule-config.ts';
import { describeError } from '../domain/errors.ts';
import type { DrillTrigger } from '../drills/drill-report.ts';
import { type DrillDecision, decideDrill, isDueBy } from '../drills/schedule/decide.ts';
import type { DrillReason } from '../drills/schedule/standing.ts';
import type { ObjectStore } from '../regions/objects/object-store.ts';
import type { LocalProcesses } from '../runbooks/engine/under-lease.ts';
import {
  type DrillSlot,
  dropOldSlots,
  newestSlots,
  openSlot,
  type ReadSlot,
  replaceSlot,
  rulesSince,
  type ScheduledKind,
  scheduledKinds,
} from '../state/drill-slots.ts';
import { drillState } from '../state/drills.ts';
import { claimWatch, runOfSlot } from './drill-claims.ts';
import { standingOf } from './drill-standing.ts';
import type { Log } from './log.ts';
import type { DaemonView, MakeService } from './service.ts';

/** How a drill ended, or why it did not begin. */
export type DrillOutcome =
  | { readonly kind: 'ended'; readonly exitCode: number }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      /** True: asking again may help. */
      readonly passing?: boolean;
    };

/** What is begun when a slot is due. */
export interface DrillOrder {
  readonly kind: ScheduledKind;
  readonly trigger: Extract<DrillTrigger, { readonly kind: 'schedule' }>;
  readonly reason: string;
  readonly stayMs?: number;
}

export interface DrillScheduleParts {
  readonly schedule: readonly DrillScheduleEntry[];
  /** Somebody is configured to observe: verdicts are told. */
  readonly observed: boolean;
  readonly state: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Who begins drills, for people. */
  readonly who: string;
  readonly processes?: LocalProcesses | undefined;
  readonly drill: (order: DrillOrder, signal: AbortSignal) => Promise<DrillOutcome>;
  /** Told when what is kept of the slots has changed. */
  readonly onSlots?: (slots: readonly DrillSlot[]) => void;
}

/** The wall clock may be set, and the lead may be lost: so often it is looked again at least. */
const longestPauseMs = 30_000;
/** While a slot waits. */
const waitingPauseMs = 10_000;
const callMs = 10_000;
/** What is claimed is begun within this, or not by this claim. */
const beginWithinMs = 60_000;
/** Others are at work, or all is not well: the drill is put off, not over. */
const passing: ReadonlySet<string> = new Set(['LeaseHeld', 'AnotherActed', 'NotReady', 'FaultLeft']);
/** One that was put off so is begun again no sooner. */
const againMs = 60_000;
/** Of each kind so many slots are looked at. */
const known = 20;

/** Begins drills when they are due and all is calm, each once whatever daemons there are, while this one leads. */
export function drillSchedule(parts: DrillScheduleParts): MakeService {
  return (view) => ({ name: 'drill schedule', run: (signal) => follow(parts, view, signal) });
}

const ruleOf = ({ kind, cron, timezone }: DrillScheduleEntry) => `${kind} ${cron} ${timezone}`;

async function follow(parts: DrillScheduleParts, view: DaemonView, signal: AbortSignal): Promise<void> {
  const { clock, log, state, processes, who } = parts;
  const drills = drillState(state);
  const entries = parts.schedule.filter((e) => e.enabled);
  const look = standingOf(state, parts.observed);
  const claims = claimWatch(processes);
  const nonce = randomUUID();
  let since: Readonly<Record<string, number>> | undefined;
  let slots: readonly ReadSlot[] | undefined;
  let busy: Promise<void> | undefined;
  /** When this daemon last tried what was put off, by its monotonic clock. */
  const triedAtMs = new Map<string, number>();
  let said: string | undefined;
  const own = processes?.own();
  const within = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]) });

  async function read(): Promise<readonly ReadSlot[]> {
    const call = within();
    slots = (await Promise.all(scheduledKinds.map((kind) => newestSlots(drills, kind, known, call, slots)))).flat();
    parts.onSlots?.(slots.map((s) => s.value));
    return slots;
  }

  const slotNamed = (name: string) => slots?.find((s) => s.value.slot === name);

  /** Changes a slot as it was read; whoever was faster is heard at the next look. */
  async function change(name: string, to: (slot: DrillSlot) => DrillSlot): Promise<ReadSlot | undefined> {
    const slot = slotNamed(name);
    const changed = slot && (await replaceSlot(drills, slot, to(slot.value), within()));
    await read();
    return changed;
  }

  async function open(slot: DrillSlot): Promise<void> {
    const opened = await openSlot(drills, slot, within());
    await read();
    if (opened === undefined) return;
    void dropOldSlots(drills, slot.kind, within()).catch(() => undefined);
    if (slot.needsApproval) announce(slot);
  }

  function announce(slot: DrillSlot): void {
    const sentence = `a drill by switchover is due at ${new Date(slot.dueAtMs).toISOString()}, and waits for a person`;
    const command = `argus drill approve ${slot.slot}`;
    log.warn({ slot: slot.slot }, `${sentence}: ${command}`);
    view.events.emit({ kind: 'drill-announced', slot: slot.slot, sentence, command, atMs: clock.now() });
  }

  async function skip(name: string, reason: DrillReason): Promise<void> {
    const skipped = await change(name, (slot) => ({
      ...slot,
      status: 'skipped',
      skipped: { ...reason, atMs: clock.now() },
    }));
    if (skipped === undefined) return;
    const sentence = `the drill ${name} was left out: ${reason.message}`;
    log.warn({ slot: name, code: reason.code }, sentence);
    view.events.emit({ kind: 'drill-skipped', slot: name, code: reason.code, sentence, atMs: clock.now() });
  }

  async function putOff(name: string, reason: DrillReason): Promise<void> {
    const before = slotNamed(name)?.value.putOff;
    if (before?.code === reason.code) return;
    log.info({ slot: name, code: reason.code }, `the drill ${name} waits: ${reason.message}`);
    await change(name, (slot) => ({ ...slot, putOff: { ...reason, sinceMs: clock.now() } }));
  }

  async function begin(name: string, entry: DrillScheduleEntry): Promise<void> {
    const claim = { atMs: clock.now(), by: who, nonce, ...(own === undefined ? {} : { process: own }) };
    const claimed = await change(name, (slot) => ({ ...slot, status: 'claimed', claim }));
    if (claimed === undefined || signal.aborted || !view.leads()) return;
    const slot = claimed.value;
    busy = carryOut(slot, entry).finally(() => {
      busy = undefined;
    });
  }

  async function carryOut(slot: DrillSlot, entry: DrillScheduleEntry): Promise<void> {
    const { approval, dueAtMs, late, kind } = slot;
    const agreed = approval === undefined ? '' : `, approved by ${approval.by}`;
    const order = {
      kind,
      trigger: { kind: 'schedule', slotAtMs: dueAtMs, late } as const,
      reason: `scheduled: ${slot.slot}${late ? ' (caught up)' : ''}${agreed}`,
      ...(entry.stay === undefined ? {} : { stayMs: entry.stay }),
    };
    // A process that slept here has lost its claim to others.
    if (clock.now() - (slot.claim?.atMs ?? 0) > beginWithinMs) return;
    const outcome = await parts.drill(order, signal).catch((error: unknown): DrillOutcome => {
      return { kind: 'refused', code: 'BrokeOff', message: describeError(error) };
    });
    // What this daemon was stopped in is settled by the next one, from the journal.
    if (signal.aborted) return;
    await end(slot, outcome);
  }

  /** Keeps how it ended; tried until the state takes it, since nobody else does while this daemon lives. */
  async function end(slot: DrillSlot, outcome: DrillOutcome): Promise<void> {
    for (let pauseMs = 1_000; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        const run = await runOfSlot(drills, slot, within());
        await read();
        if (run === undefined && outcome.kind === 'refused' && (outcome.passing || passing.has(outcome.code))) {
          const { code, message } = outcome;
          triedAtMs.set(slot.slot, clock.monotonic());
          await change(slot.slot, (s) => ({ ...unclaimed(s), putOff: { code, message, sinceMs: clock.now() } }));
          return;
        }
        const ended = run === undefined ? endOf(outcome, clock.now()) : { ...run.end, run: run.run, atMs: clock.now() };
        await change(slot.slot, (s) => ({ ...s, status: 'ended', end: ended }));
        log.info({ slot: slot.slot, ...ended }, `the drill ${slot.slot}: ${ended.outcome}`);
        if (run === undefined) tellRefused(slot.slot, ended);
        return;
      } catch (error) {
        log.debug({}, `how the drill ended can't be kept now: ${describeError(error)}`);
        await clock.sleep(pauseMs, signal).catch(() => undefined);
      }
    }
  }

  function tellRefused(slot: string, { code = 'Refused', message = 'it did not begin' }: Partial<DrillReason>): void {
    const sentence = `the drill ${slot} was refused: ${message}`;
    view.events.emit({ kind: 'drill-skipped', slot, code, sentence, atMs: clock.now() });
  }

  /** Claims of daemons that are gone: one whose drill had begun is over, one whose had not is free again. */
  async function settleClaims(): Promise<void> {
    for (const read of slots ?? []) {
      const { slot, status, claim } = read.value;
      if (status !== 'claimed' || (claim?.nonce === nonce && busy !== undefined)) continue;
      if (claim?.nonce !== nonce && !claims.isDead(read.value, clock.monotonic())) continue;
      const run = await runOfSlot(drills, read.value, within());
      if (run === undefined) {
        log.warn({ slot }, `the drill ${slot} had not begun when its daemon ended: it is tried again`);
        await change(slot, unclaimed);
        continue;
      }
      // Whoever carries it out may live on without the lead.
      const standing = await look({ nowMs: clock.now(), monotonicMs: clock.monotonic() }, within());
      if (standing.drill !== undefined) continue;
      await change(slot, (s) => ({ ...s, status: 'ended', end: { ...run.end, run: run.run, atMs: clock.now() } }));
      const how = run.end.message ?? `it ${run.end.outcome}`;
      log.warn({ slot, run: run.run }, `the drill ${slot} is over: ${how}`);
      if (run.end.outcome !== 'cut-off') continue;
      const sentence = `the drill ${slot} was cut off: ${how}; see argus runs show ${run.run}`;
      view.events.emit({ kind: 'drill-skipped', slot, code: 'CutOff', sentence, atMs: clock.now() });
    }
  }

  /** What waits by a line that the schedule has no more. */
  async function skipUnscheduled(): Promise<void> {
    for (const { slot, status, kind, dueAtMs } of (slots ?? []).map((s) => s.value)) {
      if (status !== 'open' || entries.some((e) => e.kind === kind && isDueBy(e, dueAtMs))) continue;
      await skip(slot, { code: 'NotScheduled', message: 'the schedule has no line any more by which it is due' });
    }
  }

  /** One line of the schedule; how long nothing has to be done about it. */
  async function turn(entry: DrillScheduleEntry): Promise<number> {
    for (let step = 0; step < 5 && !signal.aborted; step++) {
      const nowMs = clock.now();
      const facts = {
        nowMs,
        entry,
        lines: entries.filter((e) => e.kind === entry.kind),
        sinceMs: since?.[ruleOf(entry)] ?? nowMs,
        slots: (slots ?? []).map((s) => s.value),
      };
      let decision: DrillDecision = decideDrill({ ...facts, standing: 'unread' });
      if (decision.kind === 'look') {
        const monotonicMs = clock.monotonic();
        const standing = await look({ nowMs, monotonicMs }, within());
        const underWay = busy === undefined ? standing : { ...standing, drill: standing.drill ?? 'another drill' };
        decision = decideDrill({ ...facts, standing: underWay });
      }
      switch (decision.kind) {
        case 'idle':
          return decision.untilMs - clock.now();
        case 'wait':
          await putOff(decision.slot, decision.reason);
          return Math.min(waitingPauseMs, decision.untilMs - clock.now());
        case 'open':
          await open(decision.slot);
          break;
        case 'skip':
          await skip(decision.slot, decision.reason);
          break;
        case 'run':
          if (clock.monotonic() - (triedAtMs.get(decision.slot) ?? Number.NEGATIVE_INFINITY) < againMs)
            return waitingPauseMs;
          await begin(decision.slot, entry);
          return waitingPauseMs;
        case 'look':
          return waitingPauseMs;
        default:
          return decision satisfies never;
      }
    }
    return waitingPauseMs;
  }

  async function tick(): Promise<number> {
    if (!view.leads()) {
      since = undefined;
      slots = undefined;
      return longestPauseMs / 6;
    }
    since ??= await rulesSince(drills, entries.map(ruleOf), clock.now(), within());
    const waits = slots === undefined || slots.some(({ value: s }) => s.status === 'open' || s.status === 'claimed');
    if (waits) await read();
    await settleClaims();
    await skipUnscheduled();
    let pauseMs = longestPauseMs;
    for (const entry of entries) pauseMs = Math.min(pauseMs, await turn(entry));
    return pauseMs;
  }

  while (!signal.aborted) {
    let pauseMs = waitingPauseMs;
    try {
      pauseMs = await tick();
      said = undefined;
    } catch (error) {
      const why = describeError(error);
      if (!signal.aborted && why !== said) log.warn({}, `the schedule of drills can't be followed now: ${why}`);
      said = why;
      // What was read may be old by the time the state answers again.
      slots = undefined;
    }
    // The only rejection is the signal's.
    await clock.sleep(Math.max(100, pauseMs), signal).catch(() => undefined);
  }
  // Its run is interrupted by the same signal, and says so in its journal.
  await busy;
}

function endOf(outcome: DrillOutcome, atMs: number): NonNullable<DrillSlot['end']> {
  if (outcome.kind === 'ended') return { atMs, outcome: outcome.exitCode === 0 ? 'passed' : 'failed' };
  return { atMs, outcome: 'refused', code: outcome.code, message: outcome.message };
}

/** Free again. */
function unclaimed({ claim: _, ...slot }: DrillSlot): DrillSlot {
  return { ...slot, status: 'open' };
}
