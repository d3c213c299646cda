/** Agents by steps: who did what when, what failed and what it earned. A click jumps there and selects. */
import { drawGlyph } from "./actions.js";
import { describeLine, lineAt } from "./activity.js";
import { fill, setText } from "../../page/js/dom.js";
import { div, h, iconButton, legendEntry, showTip, span } from "./dom.js";
import { floor, max, min, round, within } from "../../page/js/maths.js";
import { series } from "./palette.js";
import { gains } from "./events.js";
import { strip } from "./part.js";
import { disc, ink, rect, write } from "./pen.js";
import { odd } from "./rewards.js";
import { LEFT } from "./timeline-view.js";

/**
 * @import { Family } from "./actions.js"
 * @import { Pen } from "./pen.js"
 * @import { Viewer } from "./viewer.js"
 */

const TALL = 18;
const MOST_ROWS = 6;
/** Pixels a step, by zoom; the widest hold a glyph. */
const WIDTHS = [1, 2, 4, 8, 15];
const GLYPHS_FROM = 12;
const RIGHT = 12;
const NO_DATA = -2;

/** @param {Viewer} viewer */
export function traceView(viewer) {
  const { replay, facts, state } = viewer;
  const { agents, steps, header } = replay;
  const height = TALL * within(agents.length, 1, MOST_ROWS);
  let [from, zoom] = [0, WIDTHS.length - 1];
  /** The object whose row was last brought into view. */
  let revealed = -1;

  const canvas = h("canvas.trace-canvas", { onclick: click, onpointermove: hover, onpointerleave: () => showTip(tip, false) });
  const kept = strip(canvas, height, drawBackdrop);
  const tip = div("tip");
  const legend = div("legend");
  const scroller = h("div.trace-scroll", { tabindex: 0, style: `height:${height}px`, role: "img", label: "What each agent did at each step; click to go there", onscroll: () => renew() },
    h("div", { style: `height:${agents.length * TALL}px` }, canvas));
  const node = h("section.trace", { label: "Actions by agent", hidden: !agents.length },
    div("trace-head", span("heading", "Actions"), legend, span("grow"), iconButton("minus", "Show more steps", () => widen(-1)), iconButton("plus", "Show fewer steps", () => widen(1))),
    scroller, tip);
  restyle();

  function restyle() {
    fill(legend, ...header.legend.map(([colour, style, words]) => legendEntry(style + (viewer.inks[/** @type {"bad"} */ (colour)] ?? colourOf(/** @type {number} */ (colour))), words)));
    kept.forget();
  }

  /** @param {number} [hue] */
  function colourOf(hue = -1) {
    return hue < 0 ? viewer.inks.hairline : series(viewer.inks, hue);
  }

  /** @returns {number} Steps in view. */
  const columns = () => max(1, floor((kept.width - LEFT - RIGHT) / WIDTHS[zoom]));

  /** @returns {[number, number]} Steps in view, the last exclusive. */
  const window = () => [from, min(steps, from + columns())];

  /** Draw anew, from another step if given. @param {number} [start] */
  function renew(start = from) {
    from = within(round(start), 0, max(0, steps - columns()));
    kept.forget();
    viewer.invalidate("strips");
  }

  /** @param {number} by */
  function widen(by) {
    zoom = within(zoom + by, 0, WIDTHS.length - 1);
    renew(state.shown - columns() / 3);
  }

  function draw() {
    const { shown, selected } = state;
    const cell = WIDTHS[zoom];
    if (shown < from || shown >= window()[1]) renew(shown - columns() / 3);
    if (selected !== revealed) reveal(selected);
    const pen = kept.start();
    ink(pen, viewer.inks.accent, 1.5);
    pen.strokeRect(LEFT + (shown - from) * cell - 0.75, 0.75, cell + 0.5, height - 1.5);
  }

  /** Scroll the selected agent's row into view. @param {number} selected */
  function reveal(selected) {
    revealed = selected;
    kept.forget();
    const top = agents.indexOf(selected) * TALL;
    const { scrollTop } = scroller;
    if (top >= 0 && (top < scrollTop || top + TALL > scrollTop + height)) scroller.scrollTop = top - height / 2;
  }

  /** @param {Pen} pen */
  function drawBackdrop(pen) {
    agents.forEach((object, row) => {
      const y = row * TALL - scroller.scrollTop;
      if (y > -TALL && y < height) drawRow(pen, object, y);
    });
  }

  /** @param {Pen} pen @param {number} object @param {number} y */
  function drawRow(pen, object, y) {
    const { inks } = viewer;
    const cell = WIDTHS[zoom];
    const chosen = state.selected === object;
    if (chosen) {
      rect(pen, inks.raised, 0, y, kept.width, TALL);
      rect(pen, inks.accent, 0, y, 3, TALL);
    }
    disc(pen, viewer.colour(object), LEFT - 13, y + TALL / 2, 3.5);
    write(pen, facts.title(object), LEFT - 22, y + TALL / 2 + 0.5, chosen ? inks.text : inks.muted, "right", chosen ? "600 12" : "12");
    const to = window()[1];
    const [actions, success, rewards, frozen, alive] = ["action", "action_success", "current_reward", "is_frozen", "alive"].map((name) => {
      const values = new Float32Array(to - from).fill(NO_DATA);
      replay.field(name).runs(object, from, to, (start, end, value) => values.fill(value, start - from, end - from));
      return values;
    });
    const gained = new Set(cell >= 4 ? gains(replay, object, from, to) : []);
    const width = cell - (cell >= 4 ? 1 : 0);
    actions.forEach((id, column) => {
      const x = LEFT + column * cell;
      if (id === NO_DATA || !alive[column]) return rect(pen, inks.hairline, x, y + TALL / 2, width, 1);
      const action = header.actions[id];
      const family = action?.family ?? "wait";
      const failed = !success[column] && family !== "wait";
      if (cell >= GLYPHS_FROM) drawCell(pen, family, colourOf(action?.hue), facts.direction(object, action, from + column), failed, x, y + 1, width);
      else rect(pen, failed ? inks.bad : colourOf(action?.hue), x, y + (failed ? 8 : 3), width, failed ? 4 : TALL - 7);
      if (frozen[column]) rect(pen, inks.cold, x, y + 1, width, 2);
      if (gained.has(from + column)) rect(pen, inks.gain, x + max(0, width - 5), y + 1, min(5, width), 5);
      if (odd(rewards[column])) rect(pen, inks.bad, x, y, min(width, 4), TALL - 1);
      else if (rewards[column] !== 0) rect(pen, rewards[column] > 0 ? inks.good : inks.bad, x, y + TALL - 3, width, 3);
    });
  }

  /**
   * Draw one action: quiet for what is common (moving, waiting), full colour for the rest, hollow for what failed.
   * @param {Pen} pen @param {Family} family @param {string} colour @param {number} direction @param {boolean} failed @param {number} x @param {number} y @param {number} width
   */
  function drawCell(pen, family, colour, direction, failed, x, y, width) {
    const { bad, muted, onMark } = viewer.inks;
    const quiet = /move|turn|wait/.test(family);
    pen.beginPath();
    pen.roundRect(x + 0.75, y + 0.75, width - 1.5, TALL - 3.5, 2.5);
    ink(pen, failed ? bad : family === "wait" ? muted : quiet ? colour : onMark, 1);
    pen.fillStyle = colour;
    pen.globalAlpha = family === "wait" ? 0.5 : quiet ? 0.2 : 1;
    if (failed) pen.stroke();
    else pen.fill();
    pen.globalAlpha = 1;
    drawGlyph(pen, header.glyphs[direction < 0 && family === "move" ? "stuck" : family], direction, x + width / 2 - 6, y + 1.5);
  }

  /** @param {MouseEvent} event @returns {{object: number, step: number}} -1 where there is none. */
  function cellAt({ offsetX, offsetY }) {
    const step = from + floor((offsetX - LEFT) / WIDTHS[zoom]);
    return { object: agents[floor((offsetY + scroller.scrollTop) / TALL)] ?? -1, step: offsetX < LEFT || step >= window()[1] ? -1 : step };
  }

  /** @param {MouseEvent} event */
  function click(event) {
    const { object, step } = cellAt(event);
    viewer.select(object);
    if (step >= 0) viewer.seek(step);
  }

  /** @param {MouseEvent} event */
  function hover(event) {
    const { object, step } = cellAt(event);
    const over = object >= 0 && step >= 0;
    if (over) setText(tip, describeLine(facts.title(object), lineAt(facts, object, step)));
    showTip(tip, over, event.offsetX + 12, event.offsetY + scroller.offsetTop - tip.offsetHeight - 10, kept.width);
  }

  return { node, draw, restyle, window, resize: (/** @type {number} */ width) => kept.resize(width) };
}
