import { type Html, html } from '../../../domain/html.ts';
import type { Json } from '../../../state/journal.ts';
import { evidenceLines, seenBy } from '../evidence-lines.ts';
import type { ReportModel } from '../model.ts';
import { instant, journalText, timeOfDay } from '../words.ts';
import { section } from './frame.ts';

/** So many lines of what one step saw are on the page; the JSON has all. */
const linesShown = 30;

/** What each step saw, when and by whom. Pure. */
export function evidencePart({ steps }: ReportModel): Html | undefined {
  const seen = seenBy(steps);
  if (seen.length === 0) return undefined;
  const parts = seen.map((s) => {
    const { title, atMs, by, seen: what } = s;
    return html`<div class="evidence"><p class="evidence-head"><b>${title}</b> <span class="soft">seen at ${timeOfDay(atMs)} UTC by ${by}</span></p>${textual(what)}</div>`;
  });
  return section('Evidence', html`<p class="note">What was observed, as it stands in the journal.</p>${parts}`);
}

function textual(json: Json): Html | undefined {
  if (json === null) return html`<p class="soft">nothing but that it is so</p>`;
  const lines = evidenceLines(json);
  const rest = lines.length - linesShown;
  const more = rest > 0 ? html`<p class="note">${rest} more lines, in the JSON</p>` : undefined;
  return html`<pre>${lines.slice(0, linesShown).join('\n')}</pre>${more}`;
}

/** Versions, configuration, and how the journal can be believed. Pure. */
export function recordPart({ journal, versions, configSha256, madeAtMs, run }: ReportModel): Html {
  const lines: readonly (readonly [string, Html | string])[] = [
    ['Journal', journalText(journal)],
    [
      'Carried out by',
      versions.argus === undefined
        ? 'an Argus that did not note its version'
        : `Argus ${versions.argus} on Node ${versions.node ?? ''}`,
    ],
    ...(versions.platform ?? []).map(({ region, text }): readonly [string, string] => [`In ${region}`, text]),
    [
      'Configuration',
      configSha256 === undefined ? 'its hash was not noted' : html`SHA-256 <code>${configSha256}</code>`,
    ],
    ['This report', `made ${instant(madeAtMs)} by Argus ${versions.reportBy}, from the journal of ${run}`],
    [
      'To check it',
      html`<code>argus report verify FILE --public-key KEY</code>: finds any changed byte of this file, and computes the journal's hashes anew`,
    ],
  ];
  return section(
    'Record',
    html`<table><caption>Whose report this is</caption><tbody>${lines.map(([term, what]) => html`<tr><th scope="row">${term}</th><td>${what}</td></tr>`)}</tbody></table>`,
  );
}
