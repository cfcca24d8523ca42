import type { NotifyTopic } from '../../domain/notify-config.ts';
import { textIn } from '../../state/json-parts.ts';
import type { DaemonEvent } from '../events.ts';
import { type ReportedLoss, reportedLoss } from '../run-news.ts';

export type MessageSeverity = 'info' | 'warning' | 'critical';

/** What people are told of an event. */
export interface Message {
  readonly topic: NotifyTopic;
  /** The matter: everything that is said about it has the same. */
  readonly key: string;
  /** `open`: somebody has to look, until `closed`. `note`: nobody has to. */
  readonly state: 'open' | 'closed' | 'note';
  readonly severity: MessageSeverity;
  readonly title: string;
  readonly lines: readonly string[];
  readonly atMs: number;
  readonly event?: DaemonEvent;
}

const proposal = 'proposal';

/** What an event is to people, the most important first; empty: nobody is told. Pure. */
export function messagesOf(event: DaemonEvent): readonly Message[] {
  const { atMs } = event;
  switch (event.kind) {
    case 'verdict-changed': {
      if (!event.notify) return [];
      const { code, subject, sentence } = event;
      const what = subject === undefined ? code : `${code} (${subject})`;
      const matter = { topic: 'verdicts', key: `verdict/${code}/${subject ?? ''}`, atMs, event } as const;
      return event.change === 'raised'
        ? [{ ...matter, state: 'open', severity: severityOf(event.severity), title: what, lines: [sentence] }]
        : [{ ...matter, state: 'closed', severity: 'info', title: `${what} is over`, lines: [sentence] }];
    }
    case 'decision-changed': {
      if (event.decision === 'idle') return [];
      // What a run left behind is for a person to end.
      const urgent = event.decision === 'act' || event.reasons.some((r) => r.code === 'RunCutOff');
      const severity = urgent ? 'critical' : event.decision === 'advise' ? 'warning' : 'info';
      const lines = [event.sentence, ...event.reasons.map((r) => `- ${r.message} (${r.code})`)];
      const title = `Automatic mode: ${{ act: 'it acts', advise: 'it asks', wait: 'it waits' }[event.decision]}`;
      return [{ topic: 'decisions', key: 'decision', state: 'note', severity, title, lines, atMs, event }];
    }
    case 'failover-proposed': {
      const { from, to, sentence, command, blockers } = event;
      const title = `A failover is proposed: ${from} to ${to}`;
      const lines = [sentence, `Begin it with: ${command}`, ...blockers.map((b) => `- ${b.message} (${b.code})`)];
      return [{ topic: 'decisions', key: proposal, state: 'open', severity: 'critical', title, lines, atMs, event }];
    }
    case 'drill-announced': {
      const { slot, sentence, command } = event;
      const lines = [sentence, `Agree with: ${command}`];
      const title = 'A drill waits for your word';
      return [{ topic: 'runs', key: `drill/${slot}`, state: 'note', severity: 'warning', title, lines, atMs, event }];
    }
    case 'drill-skipped': {
      const { slot, sentence } = event;
      const title = `A drill did not take place as it should: ${slot}`;
      return [
        {
          topic: 'runs',
          key: `drill/${slot}`,
          state: 'note',
          severity: 'warning',
          title,
          lines: [sentence],
          atMs,
          event,
        },
      ];
    }
    case 'run-started': {
      const { run, runbook, by, reason, from, to } = event;
      const route = from === undefined || to === undefined ? '' : `: ${from} to ${to}`;
      const lines = [`Begun by ${by}.`, ...(reason === undefined ? [] : [`Reason: ${reason}`]), `Run ${run}`];
      const severity = runbook === 'failover' ? 'warning' : 'info';
      const title = `A ${runbook} has begun${route}`;
      const begun: Message = { topic: 'runs', key: `run/${run}`, state: 'note', severity, title, lines, atMs, event };
      if (runbook !== 'failover') return [begun];
      const answered = 'A failover was begun';
      return [
        begun,
        { topic: 'decisions', key: proposal, state: 'closed', severity: 'info', title: answered, lines: [], atMs },
      ];
    }
    case 'step-ended': {
      const { run, title: step, status, ms } = event;
      const bad = status === 'failed' || status === 'refused';
      const title = `${step}: ${stepWords[status]} after ${spanOf(ms)}`;
      const severity = bad ? 'warning' : 'info';
      return [
        { topic: 'steps', key: `run/${run}`, state: 'note', severity, title, lines: [`Run ${run}`], atMs, event },
      ];
    }
    case 'run-ended': {
      const { run, runbook, outcome, rtoMs, report } = event;
      const lines = [
        ...(runbook === 'drill' ? [textIn(report, 'verdict') ?? ''].filter((line) => line !== '') : []),
        ...(rtoMs === undefined ? [] : [`RTO ${spanOf(rtoMs)}`]),
        ...(runbook === 'drill' ? [] : lossLines(reportedLoss(report))),
        `argus runs show ${run}`,
      ];
      const kind = runbook === 'drill' ? textIn(report, 'kind') : undefined;
      const matter = { topic: 'runs', key: `trouble/${runbook}${kind ? `/${kind}` : ''}`, lines, atMs, event } as const;
      if (outcome === 'done')
        return [{ ...matter, state: 'closed', severity: 'info', title: `The ${runbook} is done` }];
      const title = `The ${runbook} ${{ failed: 'has failed', refused: 'was refused', interrupted: 'was interrupted' }[outcome]}`;
      return [
        {
          ...matter,
          state: 'open',
          severity: outcome === 'refused' || runbook === 'drill' ? 'warning' : 'critical',
          title,
        },
      ];
    }
    default:
      return event satisfies never;
  }
}

const stepWords = {
  done: 'done',
  already: 'was done already, seen',
  failed: 'failed',
  refused: 'refused',
  compensated: 'taken back',
} as const;

const severityOf = (severity: 'ok' | MessageSeverity): MessageSeverity => (severity === 'ok' ? 'info' : severity);

function lossLines(loss: ReportedLoss | undefined): readonly string[] {
  if (loss === undefined) return [];
  if (loss.proven && (loss.records ?? 0) === 0) return ['RPO 0: nothing was lost, and that is proven'];
  if (loss.records === undefined) return ['RPO unknown: nobody saw what the primary had last'];
  const age = loss.ms === undefined ? '' : `, the oldest ${spanOf(loss.ms)} before the outage`;
  return [`RPO ${loss.records} records${age}${loss.estimated ? ' (estimated)' : ''}`];
}

/** 820 ms, 31.2 s, 4 min 10 s. */
function spanOf(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const s = Math.round(ms / 1_000);
  return `${Math.floor(s / 60)} min ${s % 60} s`;
}
