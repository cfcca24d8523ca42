import type { Clock } from '../../domain/clock.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { Fact, Failure, Journal, Json } from '../../state/journal.ts';
import type { Lease } from '../../state/lease.ts';
import { isFatal, isRetryable, late, toFailure, withHint } from './failures.ts';
import { nextAction } from './next-action.ts';
import type { RunEvent, RunResult, StepResult } from './run-result.ts';
import type { Observation, Step, StepIo, Verdict } from './step.ts';
import { advance, noProgress, type Progress, type StepShape, shapeOf } from './transitions.ts';
import { waiting } from './waiting.ts';

export type { RunEvent, RunResult, StepResult };

export interface RunOptions<C, F> {
  readonly steps: readonly Step<C, F>[];
  readonly context: C;
  readonly runbook: string;
  readonly by: string;
  /** Recorded with `run-started`. */
  readonly details: Json;
  readonly epoch: number;
  readonly lease: Lease;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Aborting asks the run to stop: the act under way gets it too. */
  readonly signal?: AbortSignal;
  /** How to go on after an interruption. */
  readonly resumeHint: string;
  /**
   * Whether somebody asked from elsewhere that the run stops; looked at between the steps and while they act, up to the
   * point of no return.
   */
  readonly askedToStop?: (signal: AbortSignal) => Promise<{ readonly by: string } | undefined>;
  /**
   * Instead of going through the steps: take back what dead runs have begun of these, as far as it can be taken back.
   * What the steps find is gathered first, in order.
   */
  readonly takeBack?: readonly string[];
  /** Makes what `run-finished` records; called once, when every step has ended. */
  readonly report?: (result: RunResult<F>) => Json;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Runs a runbook's steps under a lease. Never throws: everything that happened is in the result, and in the journal. */
export async function runSteps<C, F>(options: RunOptions<C, F>): Promise<RunResult<F>> {
  return new Execution(options).run();
}

/** How long a step may look at what a dead run did: a region in the dark must not hold the way back up. */
const lookBackMs = 10_000;

/** How often somebody's wish that the run stops is looked for. */
const listenMs = 2_000;

/** Owns one run's progress and results while it goes on; what to do next is decided by `nextAction`. */
class Execution<C, F> {
  private readonly o: RunOptions<C, F>;
  private readonly shapes: readonly StepShape[];
  private progress: Progress;
  private readonly results = new Map<string, StepResult>();
  private readonly compensated: string[] = [];
  /** Aborted when the run is to stop: by whoever started it, or who asked for it from elsewhere. */
  private readonly stop = new AbortController();
  private stoppedBy: string | undefined;
  private facts: Partial<F> = {};
  private error: Failure | undefined;
  private readonly startedAtMs: number;

  constructor(options: RunOptions<C, F>) {
    this.o = options;
    this.startedAtMs = options.clock.now();
    this.shapes = options.steps.map(shapeOf);
    this.progress = noProgress(options.takeBack);
  }

  async run(): Promise<RunResult<F>> {
    const { signal } = this.o;
    const forward = () => this.stop.abort(signal?.reason);
    if (signal?.aborted) forward();
    signal?.addEventListener('abort', forward);
    const ended = new AbortController();
    void this.listen(ended.signal);
    try {
      const { runbook, by, details } = this.o;
      await this.append({ kind: 'run-started', runbook, by, details });
      if (this.o.takeBack) await this.lookBack(this.o.takeBack);
      for (;;) {
        const next = nextAction(this.shapes, this.progress);
        if (next.kind === 'step') await this.look();
        if (next.kind === 'step' && this.stop.signal.aborted) {
          await this.interrupt(undefined);
          continue;
        }
        if (next.kind === 'finish') return await this.finish(next.outcome);
        const step = this.o.steps[next.index]!;
        if (next.kind === 'step') await this.step(step);
        else await this.compensate(step);
      }
    } catch (error) {
      // The journal can't be written or the lease is gone: nothing more may be done, not even noted.
      this.error ??= toFailure(error);
      return this.result(this.stop.signal.aborted ? 'interrupted' : 'failed');
    } finally {
      ended.abort();
      signal?.removeEventListener('abort', forward);
    }
  }

  /** Stops the run when somebody asked for it and it can still go back. A state that can't be read says nothing. */
  private async look(): Promise<void> {
    if (this.o.askedToStop === undefined || this.stop.signal.aborted || this.progress.pastReturn) return;
    const asked = await this.o.askedToStop(this.o.lease.signal).catch(() => undefined);
    if (asked === undefined || this.progress.pastReturn) return;
    this.stoppedBy = asked.by;
    this.stop.abort(new ArgusError('StopAsked', `${asked.by} asked the run to stop`));
  }

  private async listen(ended: AbortSignal): Promise<void> {
    if (this.o.askedToStop === undefined) return;
    while (!ended.aborted && !this.stop.signal.aborted) {
      await this.o.clock.sleep(listenMs, ended).catch(() => undefined);
      if (!ended.aborted) await this.look();
    }
  }

  /** What the steps find of what dead runs did, and that nothing more is begun. */
  private async lookBack(begun: readonly string[]): Promise<void> {
    for (const step of this.o.steps.filter(({ id }) => begun.includes(id))) {
      const timeoutMs = Math.min(step.timeoutMs, lookBackMs);
      const { io, done } = this.ioOf({ ...step, timeoutMs }, [this.stop.signal, this.o.lease.signal]);
      const seen = await this.observe(step, io).catch(() => undefined);
      done();
      if (seen?.kind === 'done') this.facts = { ...this.facts, ...seen.facts };
    }
    this.stoppedBy = this.o.by;
    await this.interrupt(undefined);
  }

  private async step(step: Step<C, F>): Promise<void> {
    const { clock } = this.o;
    const startedAtMs = clock.now();
    const from = clock.monotonic();
    const { io, deadline, done, said } = this.ioOf(step, [this.stop.signal, this.o.lease.signal]);
    const common = { id: step.id, title: step.title, startedAtMs };
    const ms = () => Math.round(clock.monotonic() - from);
    this.emit({ kind: 'step-started', step: step.id, title: step.title, atMs: startedAtMs });
    try {
      this.o.lease.check();
      const found = await this.perform(step, io);
      if (found.kind === 'refused') {
        await this.append({
          kind: 'step-failed',
          step: step.id,
          status: 'refused',
          ms: ms(),
          error: found.error,
          ...lax(step),
        });
        return this.end({ ...common, status: 'refused', ms: ms(), error: found.error });
      }
      const { evidence, facts, status } = found;
      const waited = step.waitsFor === undefined ? {} : { waitedMs: found.waitedMs };
      await this.append({
        kind: 'step-finished',
        step: step.id,
        status,
        ms: ms(),
        ...waited,
        evidence,
        ...marked(step),
      });
      this.facts = { ...this.facts, ...facts };
      const waitsFor = step.waitsFor === undefined ? {} : { ...waited, waitsFor: step.waitsFor };
      this.end({ ...common, status, ms: ms(), ...waitsFor, evidence });
    } catch (caught) {
      const { lease } = this.o;
      const thrown = lease.signal.aborted ? lease.signal.reason : deadline.aborted ? late(step, said()) : caught;
      const error = withHint(toFailure(thrown), step.onFailure.hint);
      if (this.stop.signal.aborted) {
        this.end({ ...common, status: 'interrupted', ms: ms(), error });
        await this.interrupt(step.id);
        return;
      }
      if (step.onFailure.kind === 'stop') this.error ??= error;
      this.end({ ...common, status: 'failed', ms: ms(), error });
      if (isFatal(thrown)) throw thrown;
      await this.append({ kind: 'step-failed', step: step.id, status: 'failed', ms: ms(), error, ...lax(step) });
    } finally {
      done();
    }
  }

  /** What a step may use, until its deadline and as long as none of `bounds` is aborted; `done` ends the deadline. */
  private ioOf(step: Step<C, F>, bounds: readonly AbortSignal[]) {
    const { clock } = this.o;
    const deadline = new AbortController();
    const ended = new AbortController();
    const signal = AbortSignal.any([...bounds, deadline.signal]);
    void clock.sleep(step.timeoutMs, ended.signal).then(
      () => deadline.abort(late(step, '')),
      // Ended in time: no deadline is needed any more.
      () => undefined,
    );
    let said = '';
    const io: StepIo = {
      clock,
      signal,
      check: () => this.check(signal),
      progress: (message) => {
        said = message;
        this.emit({ kind: 'step-progress', step: step.id, message, atMs: clock.now() });
      },
    };
    return { io, deadline: deadline.signal, done: () => ended.abort(), said: () => said };
  }

  /** observe, then journal, act and verify when there is something to do. Throws what failed. */
  private async perform(
    step: Step<C, F>,
    io: StepIo,
  ): Promise<
    | { readonly kind: 'refused'; readonly error: Failure }
    | {
        readonly kind: 'ok';
        readonly status: 'done' | 'already';
        readonly waitedMs: number;
        readonly evidence: Json;
        readonly facts: Partial<F>;
      }
  > {
    const { context, clock } = this.o;
    const others = waiting(clock);
    const seen = await others.call(() => this.observe(step, io));
    if (seen.kind === 'refused') return seen;
    if (seen.kind === 'done') {
      const { evidence, facts = {} } = seen;
      return { kind: 'ok', status: 'already', waitedMs: others.total(), evidence, facts };
    }
    io.check();
    await this.append({ kind: 'step-started', step: step.id, ...marked(step) });
    io.check();
    const acted = await others.call(() =>
      step.act(context, this.facts, io).then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    );
    for (let said = ''; ; ) {
      io.check();
      const verdict = await others.call(() => this.verify(step, io));
      if (verdict.kind === 'done') {
        const { evidence, facts = {} } = verdict;
        return { kind: 'ok', status: 'done', waitedMs: others.total(), evidence, facts };
      }
      // An act that failed may still have had its effect; one that did not is told by its own error.
      if (acted !== undefined) throw acted.error;
      if (verdict.kind === 'failed') {
        const { code, message, hint } = verdict.error;
        throw new ArgusError(code, message, hint === undefined ? {} : { hint });
      }
      if (verdict.waitingFor !== said) io.progress(verdict.waitingFor);
      said = verdict.waitingFor;
      await others.pause(step.pollMs ?? 250, io.signal);
    }
  }

  /** A port that can't be reached is asked again until the deadline. */
  private async observe(step: Step<C, F>, io: StepIo): Promise<Observation<F>> {
    for (;;) {
      try {
        return await step.observe(this.o.context, this.facts, io);
      } catch (error) {
        if (!isRetryable(error)) throw error;
        io.signal.throwIfAborted();
        io.progress(describeError(error));
        await this.o.clock.sleep(1_000, io.signal);
      }
    }
  }

  private async verify(step: Step<C, F>, io: StepIo): Promise<Verdict<F>> {
    try {
      return await step.verify(this.o.context, this.facts, io);
    } catch (error) {
      if (!isRetryable(error)) throw error;
      return { kind: 'pending', waitingFor: describeError(error) };
    }
  }

  private async compensate(step: Step<C, F>): Promise<void> {
    const { clock, lease, context } = this.o;
    const from = clock.monotonic();
    lease.check();
    await this.append({ kind: 'step-compensating', step: step.id });
    const { io, done } = this.ioOf(step, [lease.signal]);
    let outcome: { readonly evidence: Json; readonly error?: Failure };
    try {
      outcome = { evidence: (await step.compensate!(context, this.facts, io)) ?? 'nothing to take back' };
      this.compensated.push(step.id);
    } catch (caught) {
      const why = describeError(caught);
      outcome = { evidence: { failed: why }, error: toFailure(caught) };
      this.error = withHint(
        { code: 'CompensationFailed', message: `${this.error?.message ?? ''}; ${step.id} was not taken back` },
        why,
      );
    } finally {
      done();
    }
    const ms = Math.round(clock.monotonic() - from);
    await this.append({ kind: 'step-compensated', step: step.id, ms, ...outcome });
    const failed = outcome.error === undefined ? {} : { error: outcome.error };
    this.emit({ kind: 'step-compensated', step: step.id, atMs: clock.now(), ...failed });
  }

  private async interrupt(step: string | undefined): Promise<void> {
    const hint = this.o.resumeHint;
    const by = this.stoppedBy;
    this.error ??= {
      code: 'Interrupted',
      message: by === undefined ? 'the run was interrupted' : `the run was stopped by ${by}`,
      hint,
    };
    const named = { ...(step === undefined ? {} : { step }), ...(by === undefined ? {} : { by }) };
    await this.append({ kind: 'run-interrupted', ...named, hint });
  }

  private async finish(outcome: RunResult<F>['outcome']): Promise<RunResult<F>> {
    if (outcome === 'refused') this.error ??= [...this.results.values()].find((r) => r.status === 'refused')?.error;
    const result = this.result(outcome);
    const report = this.o.report?.(result);
    await this.append({ kind: 'run-finished', outcome, ...(report === undefined ? {} : { report }) });
    return result;
  }

  private result(outcome: RunResult<F>['outcome']): RunResult<F> {
    const { run } = this.o.journal;
    return {
      run,
      startedAtMs: this.startedAtMs,
      epoch: this.o.epoch,
      outcome,
      steps: this.o.steps.map(
        (s) => this.results.get(s.id) ?? { id: s.id, title: s.title, status: 'not-run' as const, ms: 0 },
      ),
      facts: this.facts,
      compensated: [...this.compensated],
      pastReturn: this.progress.pastReturn,
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }

  private check(signal: AbortSignal): void {
    signal.throwIfAborted();
    this.o.lease.check();
  }

  /** Not bound to the caller's signal: that the run was interrupted must become durable too. */
  private async append(fact: Fact): Promise<void> {
    const next = advance(this.shapes, this.progress, fact);
    await this.o.journal.append(fact, { signal: this.o.lease.signal });
    this.progress = next;
  }

  private end(result: StepResult): void {
    this.results.set(result.id, result);
    this.emit({ kind: 'step-ended', step: result.id, result, atMs: this.o.clock.now() });
  }

  private emit(event: RunEvent): void {
    try {
      this.o.onEvent?.(event);
    } catch {
      // A broken terminal must not stop a failover; the journal has it all.
    }
  }
}

const marked = ({ pointOfNoReturn }: { readonly pointOfNoReturn?: true }) =>
  pointOfNoReturn === true ? ({ pastReturn: true } as const) : {};

const lax = ({ onFailure }: { readonly onFailure: { readonly kind: 'stop' | 'continue' } }) =>
  onFailure.kind === 'continue' ? ({ goesOn: true } as const) : {};
