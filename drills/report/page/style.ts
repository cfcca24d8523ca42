const dark = `
    --ground: #101513; --card: #19201d; --ink: #e8ece9; --soft: #a9b4ae; --edge: #333e38; --stripe: #1e2622;
    --ok: #7fd6a0; --ok-ground: #173223; --bad: #ff9d94; --bad-ground: #401c1a; --warn: #f0c363; --warn-ground: #3a2d10;
    --info: #9cc4f5; --bar: #5d97dd; --wait: #2f5687; --band: #24352d;
    --line-0: #74aef0; --line-1: #f0a067; --line-2: #b99bf0; --line-3: #6fd0a4;`;

/** The report's own style sheet: light and dark, and for A4 on paper. Contrast of all text is 4.5 or more. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f3; --card: #ffffff; --ink: #1b2420; --soft: #56615b; --edge: #d9ddd9; --stripe: #f6f8f6;
  --ok: #17683a; --ok-ground: #e2f2e7; --bad: #a8201a; --bad-ground: #fbe6e4; --warn: #7d5200; --warn-ground: #fdf0d2;
  --info: #1f4f86; --bar: #2c6cb5; --wait: #a9c7e8; --band: #e6efe9;
  --line-0: #1f5fa8; --line-1: #b4541a; --line-2: #6b4aa0; --line-3: #2f7d5b;
}
@media screen and (prefers-color-scheme: dark) { :root {${dark} } }
@media print { :root { color-scheme: light; } }
@page { size: A4; margin: 14mm 12mm 16mm; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1120px; margin: 0 auto; padding: 1.25rem clamp(0.75rem, 3vw, 2rem) 3rem; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
h1, h2, h3, p, ul, dl, dd, pre { margin: 0; padding: 0; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); }
h2 { font-size: 1.125rem; font-weight: 650; margin-bottom: 0.5rem; }
h3 { font-size: 1rem; font-weight: 650; margin-top: 0.75rem; }
ul { list-style: none; }
a { color: var(--info); }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 1rem clamp(0.875rem, 2vw, 1.25rem); min-width: 0; }
.hero { border-left: 6px solid var(--info); display: grid; gap: 0.375rem; }
.hero.ok { border-left-color: var(--ok); } .hero.warn { border-left-color: var(--warn); } .hero.bad { border-left-color: var(--bad); }
.hero .say { font-size: clamp(1.25rem, 3vw, 1.75rem); line-height: 1.25; font-weight: 680; letter-spacing: -0.01em; overflow-wrap: anywhere; }
.hero .more { color: var(--soft); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(10.5rem, 100%), 1fr)); gap: 1rem; }
.tile dt { color: var(--soft); font-size: 0.875rem; }
.tile dd { font-size: 1.625rem; font-weight: 650; line-height: 1.25; }
.tile dd small { display: block; font-size: 0.875rem; font-weight: 400; color: var(--soft); line-height: 1.4; }
.tag { display: inline-block; font-size: 0.8125rem; font-weight: 600; padding: 0.05rem 0.6rem; border-radius: 99px; border: 1px solid var(--edge); color: var(--soft); white-space: nowrap; }
.tag.ok { color: var(--ok); background: var(--ok-ground); border-color: transparent; }
.tag.bad { color: var(--bad); background: var(--bad-ground); border-color: transparent; }
.tag.warn { color: var(--warn); background: var(--warn-ground); border-color: transparent; }
.scroll { overflow-x: auto; container-type: inline-size; } .scroll + .scroll { margin-top: 0.75rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
caption { text-align: left; color: var(--soft); font-size: 0.875rem; padding-bottom: 0.375rem; }
caption span { display: block; position: sticky; left: 0; width: fit-content; max-width: 100cqw; }
@media screen and (max-width: 48rem) { .wide { min-width: 36rem; } .very { min-width: 56rem; } .wide tbody th { width: 11.5rem; } .scroll td code { display: block; min-width: 12rem; } }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 0.8125rem; }
th, td { padding: 0.3rem 0.75rem 0.3rem 0; border-top: 1px solid var(--edge); vertical-align: baseline; }
tbody th { color: var(--ink); font-size: 0.9375rem; font-weight: 500; overflow-wrap: anywhere; min-width: 9rem; }
td { overflow-wrap: break-word; } table:not(.wide) td { overflow-wrap: anywhere; }
.number, thead .number { text-align: right; white-space: nowrap; }
.soft { color: var(--soft); }
.note { color: var(--soft); font-size: 0.875rem; margin-top: 0.375rem; overflow-wrap: anywhere; }
.list { display: grid; gap: 0.375rem; }
.list li { overflow-wrap: anywhere; padding-left: 1.1rem; position: relative; }
.list li::before { content: "•"; position: absolute; left: 0.15rem; color: var(--soft); }
.evidence { border-top: 1px solid var(--edge); padding: 0.5rem 0; }
pre, code { font: 0.8125rem/1.45 ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; color: var(--ink); }
svg { display: block; width: 100%; height: auto; }
.gantt { min-width: 46rem; } .plot { min-width: 36rem; }
.axis { fill: var(--soft); font-size: 12px; } .gantt .axis, .plot .axis { paint-order: stroke; stroke: var(--card); stroke-width: 3px; } .label { fill: var(--ink); font-size: 12.5px; } .label.faint { fill: var(--soft); }
.grid { stroke: var(--edge); } .stripe { fill: var(--stripe); } .band { fill: var(--band); }
.bar { fill: var(--bar); } .bar.already { fill: var(--soft); } .bar.failed, .bar.refused { fill: var(--bad); } .bar.compensated { fill: var(--warn); } .bar.started { fill: var(--warn); }
.bar.waited { fill: var(--wait); stroke: var(--bar); stroke-width: 1; stroke-dasharray: 3 2; }
.mark-done { fill: var(--ok); } .mark-failed, .mark-refused { fill: var(--bad); } .mark-started, .mark-compensated { fill: var(--warn); } .mark-already, .mark-not-run { fill: var(--soft); }
[class^="mark-"] { font-size: 12px; font-weight: 700; }
.limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 6 3; } .limit-text { fill: var(--bad); font-size: 12px; }
.objective { stroke: var(--bad); stroke-dasharray: 5 4; } .mark { stroke: var(--ink); stroke-dasharray: 2 3; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line-0 { stroke: var(--line-0); } .line-1 { stroke: var(--line-1); stroke-dasharray: 7 4; } .line-2 { stroke: var(--line-2); stroke-dasharray: 2 4; } .line-3 { stroke: var(--line-3); stroke-dasharray: 10 3 2 3; }
.dot { stroke: var(--card); stroke-width: 1.5; } .dot-0 { fill: var(--line-0); } .dot-1 { fill: var(--line-1); } .dot-2 { fill: var(--line-2); } .dot-3 { fill: var(--line-3); }
.dot.not-well { fill: var(--card); stroke: var(--bad); stroke-width: 2.5; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; font-size: 0.875rem; color: var(--soft); margin: 0.5rem 0; }
.legend li { display: flex; gap: 0.5rem; align-items: center; }
.swatch { width: 1.75rem; height: 0.5rem; flex: none; } .swatch.shape { width: 1rem; height: 1rem; }
.swatch rect { rx: 1; }
@media print {
  body { background: none; font-size: 10pt; } main { padding: 0; max-width: none; gap: 4mm; }
  section { border-radius: 0; border-width: 1px 0 0; padding: 3mm 0 0; } section.hero { border-left-width: 6px; padding: 0 0 0 4mm; border-top: 0; }
  h1, h3 { font-size: 10.5pt; } h2 { font-size: 12.5pt; } .hero .say { font-size: 16pt; } .note, caption, .legend { font-size: 8.5pt; }
  .scroll { overflow: visible; container-type: normal; } caption span { max-width: none; } .gantt, .plot { min-width: 0; } svg, tr, .evidence-head, .tiles > div { break-inside: avoid; }
  h2, h3, caption, thead, .evidence-head { break-after: avoid; } tbody tr:first-child, .legend { break-before: avoid; }
  table, tbody th { font-size: 9pt; } thead th { font-size: 8.5pt; } th, td { padding-top: 0.8mm; padding-bottom: 0.8mm; } tbody th { min-width: 8.25rem; }
  pre, code { font-size: 8pt; } a { color: inherit; text-decoration: none; }
  .tiles { grid-template-columns: repeat(5, 1fr); gap: 4mm; } .tile dt { font-size: 8.5pt; } .tile dd { font-size: 14pt; } .tile dd small { font-size: 8.5pt; }
}
`;
