import type { Clock } from '../../domain/clock.ts';
import { ArgusError, describeError } from '../../domain/errors.ts';
import type { Fact, Failure, Journal, JournalEntry, Json } from '../../state/journal.ts';
import type { Lease } from '../../state/lease.ts';
import { isPastReturn, nextAction, type StepShape } from './next-action.ts';
import type { Observation, Step, StepIo, Verdict } from './step.ts';

export type StepStatus = 'done' | 'already' | 'failed' | 'refused' | 'interrupted' | 'not-run';

/** What became of one step. */
export interface StepResult {
  readonly id: string;
  readonly title: string;
  readonly status: StepStatus;
  readonly startedAtMs?: number;
  readonly ms: number;
  readonly evidence?: Json;
  readonly error?: Failure;
}

export interface RunResult<F> {
  readonly run: string;
  readonly epoch: number;
  readonly outcome: 'done' | 'failed' | 'refused' | 'interrupted';
  readonly steps: readonly StepResult[];
  readonly facts: Partial<F>;
  /** Steps whose effect was taken back. */
  readonly compensated: readonly string[];
  /** True: nothing was or can be taken back; the run has to be gone on with. */
  readonly pastReturn: boolean;
  /** Why the run did not end well; its hint says what to do next. */
  readonly error?: Failure;
}

/** What happens in a run, for the terminal. Never the source of a decision. */
export type RunEvent =
  | { readonly kind: 'step-started'; readonly step: string; readonly title: string; readonly atMs: number }
  | { readonly kind: 'step-progress'; readonly step: string; readonly message: string; readonly atMs: number }
  | { readonly kind: 'step-ended'; readonly step: string; readonly result: StepResult; readonly atMs: number }
  | { readonly kind: 'step-compensated'; readonly step: string; readonly atMs: number };

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
  /** Makes what `run-finished` records; called once, when every step has ended. */
  readonly report?: (result: RunResult<F>) => Json;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Runs a runbook's steps under a lease. Never throws: everything that happened is in the result, and in the journal. */
export async function runSteps<C, F>(options: RunOptions<C, F>): Promise<RunResult<F>> {
  return new Execution(options).run();
}

/** Owns one run's entries and results while it goes on; what to do next is decided by `nextAction`. */
class Execution<C, F> {
  private readonly o: RunOptions<C, F>;
  private readonly shapes: readonly StepShape[];
  private readonly entries: JournalEntry[] = [];
  private readonly results = new Map<string, StepResult>();
  private readonly compensated: string[] = [];
  private facts: Partial<F> = {};
  private error: Failure | undefined;

  constructor(options: RunOptions<C, F>) {
    this.o = options;
    this.shapes = options.steps.map((s) => ({
      id: s.id,
      onFailure: s.onFailure.kind,
      pointOfNoReturn: s.pointOfNoReturn === true,
      compensable: s.compensate !== undefined,
    }));
  }

  async run(): Promise<RunResult<F>> {
    try {
      await this.append({
        kind: 'run-started',
        runbook: this.o.runbook,
        by: this.o.by,
        details: this.o.details,
      });
      for (;;) {
        if (this.o.signal?.aborted && !this.has('run-interrupted') && this.nextStep() !== undefined) {
          await this.interrupt(undefined);
        }
        const next = nextAction(this.shapes, this.entries);
        if (next.kind === 'finish') return await this.finish(next.outcome);
        const step = this.o.steps[next.index]!;
        if (next.kind === 'step') await this.step(step);
        else await this.compensate(step);
      }
    } catch (error) {
      // The journal can't be written or the lease is gone: nothing more may be done, not even noted.
      this.error ??= toFailure(error);
      return this.result(this.o.signal?.aborted ? 'interrupted' : 'failed');
    }
  }

  private async step(step: Step<C, F>): Promise<void> {
    const { clock } = this.o;
    const startedAtMs = clock.now();
    const from = clock.monotonic();
    const deadline = new AbortController();
    const signal = this.o.signal
      ? AbortSignal.any([this.o.signal, this.o.lease.signal, deadline.signal])
      : AbortSignal.any([this.o.lease.signal, deadline.signal]);
    const ended = new AbortController();
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
    const common = { id: step.id, title: step.title, startedAtMs };
    const ms = () => Math.round(clock.monotonic() - from);
    this.emit({ kind: 'step-started', step: step.id, title: step.title, atMs: startedAtMs });
    try {
      this.o.lease.check();
      const found = await this.perform(step, io);
      if (found.kind === 'refused') {
        await this.append({ kind: 'step-failed', step: step.id, status: 'refused', ms: ms(), error: found.error });
        return this.end({ ...common, status: 'refused', ms: ms(), error: found.error });
      }
      const { evidence, facts, status } = found;
      await this.append({ kind: 'step-finished', step: step.id, status, ms: ms(), evidence });
      this.facts = { ...this.facts, ...facts };
      this.end({ ...common, status, ms: ms(), evidence });
    } catch (caught) {
      const { lease } = this.o;
      const thrown = lease.signal.aborted ? lease.signal.reason : deadline.signal.aborted ? late(step, said) : caught;
      const error = withHint(toFailure(thrown), step.onFailure.hint);
      if (this.o.signal?.aborted) {
        this.end({ ...common, status: 'interrupted', ms: ms(), error });
        await this.interrupt(step.id);
        return;
      }
      if (step.onFailure.kind === 'stop') this.error ??= error;
      this.end({ ...common, status: 'failed', ms: ms(), error });
      if (isFatal(thrown)) throw thrown;
      await this.append({ kind: 'step-failed', step: step.id, status: 'failed', ms: ms(), error });
    } finally {
      ended.abort();
    }
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
        readonly evidence: Json;
        readonly facts: Partial<F>;
      }
  > {
    const { context, clock } = this.o;
    const seen = await this.observe(step, io);
    if (seen.kind === 'refused') return seen;
    if (seen.kind === 'done') {
      return { kind: 'ok', status: 'already', evidence: seen.evidence, facts: seen.facts ?? {} };
    }
    io.check();
    await this.append({ kind: 'step-started', step: step.id });
    io.check();
    const acted = await step.act(context, this.facts, io).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    for (let said = ''; ; ) {
      io.check();
      const verdict = await this.verify(step, io);
      if (verdict.kind === 'done') {
        return { kind: 'ok', status: 'done', evidence: verdict.evidence, facts: verdict.facts ?? {} };
      }
      // An act that failed may still have had its effect; one that did not is told by its own error.
      if (acted !== undefined) throw acted.error;
      if (verdict.kind === 'failed') {
        const { code, message, hint } = verdict.error;
        throw new ArgusError(code, message, hint === undefined ? {} : { hint });
      }
      if (verdict.waitingFor !== said) io.progress(verdict.waitingFor);
      said = verdict.waitingFor;
      await clock.sleep(step.pollMs ?? 250, io.signal);
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
    let evidence: Json = null;
    lease.check();
    const deadline = new AbortController();
    const ended = new AbortController();
    const signal = AbortSignal.any([lease.signal, deadline.signal]);
    void clock.sleep(step.timeoutMs, ended.signal).then(
      () => deadline.abort(late(step, 'taking it back')),
      // Ended in time.
      () => undefined,
    );
    try {
      const io = { clock, signal, check: () => this.check(signal), progress: () => undefined };
      evidence = (await step.compensate!(context, this.facts, io)) ?? 'nothing to take back';
      this.compensated.push(step.id);
    } catch (error) {
      evidence = { failed: describeError(error) };
      this.error = withHint(
        { code: 'CompensationFailed', message: `${this.error?.message ?? ''}; ${step.id} was not taken back` },
        describeError(error),
      );
    } finally {
      ended.abort();
    }
    const ms = Math.round(clock.monotonic() - from);
    await this.append({ kind: 'step-compensated', step: step.id, ms, evidence });
    this.emit({ kind: 'step-compensated', step: step.id, atMs: clock.now() });
  }

  private async interrupt(step: string | undefined): Promise<void> {
    const hint = this.o.resumeHint;
    this.error ??= { code: 'Interrupted', message: 'the run was interrupted', hint };
    await this.append({ kind: 'run-interrupted', ...(step === undefined ? {} : { step }), hint });
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
      epoch: this.o.epoch,
      outcome,
      steps: this.o.steps.map(
        (s) => this.results.get(s.id) ?? { id: s.id, title: s.title, status: 'not-run' as const, ms: 0 },
      ),
      facts: this.facts,
      compensated: [...this.compensated],
      pastReturn: isPastReturn(this.shapes, this.entries),
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }

  private check(signal: AbortSignal): void {
    signal.throwIfAborted();
    this.o.lease.check();
  }

  /** Not bound to the caller's signal: that the run was interrupted must become durable too. */
  private async append(fact: Fact): Promise<void> {
    this.entries.push(await this.o.journal.append(fact, { signal: this.o.lease.signal }));
  }

  private has(kind: Fact['kind']): boolean {
    return this.entries.some((e) => e.fact.kind === kind);
  }

  private nextStep(): number | undefined {
    const next = nextAction(this.shapes, this.entries);
    return next.kind === 'step' ? next.index : undefined;
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

const late = (step: { readonly title: string; readonly timeoutMs: number }, said: string) =>
  new ArgusError(
    'StepTimedOut',
    `not done within ${step.timeoutMs / 1000} s: ${step.title}${said === '' ? '' : ` (last: ${said})`}`,
  );

const isRetryable = (error: unknown) => error instanceof ArgusError && error.retryable;

/** Anything thrown, as it is journalled. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof ArgusError)) return { code: 'Unexpected', message: describeError(error) };
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return { code: error.code, message: describeError(error), ...hint };
}

const withHint = (failure: Failure, hint: string): Failure =>
  failure.hint === undefined ? { ...failure, hint } : failure;

/** After these nothing may be written, since another run may be acting. */
const isFatal = (error: unknown) =>
  error instanceof ArgusError && (error.code === 'LeaseLost' || error.code === 'JournalConflict');
