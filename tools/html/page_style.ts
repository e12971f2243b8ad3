/**
 * How the page of a trace looks, in light and dark.
 *
 * @module
 */

const DARK = `
  color-scheme: dark;
  --paper: #15181d; --raised: #1d2127; --ink: #e3e7ec; --dim: #98a2ae;
  --faint: #4a525d; --edge: #2c323a; --red: #ff7b72; --red-paper: #3a1d1d;
  --request-light: 68%; --request-paper: 34% 16%; --chosen: #263247;
  --task: #58a6ff; --hardirq: #f0a33a; --softirq: #d9c04a; --kworker: #c58af9;
`;

/** The style sheet. */
export const PAGE_STYLE: string = `
:root {
  color-scheme: light;
  --paper: #ffffff; --raised: #f5f6f8; --ink: #1b1f24; --dim: #59636e;
  --faint: #b9c0c8; --edge: #d9dee4; --red: #c8201f; --red-paper: #fdeaea;
  --request-light: 38%; --request-paper: 60% 93%; --chosen: #dbe8fb;
  --task: #0b62c4; --hardirq: #a85c00; --softirq: #7d6a00; --kworker: #7b3fc4;
}
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) {${DARK}} }
:root[data-theme=dark] {${DARK}}
* { box-sizing: border-box; }
body {
  margin: 0; height: 100vh; display: grid; background: var(--paper);
  color: var(--ink); font: 13px/1.45 system-ui, sans-serif;
  grid: auto 1fr / 1fr 16px clamp(240px, 26vw, 380px);
}
header {
  grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 6px 14px;
  align-items: center; padding: 8px 14px; background: var(--raised);
  border-bottom: 1px solid var(--edge);
}
header h1 { margin: 0; font-size: 15px; }
header .facts { color: var(--dim); }
header #status { margin-left: auto; color: var(--dim); }
input[type=search] {
  width: 15em; padding: 4px 8px; border: 1px solid var(--edge);
  border-radius: 6px; background: var(--paper); color: inherit; font: inherit;
}
button {
  padding: 3px 9px; border: 1px solid var(--edge); border-radius: 6px;
  background: var(--paper); color: inherit; font: inherit; cursor: pointer;
}
button:hover { border-color: var(--dim); }
:focus-visible { outline: 2px solid var(--task); outline-offset: 1px; }
#trace-view { overflow: auto; position: relative; }
.lanes {
  position: sticky; top: 0; z-index: 3; height: 30px; min-width: 100%;
  background: var(--paper); border-bottom: 1px solid var(--edge);
}
.lane {
  position: absolute; top: 5px; padding: 0 7px; translate: -7px 0;
  border-radius: 5px; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; font-weight: 600; font-size: 12px; line-height: 20px;
  color: var(--lane); background: color-mix(in srgb, var(--lane) 14%, var(--paper));
}
.task { --lane: var(--task); } .hardirq { --lane: var(--hardirq); }
.softirq { --lane: var(--softirq); } .kworker { --lane: var(--kworker); }
.rows { position: relative; min-width: 100%; cursor: default; }
.row {
  position: absolute; left: 0; right: 0; height: 22px; line-height: 22px;
  white-space: nowrap; --own: hsl(var(--hue) 62% var(--request-light));
  --back: var(--paper); background: var(--back);
}
.nobody { --own: var(--dim); }
.row.related { --back: hsl(var(--hue) var(--request-paper)); }
.row:hover { box-shadow: inset 0 0 0 1px var(--faint); }
.row.selected { --back: var(--chosen); box-shadow: inset 3px 0 var(--own); }
.row.broken { box-shadow: inset 3px 0 var(--red); }
.row.broken:not(.selected) { --back: var(--red-paper); }
.seq, .time {
  position: absolute; z-index: 2; text-align: right; translate: var(--shift); color: var(--dim);
  font: 11px/22px ui-monospace, monospace;
}
.seq { left: 3px; width: 43px; background: var(--back); }
.time { left: 46px; width: 94px; background: var(--back); }
.dot {
  position: absolute; z-index: 2; top: 7px; width: 8px; height: 8px;
  margin-left: -4px; border-radius: 50%; background: var(--own);
}
.row.key .dot { top: 6px; width: 10px; height: 10px; margin-left: -5px; }
.label {
  position: absolute; z-index: 2; padding: 0 4px; color: var(--dim);
  overflow: hidden; text-overflow: ellipsis;
  text-shadow: 0 0 2px var(--back), 0 0 3px var(--back), 0 0 4px var(--back);
  font: 12px/22px ui-monospace, monospace;
}
.label b { font-weight: 500; color: var(--own); }
.row.key .label b { font-weight: 700; }
.flag {
  margin-left: 8px; padding: 1px 7px; border-radius: 9px; color: var(--paper);
  background: var(--red); font: 600 11px/1 system-ui, sans-serif;
  text-shadow: none;
}
.arrows { position: absolute; z-index: 1; left: 0; pointer-events: none; }
.arrows line { stroke: var(--lane); stroke-width: 1; opacity: .35; }
.arrows rect { fill: hsl(var(--hue) 60% var(--request-light)); opacity: .2; }
.arrows rect.nobody { fill: var(--dim); }
.arrows path {
  fill: none; stroke: hsl(var(--hue) 60% var(--request-light));
  stroke-width: 1.2; opacity: .38;
}
.arrows path.nobody { stroke: var(--dim); }
.arrows path.wake { stroke-dasharray: 3 3; }
.arrows path.focus { opacity: 1; stroke-width: 2; }
#map {
  overflow: hidden; position: relative; border-left: 1px solid var(--edge); cursor: pointer;
  touch-action: none;
}
#map canvas { width: 100%; height: 100%; position: absolute; }
.frame {
  position: absolute; left: 0; right: 0; min-height: 6px;
  border: 1px solid var(--dim); border-radius: 3px;
  background: color-mix(in srgb, var(--dim) 22%, transparent);
}
#panel {
  overflow: auto; padding: 0 14px 24px; border-left: 1px solid var(--edge);
}
#panel h2 { margin: 14px 0 6px; font-size: 14px; }
#panel h3 { margin: 10px 0 4px; font-size: 13px; }
.args {
  display: grid; grid-template-columns: auto 1fr; gap: 1px 12px; margin: 0;
}
.args dt { color: var(--dim); }
.args dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
.links { display: grid; gap: 4px; margin-top: 8px; }
#panel button { text-align: left; overflow-wrap: anywhere; }
.stages button {
  display: grid; grid-template-columns: 1fr auto; gap: 0 8px; width: 100%;
  border: 0; padding: 2px 0; background: none; font-size: 12px;
}
.stages time { font-family: ui-monospace, monospace; color: var(--dim); }
.bar {
  grid-column: 1 / -1; height: 4px; min-width: 2px; border-radius: 2px;
  background: hsl(var(--hue) 60% var(--request-light));
}
.violations.none h2 { color: var(--dim); font-weight: 500; }
.rule {
  margin: 6px 0; padding: 2px 10px 8px; border-left: 3px solid var(--red);
  background: var(--red-paper); border-radius: 0 6px 6px 0;
}
.rule h3 { color: var(--red); overflow-wrap: anywhere; }
.rule p { margin: 2px 0 4px; } .rule .expected { color: var(--dim); }
.rule button { margin: 2px 4px 0 0; padding: 1px 7px; font-size: 12px; }
.requests button {
  display: block; width: 100%; margin: 2px 0; font-size: 12px;
  border-left: 4px solid hsl(var(--hue) 62% var(--request-light));
}
.requests button.current { background: hsl(var(--hue) var(--request-paper)); }
.requests button[aria-pressed=true] { outline: 2px solid var(--task); }
.tip {
  position: fixed; z-index: 9; top: 0; left: 0; max-width: 46ch; padding: 7px 11px;
  border: 1px solid var(--edge); border-radius: 7px; pointer-events: none;
  background: var(--raised); box-shadow: 0 4px 16px #0005; font-size: 12px;
}
.tip em { margin-left: 8px; color: var(--dim); }
.tip .arg { display: grid; grid-template-columns: 9em 1fr; }
.tip .arg span { color: var(--dim); }
.tip code { overflow-wrap: anywhere; }
.tip .of { margin-top: 4px; color: hsl(var(--hue) 62% var(--request-light)); }
dialog {
  border: 1px solid var(--edge); border-radius: 10px; padding: 6px 22px 18px;
  background: var(--raised); color: inherit;
}
dialog::backdrop { background: #0007; }
dialog dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 18px; }
dialog dd { margin: 0; }
kbd {
  padding: 0 5px; border: 1px solid var(--edge); border-radius: 4px;
  background: var(--paper); font: 12px ui-monospace, monospace;
}
@media (max-width: 800px) {
  body { grid: auto 1fr 34vh / 1fr 16px; }
  #panel { grid-column: 1 / -1; border-top: 1px solid var(--edge); }
}
@media (prefers-reduced-motion: no-preference) { .tip { transition: opacity .1s; } }
`;
