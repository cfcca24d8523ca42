/** The page's own style sheet: light and dark, from 320 pixels on. Contrast of all text is 4.5 or more. */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f3; --card: #ffffff; --ink: #1b2420; --soft: #56615b; --edge: #d9ddd9;
  --ok: #17683a; --ok-ground: #e2f2e7; --bad: #a8201a; --bad-ground: #fbe6e4; --warn: #7d5200; --warn-ground: #fdf0d2;
  --info: #1f4f86; --info-ground: #e4edf8;
  --line-0: #1f5fa8; --line-1: #b4541a; --line-2: #6b4aa0; --line-3: #2f7d5b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101513; --card: #19201d; --ink: #e8ece9; --soft: #a3afa8; --edge: #303a35;
    --ok: #7fd6a0; --ok-ground: #173223; --bad: #ff9d94; --bad-ground: #401c1a; --warn: #f0c363; --warn-ground: #3a2d10;
    --info: #9cc4f5; --info-ground: #182c44;
    --line-0: #74aef0; --line-1: #f0a067; --line-2: #b99bf0; --line-3: #6fd0a4;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; font-variant-numeric: tabular-nums; }
.page { max-width: 1200px; margin: 0 auto; padding: 1rem clamp(0.75rem, 3vw, 2rem) 3rem; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: baseline; justify-content: space-between; }
h1, h2, h3, p, ul, ol, dl, dd { margin: 0; padding: 0; }
h1 { font-size: 1rem; letter-spacing: 0.14em; text-transform: uppercase; color: var(--soft); font-weight: 600; }
h2 { font-size: 1.0625rem; font-weight: 650; margin-bottom: 0.75rem; }
h3 { font-size: 1rem; font-weight: 650; }
ul, ol { list-style: none; }
a { color: var(--info); }
:focus-visible { outline: 3px solid var(--info); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--card); padding: 0.5rem 1rem; }
.live { color: var(--soft); font-size: 0.875rem; }
.live.lost { color: var(--bad); font-weight: 600; }
main, section { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
main { margin-top: 0.75rem; }
main:focus { outline: none; }
section:empty { display: none; }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 1rem clamp(0.875rem, 2vw, 1.25rem); min-width: 0; }
.hero { display: grid; gap: 0.25rem; border-left-width: 6px; }
.hero.ok { border-left-color: var(--ok); } .hero.warn { border-left-color: var(--warn); } .hero.bad { border-left-color: var(--bad); } .hero.info { border-left-color: var(--info); }
.hero .say { font-size: clamp(1.375rem, 3.4vw, 2rem); line-height: 1.2; font-weight: 680; letter-spacing: -0.01em; }
.hero .more { color: var(--soft); max-width: 75ch; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); gap: 1rem; }
.tile dt { color: var(--soft); font-size: 0.875rem; }
.tile dd { font-size: 1.625rem; font-weight: 650; line-height: 1.25; }
.tile dd.words { font-size: 1.125rem; }
.tile dd small { display: block; font-size: 0.875rem; font-weight: 400; color: var(--soft); line-height: 1.4; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1rem; }
.head { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: baseline; margin-bottom: 0.5rem; }
.head h2 { margin: 0; }
.tag { font-size: 0.8125rem; font-weight: 600; padding: 0.05rem 0.6rem; border-radius: 99px; border: 1px solid var(--edge); color: var(--soft); white-space: nowrap; }
.tag.ok { color: var(--ok); background: var(--ok-ground); border-color: transparent; }
.tag.bad { color: var(--bad); background: var(--bad-ground); border-color: transparent; }
.tag.warn { color: var(--warn); background: var(--warn-ground); border-color: transparent; }
.tag.info { color: var(--info); background: var(--info-ground); border-color: transparent; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 0.8125rem; white-space: nowrap; }
th, td { padding: 0.375rem 0.75rem 0.375rem 0; border-top: 1px solid var(--edge); vertical-align: baseline; }
tbody th { color: var(--ink); font-size: 0.9375rem; font-weight: 500; white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
thead th { border-top: 0; }
.number, thead .number { text-align: right; white-space: nowrap; padding-right: 1.25rem; }
.soft { color: var(--soft); }
.mark { white-space: nowrap; font-weight: 600; }
.mark::before { display: inline-block; width: 1.25em; }
.mark.ok { color: var(--ok); } .mark.ok::before { content: "\\25CF"; }
.mark.failed { color: var(--bad); } .mark.failed::before { content: "\\2716"; }
.mark.unknown { color: var(--warn); } .mark.unknown::before { content: "?"; }
.says { display: grid; gap: 0.5rem; margin-top: 0.5rem; }
.decided { margin-top: 0.75rem; }
.says li { display: grid; grid-template-columns: auto 1fr; gap: 0.25rem 0.75rem; align-items: baseline; overflow-wrap: anywhere; }
@media (max-width: 34rem) { .says li { grid-template-columns: 1fr; } .says .tag { justify-self: start; } }
svg { display: block; width: 100%; height: auto; }
.chart { min-width: 34rem; }
.grid { stroke: var(--edge); } .axis { fill: var(--soft); font-size: 12px; }
.objective { stroke: var(--bad); stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line-0 { stroke: var(--line-0); } .line-1 { stroke: var(--line-1); stroke-dasharray: 7 4; } .line-2 { stroke: var(--line-2); stroke-dasharray: 2 4; } .line-3 { stroke: var(--line-3); stroke-dasharray: 10 3 2 3; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; font-size: 0.875rem; color: var(--soft); margin: 0.5rem 0 0.75rem; overflow-wrap: anywhere; }
.legend li { display: flex; gap: 0.5rem; align-items: center; }
.swatch { width: 1.5rem; height: 0.5rem; flex: none; }
.steps { margin: 0.75rem 0 0; border-left: 2px solid var(--edge); }
.steps li { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: 0.2rem 0 0.2rem 1.25rem; position: relative; overflow-wrap: anywhere; }
.steps li::before { content: ""; position: absolute; left: -7px; top: 0.72em; width: 8px; height: 8px; border-radius: 50%; border: 2px solid var(--edge); background: var(--card); }
.steps .done::before, .steps .already::before { border-color: var(--ok); background: var(--ok); }
.steps .failed::before, .steps .refused::before { border-color: var(--bad); background: var(--bad); border-radius: 0; }
.steps .started::before { border-color: var(--info); background: var(--info-ground); }
.steps .started { font-weight: 600; }
.steps .waiting { color: var(--soft); }
.steps .why { grid-column: 1 / -1; color: var(--bad); font-size: 0.875rem; font-weight: 400; }
@media (max-width: 30rem) { .steps li { grid-template-columns: minmax(0, 1fr); } }
@media (prefers-reduced-motion: no-preference) {
  .steps .started::before { animation: breathe 1.2s ease-in-out infinite alternate; }
  @keyframes breathe { to { box-shadow: 0 0 0 4px var(--info-ground); } }
}
details { border-top: 1px solid var(--edge); padding: 0.5rem 0; }
details:last-child { padding-bottom: 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary .tag { margin-left: 0.25rem; }
footer { margin-top: 1.5rem; color: var(--soft); font-size: 0.875rem; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; }
@media print { body { background: none; } .card { break-inside: avoid; } }
`;
