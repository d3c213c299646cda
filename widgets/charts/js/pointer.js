/** What a person does on the plot: dragging zooms or selects runs, a click tells Python which run and where. */
import { fill, make, set } from "../../page/js/dom.js";
import { quantity } from "../../page/js/format.js";
import { nonce, tellPython } from "../../page/js/model.js";
import { nearest, rowOf } from "./data.js";

/**
 * @import { ChartView } from "./chart-view.js"
 * @import { Place } from "./data.js"
 */

const MOVED_PX = 4;
const TIP_PX = 240;

export class Pointer {
  hovered = -1;
  /** @type {{x: number, y: number} | null} Where a drag began, in the window. */
  start = null;
  drag = make("div.chart-drag", { hidden: true });
  tip = make("div.chart-tip", { role: "status", hidden: true });

  /** @param {ChartView} chart */
  constructor(chart) {
    this.chart = chart;
    set(chart.stage, {
      onpointerdown: (/** @type {PointerEvent} */ event) => this.press(event),
      onpointermove: (/** @type {PointerEvent} */ event) => this.move(event),
      onpointerup: (/** @type {PointerEvent} */ event) => this.drop(event),
      onpointercancel: () => this.letGo(), onpointerleave: () => this.point(-1), ondblclick: () => chart.pick && chart.tools.setZoom([]),
    });
    chart.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    chart.stage.append(this.drag, this.tip);
  }

  /** @param {MouseEvent | {clientX: number, clientY: number}} event @returns {Place} */
  place({ clientX, clientY }) {
    const { plot, view } = this.chart;
    const { left, top } = (plot.querySelector("canvas, svg") ?? plot).getBoundingClientRect();
    const [x, y] = view.origin();
    return { x: clientX - left - x, y: clientY - top - y };
  }

  /** @param {"x" | "y"} axis @param {number} from @param {number} to @returns {number[]} Pixels to values, in order. */
  range(axis, from, to) {
    const scale = this.chart.view.scale(axis);
    const ends = scale.range().slice().sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
    const inside = [from, to].map((at) => scale.invert(Math.min(ends[1], Math.max(ends[0], at))));
    return inside.sort((a, b) => a - b);
  }

  /** @param {PointerEvent} event */
  press(event) {
    const { view, pick, stage } = this.chart;
    // Above the plot is the legend: a press that is captured here is no click for Vega, and no arm could be chosen.
    if (!view || !pick || event.button !== 0 || this.place(event).y < 0) return;
    this.start = { x: event.clientX, y: event.clientY };
    stage.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { view, pick, stage, tools } = this.chart;
    if (!view || !pick) return;
    if (!this.start) return this.point(this.under(event), event);
    const whole = stage.getBoundingClientRect();
    const [left, right] = [this.start.x, event.clientX].sort((a, b) => a - b);
    const [top, bottom] = [this.start.y, event.clientY].sort((a, b) => a - b);
    if (right - left < MOVED_PX && bottom - top < MOVED_PX) return;
    this.point(-1);
    this.drag.hidden = false;
    const flat = tools.mode === "zoom";
    this.drag.style.left = `${left - whole.left + stage.scrollLeft}px`;
    this.drag.style.width = `${right - left}px`;
    this.drag.style.top = flat ? "0" : `${top - whole.top}px`;
    this.drag.style.height = flat ? "100%" : `${bottom - top}px`;
  }

  /** @param {PointerEvent} event */
  drop(event) {
    const [start, { view, tools }] = [this.start, this.chart];
    this.letGo();
    if (!start || !view) return;
    const [from, to] = [this.place({ clientX: start.x, clientY: start.y }), this.place(event)];
    const wide = Math.abs(to.x - from.x) >= MOVED_PX;
    if (!wide && Math.abs(to.y - from.y) < MOVED_PX) return this.click(event);
    if (tools.mode === "select") tools.setBrush({ x: this.range("x", from.x, to.x), y: this.range("y", from.y, to.y) });
    else if (wide) {
      const range = this.range("x", from.x, to.x);
      if (range[1] > range[0]) tools.setZoom(range);
    }
  }

  letGo() {
    this.start = null;
    this.drag.hidden = true;
  }

  get points() {
    return this.chart.tables[this.chart.pick?.points ?? ""];
  }

  /** @param {MouseEvent} event @returns {number} Row of the point that is meant; -1 for none. */
  under(event) {
    const { view } = this.chart;
    return this.points ? nearest(this.points, this.place(event), view.scale("x"), view.scale("y")) : -1;
  }

  /** @param {number} number @returns {Record<string, any> | undefined} */
  run(number) {
    const runs = this.chart.tables[this.chart.pick?.runs ?? ""] ?? {};
    const row = (runs.k ?? []).indexOf(number);
    return row < 0 ? undefined : rowOf(runs, row);
  }

  /** @param {number} row @param {MouseEvent} [event] */
  point(row, event) {
    const { points, chart: { view, pick } } = this;
    const number = row < 0 || !points ? -1 : points.k[row];
    if (number !== this.hovered && view) {
      this.hovered = number;
      void view.signal("hovered", number).runAsync();
    }
    this.tip.hidden = number < 0;
    if (number < 0 || !event || !pick) return;
    const run = this.run(number) ?? {};
    const said = /** @param {"x" | "y"} axis */ (axis) => `${pick[axis]} ${quantity(points[axis][row])}`;
    const lines = [said("x"), said("y"), run.state ?? ""].map((line) => make("div", {}, line));
    fill(this.tip, make("b", {}, run.label ?? run.run ?? ""), ...lines);
    this.placeTip(event);
  }

  /** @param {MouseEvent} event */
  placeTip(event) {
    const whole = this.chart.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - whole.left, event.clientY - whole.top];
    const right = x > whole.width - TIP_PX;
    this.tip.style.left = right ? "" : `${x + 14}px`;
    this.tip.style.right = right ? `${whole.width - x + 14}px` : "";
    this.tip.style.top = `${Math.max(0, Math.min(y + 10, whole.height - this.tip.offsetHeight))}px`;
  }

  /** @param {MouseEvent} event Beside every curve it takes the last click back. */
  click(event) {
    const { model } = this.chart;
    const row = this.under(event);
    const run = row < 0 ? "" : this.run(this.points.k[row])?.run ?? "";
    if (!model.get("can_select") || (run === (model.get("clicked").run ?? "") && !run)) return;
    tellPython(model, "clicked", { run, x: run ? this.points.x[row] : 0, nonce: nonce() });
  }

  /** @param {WheelEvent} event Zooms only with a key held: a wheel alone scrolls the page. */
  wheel(event) {
    const { view, pick, tools } = this.chart;
    if (!view || !pick || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const scale = view.scale("x");
    const [low, high] = scale.range();
    const [at, factor] = [this.place(event).x, event.deltaY > 0 ? 1.25 : 0.8];
    const range = [scale.invert(at - (at - low) * factor), scale.invert(at + (high - at) * factor)];
    if (range[0] < range[1]) tools.setZoom(range);
  }
}
