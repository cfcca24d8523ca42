import { type Html, html } from '../../domain/html.ts';
import { formatMs } from '../../health/render-status.ts';
import type { StatusView } from '../../health/status-view.ts';
import type { BoardFacts } from './board.ts';
import { ago, coarse, count, type Tone } from './parts.ts';
import type { RunView } from './run-view.ts';

interface Said {
  readonly tone: Tone;
  readonly say: string;
  readonly more: string;
}

/** A status that is older says nothing of now. */
const staleMs = 60_000;

/** How things are in one sentence, and in the four numbers that a lead asks for. */
export function summary(facts: BoardFacts, nowMs: number): Html {
  const { tone, say, more } = headline(facts, nowMs);
  const { status } = facts;
  const looked = status && html` <span class="soft">Looked at ${ago(status.atMs, nowMs)} ago.</span>`;
  return html`<div class="card hero ${tone}"><p class="say">${say}</p><p class="more">${more}${looked}</p></div>${status && tiles(status, facts, nowMs)}`;
}

/** What matters most now: a run under way, then what nobody knows, then what is wrong. Pure. */
export function headline({ status, runs, standing }: BoardFacts, nowMs: number): Said {
  const run = runs.find((r) => r.status === 'running');
  if (run) return underWay(run);
  if (status === undefined)
    return { tone: 'info', say: 'Looking at both regions', more: 'The first look takes a few seconds.' };
  if (nowMs - status.atMs > staleMs) {
    return {
      tone: 'warn',
      say: 'Nobody has looked lately',
      more: `What follows is ${coarse(nowMs - status.atMs)} old.`,
    };
  }
  const { primary, standby, replication } = status.roles;
  const interrupted = runs[0]?.status === 'interrupted' ? runs[0] : undefined;
  if (interrupted) {
    const more = interrupted.hint ?? `Nobody is at ${interrupted.run}: go on with it, or give it up.`;
    return { tone: 'bad', say: `A ${interrupted.runbook} was interrupted`, more };
  }
  const critical = standing.verdicts?.find((v) => v.severity === 'critical');
  if (critical) return { tone: 'bad', say: wordsOf(critical.code), more: critical.sentence };
  if (!status.healthy) {
    const dark = status.daemon.primaryDarkSinceMs;
    const more =
      dark === undefined
        ? 'Something of it does not answer as it should.'
        : `It is dark since ${coarse(nowMs - dark)}.`;
    return { tone: 'bad', say: `${primary} is the primary, and not well`, more };
  }
  if (replication === 'suspended') {
    const more = `Nothing is mirrored to ${standby}: there is no second copy until a failback.`;
    return { tone: 'warn', say: `${primary} serves alone`, more };
  }
  const [blocker, ...others] = status.blockers;
  if (blocker) {
    const rest = others.length > 0 ? ` And ${others.length} more below.` : '';
    return {
      tone: 'bad',
      say: `${primary} serves, but ${standby} could not take over`,
      more: `${blocker.sentence}.${rest}`.replace('..', '.'),
    };
  }
  const warned = status.warnings.length + (standing.verdicts?.filter((v) => v.severity === 'warning').length ?? 0);
  const more =
    warned > 0
      ? `Nothing blocks a failover; ${warned === 1 ? 'one warning' : `${warned} warnings`} below.`
      : 'Nothing blocks a failover.';
  return { tone: warned > 0 ? 'warn' : 'ok', say: `${primary} serves, ${standby} is ready to take over`, more };
}

function underWay(run: RunView): Said {
  const at = run.steps.find((s) => s.status === 'started');
  const ended = run.steps.filter((s) => s.status !== 'waiting' && s.status !== 'started').length;
  const which = `Step ${Math.min(ended + 1, run.steps.length)} of ${run.steps.length}`;
  const begun = run.reason === undefined ? `Begun by ${run.by}.` : `Begun by ${run.by}: ${run.reason}.`;
  return { tone: 'info', say: `A ${run.runbook} is under way`, more: `${which}${at ? `: ${at.title}` : ''}. ${begun}` };
}

/** `PrimaryDead` → `Primary dead` */
export function wordsOf(code: string): string {
  const words = code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function tiles(status: StatusView, { standing }: BoardFacts, nowMs: number): Html {
  const { readiness } = standing;
  const lags = status.mirror.flatMap((m) => m.lagMs ?? []);
  const unknownLag = status.mirror.some((m) => m.lagMs === undefined);
  const points = status.recoveryPoints;
  const oldest =
    points.length > 0 && points.every((p) => p.ageMs !== undefined)
      ? Math.max(...points.map((p) => p.ageMs ?? 0))
      : undefined;
  const isMirrored = status.roles.replication !== 'suspended';
  const point = oldest === undefined ? 'none usable' : html`${ago(status.atMs - oldest, nowMs)} old`;
  const jobs = html`${points.length === 1 ? 'one job' : `${points.length} jobs`}`;
  const loss = lossOf(status);
  return html`<dl class="tiles">
${tile('RTO, if the primary failed now', readiness?.rtoMs === undefined ? 'not measured yet' : `about ${formatMs(readiness.rtoMs)}`, readiness && html`judged ${ago(readiness.atMs, nowMs)} ago`)}
${tile('RPO, in records lost', loss.value, html`${loss.note}`)}
${tile('Mirror lag, worst topic', lags.length === 0 ? 'unknown' : formatMs(Math.max(...lags)), unknownLag && lags.length > 0 ? html`of some topics it is not known` : undefined)}
${tile('Recovery point, oldest job', isMirrored ? point : 'nothing is mirrored', isMirrored ? jobs : undefined)}
</dl>`;
}

function tile(name: string, value: string | Html, note: Html | undefined): Html {
  const words = typeof value === 'string' && !/\d/.test(value);
  return html`<div class="card tile"><dt>${name}</dt><dd class="${words ? 'words' : ''}">${value}${note && html`<small>${note}</small>`}</dd></div>`;
}

function lossOf(status: StatusView): { readonly value: string; readonly note: string } {
  const losses = status.wouldLose;
  if (losses.length === 0) return { value: 'unknown', note: 'nothing is mirrored, or offsets are not kept' };
  if (losses.some((l) => l.records === undefined)) return { value: 'unknown', note: 'of some topics nobody can tell' };
  const records = losses.reduce((sum, l) => sum + (l.records ?? 0), 0);
  const ms = Math.max(0, ...losses.map((l) => l.ms ?? 0));
  const note = records === 0 ? 'both logs end alike' : `made within ${formatMs(ms)}`;
  return losses.some((l) => l.estimated)
    ? { value: `about ${count(records)}`, note: `estimated; ${note}` }
    : { value: count(records), note };
}
