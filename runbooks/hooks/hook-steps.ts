import { ArgusError } from '../../domain/errors.ts';
import type { Json } from '../../state/journal.ts';
import type { Step } from '../engine/step.ts';

/** What a hook is told of the run that calls it: as ARGUS_RUN … in a program's environment, as JSON in a request. */
export interface HookCall {
  readonly hook: string;
  readonly run: string;
  readonly runbook: string;
  readonly step: string;
  readonly when: 'before' | 'after';
  readonly epoch: number;
  readonly from: string;
  readonly to: string;
  /** Only where something is broken on purpose: after so many seconds it may be healed by itself. */
  readonly seconds?: number;
}

/** What became of a call, without secrets. */
export interface HookAnswer {
  readonly ok: boolean;
  /** `exit code 0`, `status 204`. */
  readonly result: string;
  /** The end of what it wrote or answered. */
  readonly output: string;
}

/** A hook whose secrets are resolved. */
export interface Hook {
  readonly name: string;
  readonly step: string;
  readonly when: 'before' | 'after';
  readonly required: boolean;
  readonly timeoutMs: number;
  /** What it calls, as a person would type it; without secrets. */
  readonly manual: string;
  /** Calls it once. A failure is an answer; thrown is only what the signal says. */
  call(about: HookCall, signal: AbortSignal): Promise<HookAnswer>;
}

/** Beyond a hook's own time, for the end of its processes. */
const graceMs = 5_000;

/**
 * The steps with hooks between them, each a step of its own: journalled like any other, called anew by a run that goes on
 * with a dead one. The failure of a required one stops the run as long as it can be taken back; any other is reported.
 */
export function withHooks<C, F>(
  steps: readonly Step<C, F>[],
  hooks: readonly Hook[],
  about: Omit<HookCall, 'hook' | 'step' | 'when'>,
): readonly Step<C, F>[] {
  const last = steps.findIndex((s) => s.pointOfNoReturn === true);
  return steps.flatMap((step, i) => {
    const of = (when: Hook['when'], canGoBack: boolean) =>
      hooks
        .filter((h) => h.step === step.id && h.when === when)
        .map((hook) => hookStep<C, F>(hook, { ...about, hook: hook.name, step: step.id, when }, canGoBack));
    return [...of('before', last < 0 || i <= last), step, ...of('after', last < 0 || i < last)];
  });
}

function hookStep<C, F>(hook: Hook, about: HookCall, canGoBack: boolean): Step<C, F> {
  let answer: HookAnswer | undefined;
  return {
    id: `hook-${hook.name}`,
    title: `Call ${hook.name} ${hook.when} ${hook.step}`,
    manual: [hook.manual],
    waitsFor: `the hook ${hook.name}`,
    timeoutMs: hook.timeoutMs + graceMs,
    onFailure: {
      kind: hook.required && canGoBack ? 'stop' : 'continue',
      hint: `see what ${hook.name} says; it is called again when the run is gone on with`,
    },
    async observe() {
      return { kind: 'todo' };
    },
    async act(_context, _facts, io) {
      io.check();
      answer = await hook.call(about, io.signal);
      if (answer.ok) return;
      const said = answer.output === '' ? '' : `: ${answer.output}`;
      throw new ArgusError('HookFailed', `${hook.name} ended with ${answer.result}${said}`);
    },
    async verify() {
      if (answer?.ok !== true) return { kind: 'pending', waitingFor: `${hook.name} to succeed` };
      const evidence: Json = { result: answer.result, output: answer.output };
      return { kind: 'done', evidence };
    },
  };
}
