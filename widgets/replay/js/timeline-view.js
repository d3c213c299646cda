/** The time axis: scrubbing, marks of what happened, the reward over time, and a look ahead under the pointer. */
import { h, prepareCanvas, setText } from "./dom.js";
import { KIND_WORDS, OVERVIEW, agentEvents, binOf, binStart, rewardBins } from "./events.js";
import { count, number, plural, signed } from "./format.js";
import { localPoint } from "./map-view.js";
import { binsUnder, extent, ratePerStep, runningTotal, stepAt, ticks, xOf } from "./timeline.js";

/**
 * @import { AgentEvents, EventKind } from "./events.js"
 * @import { Axis } from "./timeline.js"
 * @import { SmallMap } from "./small-map.js"
 * @import { Context } from "./viewer.js"
 * @typedef {{mean: Float64Array, agent: Float64Array | null, low: number, high: number}} Lines
 */

export const GUTTER = 78;
const RIGHT = 12;
const RAIL = 20;
const LANE = 11;
const CHART = 46;
const FOOT = 16;
const PREVIEW = 150;
/** @type {EventKind[]} */
const LANES = ["gain", "freeze", "death", "talk"];

export class TimelineView {
  /** @param {Context} context @param {SmallMap} small */
  constructor(context, small) {
    this.context = context;
    this.small = small;
    const { base, header } = context.replay;
    this.lanes = LANES.filter((kind) => this.#overview(kind).some((value) => value > 0));
    this.reward = base.numbers("overview.reward");
    this.chartTop = RAIL + this.lanes.length * LANE + 6;
    this.height = this.chartTop + CHART + FOOT;
    this.canvas = h("canvas", { class: "rv-timeline-canvas" });
    this.preview = h("canvas", { class: "rv-preview-map" });
    this.previewText = h("div", {});
    this.tip = h("div", { class: "rv-tip rv-preview", role: "presentation" }, this.preview, this.previewText);
    this.node = h("div", {
      class: "rv-timeline", role: "slider", tabindex: 0, "aria-label": "Step", "aria-valuemin": 0,
      "aria-valuemax": header.steps - 1, "aria-valuenow": 0,
    }, this.canvas, this.tip);
    this.node.style.height = `${this.height}px`;
    this.width = 0;
    this.hover = -1;
    /** @type {{object: number, events: AgentEvents, rewards: Float64Array} | null} */
    this.agent = null;
    /** @type {HTMLCanvasElement | null} */
    this.backdrop = null;
    /** Steps that the trace strip shows, marked on the rail. @type {[number, number]} */
    this.window = [0, 0];
    this.#listen();
  }

  /** @param {EventKind} kind @returns {import("./wire.js").Numbers} */
  #overview(kind) {
    return this.context.replay.base.numbers(`overview.${OVERVIEW[kind]}`);
  }

  /** @returns {Axis} */
  get axis() {
    return { left: GUTTER, width: Math.max(1, this.width - GUTTER - RIGHT), steps: this.context.replay.steps };
  }

  /** @param {number} width */
  resize(width) {
    this.width = width;
    this.backdrop = null;
  }

  /** Forget what was drawn: other colours, another selection, or more steps loaded. */
  refresh() {
    this.backdrop = null;
    this.agent = null;
  }

  draw() {
    const pen = prepareCanvas(this.canvas, this.width, this.height);
    const { shown, selected, step } = this.context.store.state;
    this.backdrop ??= this.#drawBackdrop(selected);
    pen.clearRect(0, 0, this.width, this.height);
    pen.drawImage(this.backdrop, 0, 0, this.width, this.height);
    this.#drawHead(pen, step !== shown ? step : shown);
    this.node.setAttribute("aria-valuenow", String(step));
    this.node.setAttribute("aria-valuetext", `step ${step} of ${this.context.replay.steps - 1}`);
  }

  /** @param {number} selected */
  #drawBackdrop(selected) {
    const canvas = document.createElement("canvas");
    const pen = prepareCanvas(canvas, this.width, this.height);
    const { facts, replay } = this.context;
    if (selected >= 0 && facts.isAgent[selected]) {
      if (this.agent?.object !== selected) {
        const bins = Math.max(1, this.reward.length);
        this.agent = { object: selected, events: agentEvents(replay, selected), rewards: rewardBins(replay, selected, bins) };
      }
    } else {
      this.agent = null;
    }
    pen.font = "11px system-ui, -apple-system, 'Segoe UI', sans-serif";
    pen.textBaseline = "middle";
    this.#drawLanes(pen);
    this.#drawChart(pen);
    this.#drawTicks(pen);
    return canvas;
  }

  /** @param {CanvasRenderingContext2D} pen */
  #drawLanes(pen) {
    const palette = this.context.palette();
    const { axis } = this;
    const colours = { gain: palette.gain, freeze: palette.cold, death: palette.bad, talk: palette.talk };
    this.lanes.forEach((kind, row) => {
      const y = RAIL + row * LANE;
      const colour = colours[/** @type {keyof typeof colours} */ (kind)];
      pen.fillStyle = palette.muted;
      pen.textAlign = "right";
      pen.fillText(`${KIND_WORDS[kind]}s`.replace("talks", "talk"), GUTTER - 8, y + LANE / 2 + 0.5);
      const counts = this.#overview(kind);
      const top = extent(counts).high;
      pen.fillStyle = colour;
      for (let x = axis.left; x <= axis.left + axis.width; x++) {
        let sum = 0;
        const [first, last] = binsUnder(axis, x, counts.length);
        for (let bin = first; bin <= last; bin++) sum = Math.max(sum, counts[bin]);
        if (sum === 0) continue;
        pen.globalAlpha = (this.agent ? 0.25 : 0.4) + (this.agent ? 0.15 : 0.6) * (sum / top);
        pen.fillRect(x, y + 2, 1, LANE - 4);
      }
      pen.globalAlpha = 1;
      if (this.agent) this.#drawAgentMarks(pen, this.agent.events[kind], y, colour);
    });
  }

  /** @param {CanvasRenderingContext2D} pen @param {number[]} steps @param {number} y @param {string} colour */
  #drawAgentMarks(pen, steps, y, colour) {
    pen.fillStyle = colour;
    for (const step of steps) pen.fillRect(Math.round(xOf(this.axis, step)) - 1, y, 2, LANE - 1);
  }

  /** @returns {Lines} */
  #lines() {
    const { replay, store } = this.context;
    const share = replay.header.agents;
    const rate = store.state.chart === "rate";
    const shape = /** @param {ArrayLike<number>} sums @param {number} by */ (sums, by) =>
      rate ? ratePerStep(sums, replay.steps, by) : runningTotal(sums, by);
    const mean = shape(this.reward, share);
    const agent = this.agent ? shape(this.agent.rewards, 1) : null;
    return { mean, agent, ...extent(mean, agent ?? []) };
  }

  /** @param {CanvasRenderingContext2D} pen */
  #drawChart(pen) {
    const palette = this.context.palette();
    const { axis, chartTop } = this;
    const lines = this.#lines();
    const bottom = chartTop + CHART;
    const y = /** @param {number} value */ (value) => bottom - ((value - lines.low) / (lines.high - lines.low)) * CHART;
    pen.textAlign = "right";
    pen.fillStyle = palette.muted;
    const flat = this.reward.every((value) => value === 0);
    if (flat) {
      pen.fillText("reward", GUTTER - 8, chartTop + CHART / 2);
      pen.textAlign = "left";
      pen.fillText("no reward in this replay", GUTTER + 4, chartTop + CHART / 2);
    } else {
      pen.fillText(number(lines.high), GUTTER - 8, chartTop + 5);
      if (lines.low < 0) pen.fillText(number(lines.low), GUTTER - 8, bottom - 5);
      else pen.fillText("0", GUTTER - 8, bottom - 4);
    }
    pen.strokeStyle = palette.hairline;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(axis.left, Math.round(y(0)) + 0.5);
    pen.lineTo(axis.left + axis.width, Math.round(y(0)) + 0.5);
    pen.stroke();
    if (flat) return;
    this.#trace(pen, lines.mean, y, palette.muted, lines.agent ? 1 : 1.5, lines.agent ? 0.55 : 1);
    if (lines.agent) this.#trace(pen, lines.agent, y, palette.accent, 1.75, 1);
    this.#drawPenalties(pen, bottom);
  }

  /**
   * Draw one value a bin, with the extremes of each pixel column kept.
   * @param {CanvasRenderingContext2D} pen @param {Float64Array} values @param {(value: number) => number} y
   * @param {string} colour @param {number} width @param {number} alpha
   */
  #trace(pen, values, y, colour, width, alpha) {
    const { axis } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.globalAlpha = alpha;
    pen.beginPath();
    const stairs = values.length < axis.width / 3;
    for (let bin = 0; bin < values.length; bin++) {
      const x = xOf(axis, binStart(bin, values.length, axis.steps));
      if (bin === 0) pen.moveTo(x, y(values[0]));
      else if (stairs) pen.lineTo(x, y(values[bin - 1]));
      pen.lineTo(x, y(values[bin]));
    }
    pen.lineTo(axis.left + axis.width, y(values[values.length - 1] ?? 0));
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} bottom */
  #drawPenalties(pen, bottom) {
    const palette = this.context.palette();
    pen.fillStyle = palette.bad;
    const steps = this.agent ? this.agent.events.penalty : negativeBins(this.reward, this.axis.steps);
    for (const step of steps) {
      const x = Math.round(xOf(this.axis, step));
      pen.beginPath();
      pen.moveTo(x - 3.5, bottom - 6);
      pen.lineTo(x + 3.5, bottom - 6);
      pen.lineTo(x, bottom);
      pen.fill();
    }
  }

  /** @param {CanvasRenderingContext2D} pen */
  #drawTicks(pen) {
    const palette = this.context.palette();
    const { axis } = this;
    const y = this.chartTop + CHART + 9;
    pen.fillStyle = palette.muted;
    const labels = ticks(axis);
    labels.forEach((step, index) => {
      const x = xOf(axis, step);
      pen.fillRect(Math.round(x), y - 8, 1, 3);
      pen.textAlign = index === 0 ? "left" : x > axis.left + axis.width - 24 ? "right" : "center";
      pen.fillText(count(step), x, y + 1);
    });
    pen.textAlign = "right";
    pen.fillText("step", GUTTER - 8, y + 1);
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} step */
  #drawHead(pen, step) {
    const palette = this.context.palette();
    const { axis } = this;
    const y = RAIL / 2 - 1;
    const x = xOf(axis, step);
    pen.fillStyle = palette.hairline;
    pen.beginPath();
    pen.roundRect(axis.left, y - 2, axis.width, 4, 2);
    pen.fill();
    const [from, to] = this.window;
    if (to > from && to - from < axis.steps) {
      pen.fillStyle = palette.muted;
      pen.globalAlpha = 0.55;
      pen.fillRect(xOf(axis, from), y - 4, Math.max(3, xOf(axis, to) - xOf(axis, from)), 8);
      pen.globalAlpha = 1;
    }
    pen.fillStyle = palette.accent;
    pen.beginPath();
    pen.roundRect(axis.left, y - 2, Math.max(0, x - axis.left), 4, 2);
    pen.fill();
    if (this.hover >= 0) {
      pen.fillStyle = palette.muted;
      pen.fillRect(Math.round(xOf(axis, this.hover)), RAIL - 4, 1, this.height - RAIL - FOOT + 4);
    }
    pen.fillStyle = palette.accent;
    pen.fillRect(Math.round(x), RAIL - 4, 1.5, this.height - RAIL - FOOT + 4);
    pen.beginPath();
    pen.arc(x, y, 6.5, 0, Math.PI * 2);
    pen.fill();
  }

  #listen() {
    const { node } = this;
    let scrubbing = false;
    const at = /** @param {PointerEvent} event */ (event) => stepAt(this.axis, localPoint(node, event).x);
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      scrubbing = true;
      node.setPointerCapture(event.pointerId);
      this.context.seek(at(event));
      this.#hideTip();
    });
    node.addEventListener("pointermove", (event) => {
      if (scrubbing) this.context.seek(at(event));
      else this.#showTip(at(event), localPoint(node, event).x);
    });
    node.addEventListener("pointerup", () => { scrubbing = false; });
    node.addEventListener("pointercancel", () => { scrubbing = false; });
    node.addEventListener("pointerleave", () => this.#hideTip());
  }

  #hideTip() {
    this.hover = -1;
    this.tip.classList.remove("rv-shown");
    this.context.invalidate("timeline");
  }

  /** @param {number} step @param {number} x */
  #showTip(step, x) {
    this.hover = step;
    setText(this.previewText, this.#tipText(step));
    const { replay } = this.context;
    this.preview.hidden = !replay.ready(step);
    if (!this.preview.hidden) {
      const size = this.small.sizeWithin(PREVIEW);
      this.preview.style.width = `${size.width}px`;
      this.preview.style.height = `${size.height}px`;
      this.small.draw(prepareCanvas(this.preview, size.width, size.height), size, step);
    } else {
      replay.load(step);
    }
    this.tip.classList.add("rv-shown");
    const left = Math.min(Math.max(4, x - this.tip.offsetWidth / 2), this.width - this.tip.offsetWidth - 4);
    this.tip.style.transform = `translate(${left}px, ${-this.tip.offsetHeight - 6}px)`;
    this.context.invalidate("timeline");
  }

  /** @param {number} step @returns {string} */
  #tipText(step) {
    const { replay, facts } = this.context;
    const bins = Math.max(1, this.reward.length);
    const bin = binOf(step, bins, replay.steps);
    const [from, to] = [binStart(bin, bins, replay.steps), binStart(bin + 1, bins, replay.steps) - 1];
    const span = to > from ? `steps ${count(from)} to ${count(to)}` : `step ${count(step)}`;
    const lines = [to > from ? `step ${count(step)} (${span}:)` : span];
    for (const kind of this.lanes) {
      const n = this.#overview(kind)[bin];
      if (n) lines.push(kind === "talk" ? plural(n, "talk line") : plural(n, KIND_WORDS[kind]));
    }
    const { reward } = this;
    if (reward[bin]) lines.push(`reward ${signed(reward[bin])}, all agents`);
    if (this.agent?.rewards[bin]) lines.push(`reward ${signed(this.agent.rewards[bin])}, ${facts.title(this.agent.object)}`);
    return lines.join("\n");
  }
}

/** @param {ArrayLike<number>} sums @param {number} steps @returns {number[]} First steps of bins with a net loss. */
function negativeBins(sums, steps) {
  const found = [];
  for (let bin = 0; bin < sums.length; bin++) if (sums[bin] < 0) found.push(binStart(bin, sums.length, steps));
  return found;
}
