import { type Html, html } from '../../../domain/html.ts';
import { reportStyle } from './style.ts';

/** A whole page that needs nothing else: no script, no request. `policy` forbids a browser both. Pure. */
export function page(title: string, body: Html): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  return `${
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>${{ html: reportStyle }}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>`.html
  }\n`;
}

/** A column: how its cells are told, and whether they are numbers. */
export interface Column<R> {
  readonly head: string;
  readonly cell: (row: R, index: number) => Html | string;
  readonly number?: true;
}

/** From so many columns on a table is scrolled on a narrow screen rather than squeezed. */
const manyColumns = 5;

/** A table with a caption; its first column heads the rows. Pure. */
export function table<R>(caption: string, columns: readonly Column<R>[], rows: readonly R[]): Html {
  const kind = (c: Column<R>) => (c.number ? 'number' : '');
  const head = columns.map((c) => html`<th scope="col" class="${kind(c)}">${c.head}</th>`);
  const body = rows.map((row, i) => {
    const cells = columns.map((c, k) =>
      k === 0 ? html`<th scope="row">${c.cell(row, i)}</th>` : html`<td class="${kind(c)}">${c.cell(row, i)}</td>`,
    );
    return html`<tr>${cells}</tr>`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table class="${columns.length < manyColumns ? '' : columns.length < 6 ? 'wide' : 'wide very'}"><caption><span>${caption}</span></caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** A part of the page under a heading. Pure. */
export const section = (heading: string, ...parts: readonly (Html | undefined)[]): Html =>
  html`<section><h2>${heading}</h2>${parts}</section>`;

/** Sentences below each other; nothing when there is none. Pure. */
export const list = (lines: readonly string[]): Html | undefined =>
  lines.length === 0 ? undefined : html`<ul class="list">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
