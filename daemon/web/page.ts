import { html } from '../../domain/html.ts';
import type { BoardFacts } from './board.ts';
import { drills } from './drills-card.ts';
import { regions } from './regions.ts';
import { lag, points } from './replication.ts';
import { runs } from './runs-card.ts';
import { standing } from './standing-card.ts';
import { summary } from './summary.ts';

export interface PageOptions {
  readonly nowMs: number;
  readonly objectiveRpoMs: number;
}

/** The page's parts by the ids of their elements, in order: what the stream sends anew when it has changed. */
export function pageSections(
  facts: BoardFacts,
  { nowMs, objectiveRpoMs }: PageOptions,
): Readonly<Record<string, string>> {
  const underWay = facts.runs[0]?.status === 'running' || facts.runs[0]?.status === 'interrupted';
  const parts = {
    summary: summary(facts, nowMs),
    // What goes on now is what everybody looks for.
    ...(underWay ? { now: runs(facts, nowMs) } : { now: html`` }),
    standing: standing(facts, nowMs),
    regions: regions(facts),
    lag: lag(facts, nowMs, objectiveRpoMs),
    points: points(facts, nowMs),
    runs: underWay ? html`` : runs(facts, nowMs),
    drills: drills(facts, nowMs),
  };
  return Object.fromEntries(Object.entries(parts).map(([id, part]) => [id, part.html]));
}

/** The whole page. Without scripts it is as true, and loads itself anew. */
export function renderPage(facts: BoardFacts, options: PageOptions): string {
  const sections = Object.entries(pageSections(facts, options)).map(
    ([id, part]) => html`<section id="${id}">${{ html: part }}</section>`,
  );
  const titleOf = facts.status ? `${facts.status.roles.primary} → ${facts.status.roles.standby}` : 'starting';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Argus: ${titleOf}</title>
<link rel="stylesheet" href="page.css">
<noscript><meta http-equiv="refresh" content="5"></noscript>
<script src="page.js" defer></script>
</head>
<body data-now="${options.nowMs}">
<div class="page">
<a class="skip" href="#main">To what is shown</a>
<header><h1>Argus</h1><p class="live" id="live" role="status">As of ${new Date(options.nowMs).toISOString().slice(11, 19)} UTC</p></header>
<main id="main" tabindex="-1">
${sections}
</main>
<footer><a href="api/v1/status">Status as JSON</a><a href="api/v1/openapi.json">OpenAPI</a><a href="metrics">Metrics</a></footer>
</div>
</body>
</html>
`.html;
}
