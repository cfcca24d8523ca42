import { hostname } from 'node:os';
import { automaticName } from '../../daemon/automatic-facts.ts';
import { type ActOutcome, type AutomaticActions, type AutomaticOrder, decideService } from '../../daemon/decide.ts';
import type { Log } from '../../daemon/log.ts';
import type { MakeService } from '../../daemon/service.ts';
import type { Board } from '../../daemon/web/board.ts';
import type { Config } from '../../domain/config.ts';
import { ArgusError } from '../../domain/errors.ts';
import { type AutomaticDecision, type AutomaticView, sameDecision } from '../../health/decide-automatic.ts';
import type { Metrics } from '../../health/metrics.ts';
import type { Verdict } from '../../health/verdict.ts';
import { type VerdictCode, verdictTable } from '../../health/verdict-table.ts';
import type { Composition } from '../compose.ts';
import type { CommandContext } from '../context.ts';
import { withoutAPerson } from './without-a-person.ts';

interface AutomaticParts {
  readonly context: CommandContext;
  readonly composition: Composition;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly board: Board;
}

/** The judgement of what observers see, and automatic mode; nothing where no observers are configured. */
export function automaticServices({
  context,
  composition,
  log,
  metrics,
  board,
}: AutomaticParts): readonly MakeService[] {
  const { config, state } = composition;
  const { clock } = context;
  const settings = config.automatic;
  if (settings.observers.length === 0) return [];
  const who = `${automaticName} on ${hostname()} (pid ${process.pid})`;
  let standing: readonly Verdict[] | undefined;
  metrics.also(() => (standing === undefined ? {} : { verdicts: byCode(standing) }));
  let shown: { readonly codes: string; readonly decision: AutomaticDecision } | undefined;
  return [
    decideService({
      settings,
      statePlace: statePlaceOf(config),
      guarded: config.guard !== undefined,
      rpoMs: config.objectives.rpo,
      state,
      clock,
      log,
      who,
      actions: automaticActions(context, log, who),
      onVerdict: (code) => metrics.verdictChanged(code),
      onJudged(verdicts, decision) {
        standing = verdicts;
        const codes = verdicts.map((v) => `${v.code} ${v.subject ?? ''}`).join(' ');
        // A sentence that only counts on is no news for a page.
        if (shown?.codes === codes && sameDecision(shown.decision, decision)) return;
        shown = { codes, decision };
        const reasons = decision.kind === 'wait' ? decision.reasons : [];
        const why = reasons.map((r) => `; ${r.message}`).join('');
        board.put({
          standing: {
            ...board.facts().standing,
            verdicts: verdicts.map(({ code, subject, severity, sentence, sinceMs }) => ({
              code,
              severity,
              sentence,
              sinceMs,
              ...(subject === undefined ? {} : { subject }),
            })),
            decision: {
              mode: settings.mode,
              kind: decision.kind,
              sentence: `${decision.sentence}${why}`,
              reasons: [...reasons],
              atMs: clock.now(),
            },
          },
        });
      },
    }),
  ];
}

function byCode(verdicts: readonly Verdict[]): Readonly<Record<string, boolean>> {
  const codes = Object.keys(verdictTable) as VerdictCode[];
  return Object.fromEntries(codes.map((code) => [code, verdicts.some((v) => v.code === code)]));
}

/** Where the state lies, as far as the configuration tells: a store at a region's own endpoint is in that region. Pure. */
export function statePlaceOf({
  automatic,
  state,
  regions,
}: Pick<Config, 'automatic' | 'state' | 'regions'>): AutomaticView['statePlace'] {
  if (automatic.stateIsOutside) return 'outside';
  if (typeof state === 'string') return 'untold';
  return Object.values(regions).some((r) => r.objects.endpoint === state.endpoint) ? 'inside' : 'untold';
}

/**
 * The very command that a person would type, by another name, with nobody to ask, and only in the direction that was
 * decided. `context` loads the configuration in force: a file that is being edited must not make an outage longer.
 */
export function automaticActions(context: CommandContext, log: Log, who: string): AutomaticActions {
  const quiet = (signal: AbortSignal) => withoutAPerson(context, log, who, signal);
  const optionsOf = ({ from, to, acceptUnfenced, reason }: AutomaticOrder) => ({
    yes: true,
    acceptUnfenced,
    reason,
    expect: { from, to },
  });
  return {
    async failover(order, signal): Promise<ActOutcome> {
      const [{ audited }, module] = [await import('../audited.ts'), import('../commands/failover.ts')];
      const { run } = await audited('failover', module);
      try {
        return { kind: 'ended', exitCode: await run(quiet(signal), optionsOf(order)) };
      } catch (error) {
        if (error instanceof ArgusError && error.exitCode >= 2)
          return { kind: 'refused', code: error.code, message: error.message };
        throw error;
      }
    },
    async propose(order, signal) {
      const { run } = await import('../commands/failover.ts');
      const printed: string[] = [];
      const context = { ...quiet(signal), print: (text: string) => void printed.push(text) };
      try {
        await run(context, { ...optionsOf(order), dryRun: true });
      } catch (error) {
        // What refuses even a plan stands in its way.
        if (error instanceof ArgusError && error.exitCode === 3) return [{ code: error.code, message: error.message }];
        throw error;
      }
      const { blockers } = JSON.parse(printed.join('')) as {
        readonly blockers: readonly { code: string; message: string }[];
      };
      return blockers.map(({ code, message }) => ({ code, message }));
    },
  };
}
