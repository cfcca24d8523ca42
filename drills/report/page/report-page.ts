import { type Html, html } from '../../../domain/html.ts';
import { formatMs } from '../../../health/render-status.ts';
import { seenBy } from '../evidence-lines.ts';
import type { Measured, ReportModel } from '../model.ts';
import { fieldOf } from '../steps-of.ts';
import { bytesText, certaintyText, count, instant, metText, orUnknown, provenText, tone } from '../words.ts';
import { evidencePart, recordPart } from './evidence.ts';
import { list, page, section, table } from './frame.ts';
import { gantt } from './gantt.ts';
import { plotsPart } from './plots.ts';
import { stepsTable } from './steps-table.ts';

/** The report as one HTML file, for screens, light and dark, and for paper. Pure. */
export function reportPage(model: ReportModel): string {
  return page(
    `${model.title} · ${model.run}`,
    html`${hero(model)}${tiles(model)}${findings(model)}${timeline(model)}${plotsPart(model)}${losses(model)}${points(model)}${drillPart(model)}${evidencePart(model)}${recordPart(model)}`,
  );
}

function hero(model: ReportModel): Html {
  const { title, verdict, run, status, by, reason, startedFrom, startedAtMs, endedAtMs } = model;
  const kind = tone(model);
  const from = startedFrom === undefined ? '' : `, logged in from ${startedFrom}`;
  return html`<header><section class="hero ${kind}"><h1>${title} <span class="tag ${kind}">${status}</span></h1><p class="say">${sentence(verdict)}</p><p class="more">${instant(startedAtMs)}, ${formatMs(endedAtMs - startedAtMs)} · run ${run} · ordered by ${by}${from}${reason === undefined ? '' : `: ${reason}`}</p></section></header>`;
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function tiles({ rto, rpo, replayedRecords, share, objectivesOf }: ReportModel): Html | undefined {
  const all = [
    ...(rto === undefined ? [] : [measuredTile('RTO', rto, orUnknown(rto.ms, formatMs))]),
    ...(rpo === undefined ? [] : [measuredTile('RPO', rpo, orUnknown(rpo.ms, formatMs))]),
    ...(rpo === undefined
      ? []
      : [
          tile(
            'Records lost',
            orUnknown(rpo.records, count),
            `${certaintyText(rpo)}; ${orUnknown(rpo.bytes, bytesText)}`,
          ),
        ]),
    ...(replayedRecords === null
      ? []
      : [tile('Records read again', count(replayedRecords), 'from the recovery points on')]),
    ...(share === undefined
      ? []
      : [tile("Argus' own share", formatMs(share.ownMs), `of ${formatMs(share.totalMs)}; the rest waited for others`)]),
  ];
  if (all.length === 0) return undefined;
  const whose =
    objectivesOf === 'run' ? 'as the run noted them when it began' : 'of the configuration of now: the run noted none';
  return section(
    'Summary',
    html`<dl class="tiles">${all}</dl><p class="note">Objectives ${whose}.${[rto, rpo].flatMap((m, i) => (m === undefined ? [] : [` ${i === 0 ? 'RTO' : 'RPO'}: ${m.means}.`]))}</p>`,
  );
}

const tile = (term: string, value: string, more: string | Html): Html =>
  html`<div class="tile"><dt>${term}</dt><dd>${value}<small>${more}</small></dd></div>`;

function measuredTile(term: string, m: Measured, value: string): Html {
  const kind = m.met === null ? 'warn' : m.met ? 'ok' : 'bad';
  const most = m.atMostMs === undefined ? '' : `at most ${formatMs(m.atMostMs)}; `;
  return tile(
    term,
    value,
    html`${most}objective ${formatMs(m.objectiveMs)} <span class="tag ${kind}">${metText(m)}</span>`,
  );
}

function findings({ accepted, causes, hints, related }: ReportModel): Html | undefined {
  const parts = [
    ...(causes.length === 0
      ? []
      : [
          html`<h3>What went wrong</h3>`,
          list(
            causes.map(
              (c) =>
                `${c.code}${c.job === undefined ? '' : ` (${c.job})`}: ${c.message}${c.hint === undefined ? '' : ` — ${c.hint}`}`,
            ),
          ),
        ]),
    ...(accepted.length === 0 ? [] : [html`<h3>What was accepted by whoever ordered it</h3>`, list(accepted)]),
    ...(hints.length === 0
      ? []
      : [html`<h3>What would make it better</h3>`, list(hints.map((h) => sentence(h.sentence)))]),
    ...(related.length === 0
      ? []
      : [
          html`<h3>Other runs of the same move</h3>`,
          list(related.map((r) => `${r.run}, ${instant(r.startedAtMs)}: ${r.relation}`)),
        ]),
  ];
  return parts.length === 0 ? undefined : section('Findings', ...parts);
}

function timeline(model: ReportModel): Html {
  return section(
    'Timeline',
    gantt(model),
    html`<ul class="legend"><li><svg class="swatch" viewBox="0 0 26 8" aria-hidden="true"><rect class="bar done" width="26" height="8"/></svg>at work</li><li><svg class="swatch" viewBox="0 0 26 8" aria-hidden="true"><rect class="bar waited" x="0.5" y="0.5" width="25" height="7"/></svg>waiting for others</li><li>✓ done</li><li>= was so already</li><li>✗ failed</li><li>↶ taken back</li><li>… cut off</li></ul>`,
    stepsTable(model),
  );
}

function losses({ rpo, output, endedAtMs, startedAtMs, runbook }: ReportModel): Html | undefined {
  if ((rpo?.topics.length ?? 0) === 0 && output.length === 0) return undefined;
  const later = rpo?.topics.some((t) => t.countedBy !== undefined) === true;
  const lines =
    rpo && rpo.topics.length > 0
      ? table(
          `RPO by topic: ${rpo.means}`,
          [
            { head: 'Topic', cell: (t) => t.topic },
            {
              head: 'Records',
              number: true,
              cell: (t) =>
                `${orUnknown(t.records, count)}${t.atMostRecords === undefined ? '' : ` (≤ ${count(t.atMostRecords)})`}`,
            },
            { head: 'Bytes', number: true, cell: (t) => orUnknown(t.bytes, bytesText) },
            { head: 'Time', number: true, cell: (t) => orUnknown(t.ms, formatMs) },
            {
              head: 'How it is known',
              cell: (t) => `${certaintyText(t)}${t.countedBy === undefined ? '' : `, by ${t.countedBy}`}`,
            },
            ...(later
              ? [
                  {
                    head: 'Estimated then',
                    number: true as const,
                    cell: (t: (typeof rpo.topics)[number]) => orUnknown(t.estimatedRecords, count),
                  },
                ]
              : []),
          ],
          rpo.topics,
        )
      : undefined;
  const heading = runbook === 'failback' ? 'What was kept' : 'Loss';
  return endedAtMs < startedAtMs ? undefined : section(heading, lines, list(output));
}

function points({ points: used, rejected, replayedRecords }: ReportModel): Html | undefined {
  if (used.length === 0 && rejected.length === 0) return undefined;
  const chosen =
    used.length === 0
      ? undefined
      : table(
          `What the jobs were restored from${replayedRecords === null ? '' : `; ${count(replayedRecords)} records were read again`}`,
          [
            { head: 'Job', cell: (p) => p.job },
            { head: 'Checkpoint', number: true, cell: (p) => String(p.checkpointId) },
            { head: 'Completed', cell: (p) => orUnknown(p.completedAtMs, instant) },
            { head: 'Where', cell: (p) => html`<code>${p.uri}</code>` },
          ],
          used,
        );
  const refused =
    rejected.length === 0
      ? undefined
      : table(
          'Newer ones that were refused, and why',
          [
            { head: 'Job', cell: (r) => r.job },
            { head: 'Checkpoint', number: true, cell: (r) => String(r.checkpointId) },
            { head: 'Reason', cell: (r) => html`<code>${r.code}</code> ${r.message}` },
          ],
          rejected,
        );
  return section('Recovery points', chosen, refused);
}

function drillPart({ comparisons, leaks, faults, legs, steps }: ReportModel): Html | undefined {
  const moves =
    legs === undefined || legs.length === 0
      ? undefined
      : table(
          'The moves that it was made of',
          [
            { head: 'Move', cell: (leg) => `${leg.from} → ${leg.to}` },
            { head: 'RTO', number: true, cell: (leg) => orUnknown(leg.rtoMs, formatMs) },
            { head: 'Producers waited', number: true, cell: (leg) => orUnknown(leg.producersBlockedMs, formatMs) },
            { head: 'Loss', cell: provenText },
            { head: 'Runs', cell: (leg) => leg.runs.join(', ') },
          ],
          legs,
        );
  const compared =
    comparisons === undefined || comparisons.length === 0
      ? undefined
      : table(
          "The drill's output beside production's",
          [
            { head: 'Job', cell: (c) => c.job },
            { head: 'Topic', cell: (c) => c.topic },
            { head: 'Records', number: true, cell: (c) => (c.kind === 'compared' ? count(c.records) : '') },
            { head: 'Missing', number: true, cell: (c) => (c.kind === 'compared' ? count(c.missing) : '') },
            { head: 'Unexpected', number: true, cell: (c) => (c.kind === 'compared' ? count(c.unexpected) : '') },
            { head: 'Differing', number: true, cell: (c) => (c.kind === 'compared' ? count(c.differing) : '') },
            {
              head: 'Against',
              cell: (c) =>
                c.kind === 'compared'
                  ? `${c.against}${c.first === undefined ? '' : `; first: ${c.first}`}`
                  : `not compared: ${c.why}`,
            },
          ],
          comparisons,
        );
  const broken =
    faults === undefined || faults.length === 0
      ? undefined
      : table(
          'What was broken on purpose',
          [
            { head: 'Fault', cell: (f) => f.fault },
            { head: 'Expected', cell: (f) => f.expected },
            { head: 'Seen', cell: (f) => f.seen },
            { head: 'Met', cell: (f) => (f.met ? '✓\u00a0met' : '✗\u00a0not\u00a0met') },
            { head: 'Healed', cell: (f) => (f.healed ? '✓\u00a0healed' : '✗\u00a0not\u00a0healed') },
          ],
          faults,
        );
  const left =
    leaks === undefined
      ? undefined
      : leaks.length === 0
        ? html`<p class="note">Nothing is left of it: ${countedIn(steps)} were counted before and after.</p>`
        : table(
            'What is left of it',
            [
              { head: 'Kind', cell: (l) => l.kind },
              { head: 'Name', cell: (l) => l.name },
            ],
            leaks,
          );
  return [moves, compared, broken, left].every((each) => each === undefined)
    ? undefined
    : section('Drill', moves, compared, broken, left);
}

const alwaysCounted = ['topics', 'groups', 'objects', 'jobs'];
const alsoCounted = { kubernetes: "Kubernetes' objects", acl: 'ACLs', quota: 'quotas', dns: 'DNS records' };

/**
 * What a drill counted: what each of them does, and of the rest what its evidence has a number of. Not DNS where nobody
 * answered for a name.
 */
function countedIn(steps: ReportModel['steps']): string {
  const evidence = seenBy(steps).map((s) => s.seen);
  const seen = evidence.flatMap((e) => [fieldOf(e, 'before'), fieldOf(e, 'after')]);
  const dnsAsked = evidence.every((e) => fieldOf(e, 'dnsNotAsked') === undefined);
  const also = Object.entries(alsoCounted).filter(
    ([kind]) => (kind !== 'dns' || dnsAsked) && seen.some((s) => fieldOf(s, kind) !== undefined),
  );
  const all = [...alwaysCounted, ...also.map(([, name]) => name)];
  return `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`;
}
