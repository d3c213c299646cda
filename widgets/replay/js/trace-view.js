/** Agents by steps: who did what when, what failed and what it earned. A click jumps there and selects. */
import { FAMILIES, drawGlyph } from "./actions.js";
import { describeLine, lineAt } from "./activity.js";
import { fill, setText } from "../../page/js/dom.js";
import { div, h, iconButton, legendEntry, showTip, span } from "./dom.js";
import { floor, max, min, round, within } from "../../page/js/maths.js";
import { series } from "./palette.js";
import { gains } from "./events.js";
import { Strip } from "./part.js";
import { disc, ink, rect, write } from "./pen.js";
import { odd } from "./rewards.js";
import { GUTTER } from "./timeline-view.js";
import { kindsIn } from "./transport.js";

/**
 * @import { Family } from "./actions.js"
 * @import { Pen } from "./pen.js"
 * @import { Viewer } from "./viewer.js"
 */

const ROW = 18;
const MOST_ROWS = 6;
/** Pixels a step, by zoom; the widest hold a glyph. */
const WIDTHS = [1, 2, 4, 8, 15];
const GLYPHS_FROM = 12;
const RIGHT = 12;
const NO_DATA = -2;

export class TraceView extends Strip {
  start = 0;
  zoom = WIDTHS.length - 1;
  /** The object whose row was last brought into view. */
  revealed = -1;

  /** @param {Viewer} viewer */
  constructor(viewer) {
    super(viewer);
    const agents = this.replay.agents.length;
    this.height = ROW * within(agents, 1, MOST_ROWS);
    this.canvas = h("canvas.trace-canvas", { onclick: (/** @type {MouseEvent} */ event) => this.#click(event),
      onpointermove: (/** @type {MouseEvent} */ event) => this.#hover(event), onpointerleave: () => this.#hover(null),
    });
    this.scroller = h("div.trace-scroll", { tabindex: 0, style: `height:${this.height}px`, role: "img", label: "What each agent did at each step; click to go there", onscroll: () => this.#renew(),
    }, h("div", { style: `height:${agents * ROW}px` }, this.canvas));
    this.legend = div("legend");
    this.node = h("section.trace", { label: "Actions by agent", hidden: agents === 0 },
      div("trace-head", span("heading", "Actions"), this.legend, span("grow"),
        iconButton("minus", "Show more steps", () => this.#widen(-1)), iconButton("plus", "Show fewer steps", () => this.#widen(1))),
      this.scroller, this.tip);
    this.restyle();
  }

  get cell() {
    return WIDTHS[this.zoom];
  }

  /** @returns {number} Steps in view. */
  get columns() {
    return max(1, floor((this.width - GUTTER - RIGHT) / this.cell));
  }

  /** @returns {[number, number]} Steps in view, the last exclusive. */
  get window() {
    return [this.start, min(this.replay.steps, this.start + this.columns)];
  }

  restyle() {
    const { palette } = this;
    const used = new Set(this.facts.actions.map((action) => action.family));
    const families = /** @type {Family[]} */ (Object.keys(FAMILIES)).filter((family) => used.has(family));
    fill(this.legend, ...families.map((family) => legendEntry(`background:${this.#colour(family)}`, FAMILIES[family][1])),
      legendEntry(`border:1.5px solid ${palette.bad}`, "failed"), legendEntry(`background:${palette.gain};height:5px`, "item gain"), legendEntry(`background:${palette.good};height:3px`, "reward"),
      ...(kindsIn(this.replay).includes("odd") ? [legendEntry(`background:${palette.bad};width:4px`, "reward not finite")] : []));
    this.backdrop = null;
  }

  /** @param {Family} family */
  #colour(family) {
    const [hue] = FAMILIES[family];
    return hue < 0 ? this.palette.hairline : series(this.palette, hue);
  }

  /** Draw anew, from another step if given. @param {number} [start] */
  #renew(start = this.start) {
    this.start = within(round(start), 0, max(0, this.replay.steps - this.columns));
    this.backdrop = null;
    this.viewer.invalidate("trace", "timeline");
  }

  /** @param {number} by */
  #widen(by) {
    this.zoom = within(this.zoom + by, 0, WIDTHS.length - 1);
    this.#renew(this.shown - this.columns / 3);
  }

  draw() {
    const { shown, selected } = this;
    const [from, to] = this.window;
    if (shown < from || shown >= to) this.#renew(shown - this.columns / 3);
    if (selected !== this.revealed) this.#reveal(selected);
    const pen = this.startOn(this.canvas);
    ink(pen, this.palette.accent, 1.5);
    pen.strokeRect(GUTTER + (shown - this.start) * this.cell - 0.75, 0.75, this.cell + 0.5, this.height - 1.5);
  }

  /** Scroll the selected agent's row into view. @param {number} selected */
  #reveal(selected) {
    this.revealed = selected;
    this.backdrop = null;
    const top = this.replay.agents.indexOf(selected) * ROW;
    const { scrollTop } = this.scroller;
    if (top >= 0 && (top < scrollTop || top + ROW > scrollTop + this.height)) this.scroller.scrollTop = top - this.height / 2;
  }

  /** @param {Pen} pen */
  drawBackdrop(pen) {
    this.replay.agents.forEach((object, row) => {
      const y = row * ROW - this.scroller.scrollTop;
      if (y > -ROW && y < this.height) this.#drawRow(pen, object, y);
    });
  }

  /** @param {Pen} pen @param {number} object @param {number} y */
  #drawRow(pen, object, y) {
    const { palette, facts, cell } = this;
    const chosen = this.selected === object;
    if (chosen) {
      rect(pen, palette.raised, 0, y, this.width, ROW);
      rect(pen, palette.accent, 0, y, 3, ROW);
    }
    disc(pen, this.colour(object), GUTTER - 13, y + ROW / 2, 3.5);
    write(pen, facts.title(object), GUTTER - 22, y + ROW / 2 + 0.5, chosen ? palette.text : palette.muted, "right", chosen ? "600 12" : "12");
    const [from, to] = this.window;
    const read = /** @param {string} name @param {number} [absent] */ (name, absent = 0) => {
      const values = new Float32Array(to - from).fill(absent);
      this.replay.field(name).runs(object, from, to, (start, end, value) => values.fill(value, start - from, end - from));
      return values;
    };
    const [success, rewards, frozen, alive] = ["action_success", "current_reward", "is_frozen", "alive"].map((name) => read(name));
    const gained = new Set(cell >= 4 ? gains(this.replay, object, from, to).map(({ step }) => step - from) : []);
    const width = cell - (cell >= 4 ? 1 : 0);
    read("action_id", NO_DATA).forEach((id, column) => {
      const x = GUTTER + column * cell;
      if (id === NO_DATA || !alive[column]) return rect(pen, palette.hairline, x, y + ROW / 2, width, 1);
      const action = facts.actions[id];
      const family = action?.family ?? "wait";
      const failed = !success[column] && family !== "wait";
      if (cell >= GLYPHS_FROM) this.#drawCell(pen, family, facts.direction(object, action, from + column), failed, x, y + 1, width);
      else rect(pen, failed ? palette.bad : this.#colour(family), x, y + (failed ? 8 : 3), width, failed ? 4 : ROW - 7);
      if (frozen[column]) rect(pen, palette.cold, x, y + 1, width, 2);
      if (gained.has(column)) rect(pen, palette.gain, x + max(0, width - 5), y + 1, min(5, width), 5);
      if (odd(rewards[column])) rect(pen, palette.bad, x, y, min(width, 4), ROW - 1);
      else if (rewards[column] !== 0) rect(pen, rewards[column] > 0 ? palette.good : palette.bad, x, y + ROW - 3, width, 3);
    });
  }

  /**
   * Draw one action: quiet for what is common (moving, waiting), full colour for the rest, hollow for what failed.
   * @param {Pen} pen @param {Family} family @param {number} direction @param {boolean} failed @param {number} x @param {number} y @param {number} width
   */
  #drawCell(pen, family, direction, failed, x, y, width) {
    const { palette } = this;
    const colour = this.#colour(family);
    const quiet = /move|turn|wait/.test(family);
    pen.beginPath();
    pen.roundRect(x + 0.75, y + 0.75, width - 1.5, ROW - 3.5, 2.5);
    ink(pen, failed ? palette.bad : family === "wait" ? palette.muted : quiet ? colour : palette.onMark, 1);
    pen.fillStyle = colour;
    pen.globalAlpha = family === "wait" ? 0.5 : quiet ? 0.2 : 1;
    if (failed) pen.stroke();
    else pen.fill();
    pen.globalAlpha = 1;
    drawGlyph(pen, family, direction, x + width / 2 - 6, y + 1.5);
  }

  /** @param {MouseEvent} event @returns {{object: number | undefined, step: number, x: number, y: number}} Step -1 where there is none. */
  #cellAt(event) {
    const { offsetX: x, offsetY: y } = event;
    const step = this.start + floor((x - GUTTER) / this.cell);
    return { object: this.replay.agents[floor((y + this.scroller.scrollTop) / ROW)], step: x < GUTTER || step >= this.window[1] ? -1 : step, x, y };
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const { object = -1, step } = this.#cellAt(event);
    this.viewer.select(object);
    if (step >= 0) this.viewer.seek(step);
  }

  /** @param {MouseEvent | null} event */
  #hover(event) {
    const { object, step = -1, x = 0, y = 0 } = event ? this.#cellAt(event) : {};
    const over = object !== undefined && step >= 0;
    if (over) setText(this.tip, describeLine(this.facts.title(object), lineAt(this.facts, object, step)));
    showTip(this.tip, over, x + 12, y + this.scroller.offsetTop - this.tip.offsetHeight - 10, this.width);
  }
}
