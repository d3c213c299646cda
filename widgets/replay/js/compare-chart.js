/** The reward of two replays over the same steps, and the place to scrub both. */
import { h, prepareCanvas } from "./dom.js";
import { count, number } from "./format.js";
import { localPoint } from "./map-view.js";
import { GUTTER } from "./timeline-view.js";
import { extent, runningTotal, stepAt, ticks, xOf } from "./timeline.js";
import { binStart } from "./events.js";
import { series } from "./palette.js";

/**
 * @import { Compare } from "./compare.js"
 * @import { Axis } from "./timeline.js"
 */

const RAIL = 20;
const CHART = 64;
const HEIGHT = RAIL + CHART + 22;

export class CompareChart {
  /** @param {Compare} compare */
  constructor(compare) {
    this.compare = compare;
    this.canvas = h("canvas", { class: "rv-timeline-canvas" });
    this.node = h("div", { class: "rv-timeline", role: "slider", tabindex: 0, "aria-label": "Step of both replays", "aria-valuemin": 0, "aria-valuemax": compare.steps - 1, "aria-valuenow": 0 }, this.canvas);
    this.node.style.height = `${HEIGHT}px`;
    this.width = 0;
    this.lines = compare.replays.map((replay) => runningTotal(replay.base.numbers("overview.reward"), replay.header.agents));
    /** @type {HTMLCanvasElement | null} */
    this.backdrop = null;
    let scrubbing = false;
    const at = /** @param {PointerEvent} event */ (event) => compare.seek(stepAt(this.axis, localPoint(this.node, event).x));
    this.node.addEventListener("pointerdown", (event) => {
      scrubbing = true;
      this.node.setPointerCapture(event.pointerId);
      at(event);
    });
    this.node.addEventListener("pointermove", (event) => { if (scrubbing) at(event); });
    this.node.addEventListener("pointerup", () => { scrubbing = false; });
    this.node.addEventListener("pointercancel", () => { scrubbing = false; });
  }

  /** @returns {Axis} */
  get axis() {
    return { left: GUTTER, width: Math.max(1, this.width - GUTTER - 12), steps: this.compare.steps };
  }

  /** @param {number} width */
  resize(width) {
    this.width = width;
    this.backdrop = null;
  }

  refresh() {
    this.backdrop = null;
  }

  /** @param {number} step */
  draw(step) {
    if (this.width === 0) return;
    const pen = prepareCanvas(this.canvas, this.width, HEIGHT);
    this.backdrop ??= this.#drawBackdrop();
    pen.clearRect(0, 0, this.width, HEIGHT);
    pen.drawImage(this.backdrop, 0, 0, this.width, HEIGHT);
    const palette = this.compare.left.context.palette();
    const x = xOf(this.axis, step);
    pen.fillStyle = palette.accent;
    pen.fillRect(Math.round(x), RAIL - 4, 1.5, CHART + 8);
    pen.beginPath();
    pen.arc(x, RAIL / 2 - 1, 6.5, 0, Math.PI * 2);
    pen.fill();
    this.node.setAttribute("aria-valuenow", String(step));
  }

  #drawBackdrop() {
    const canvas = document.createElement("canvas");
    const pen = prepareCanvas(canvas, this.width, HEIGHT);
    const palette = this.compare.left.context.palette();
    const { axis } = this;
    const { low, high } = extent(...this.lines);
    const bottom = RAIL + CHART;
    const y = /** @param {number} value */ (value) => bottom - ((value - low) / (high - low)) * CHART;
    pen.font = "11px system-ui, -apple-system, 'Segoe UI', sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    pen.fillStyle = palette.muted;
    pen.fillText(number(high), GUTTER - 8, RAIL + 5);
    pen.fillText(number(low), GUTTER - 8, bottom - 4);
    pen.fillText("step", GUTTER - 8, bottom + 11);
    pen.textAlign = "left";
    pen.fillText("reward so far, mean of the agents", GUTTER + 4, RAIL + 5);
    pen.fillStyle = palette.hairline;
    pen.fillRect(axis.left, RAIL / 2 - 3, axis.width, 4);
    pen.fillRect(axis.left, Math.round(y(0)), axis.width, 1);
    this.lines.forEach((line, index) => this.#line(pen, line, index, y));
    pen.fillStyle = palette.muted;
    for (const step of ticks(axis)) {
      pen.textAlign = step === 0 ? "left" : "center";
      pen.fillText(count(step), xOf(axis, step), bottom + 11);
    }
    return canvas;
  }

  /** @param {CanvasRenderingContext2D} pen @param {Float64Array} line @param {number} index @param {(value: number) => number} y */
  #line(pen, line, index, y) {
    const { replays, titles, left } = this.compare;
    const colour = series(left.context.palette(), index);
    const { steps } = replays[index];
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.setLineDash(index === 1 ? [6, 3] : []);
    pen.beginPath();
    for (let bin = 0; bin < line.length; bin++) pen.lineTo(xOf(this.axis, binStart(bin + 1, line.length, steps) - 1), y(line[bin]));
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = colour;
    pen.textAlign = "right";
    pen.fillText(titles[index], this.axis.left + this.axis.width, RAIL + 6 + index * 14, this.axis.width / 3);
  }
}
