/** The time axis: scrubbing, marks of what happened, the reward over time, and a look ahead under the pointer. */
import { set, setText } from "../../page/js/dom.js";
import { h, onDrag, showTip } from "./dom.js";
import { KINDS, agentEvents, binOf, binStart, overview, rewardBins } from "./events.js";
import { count, number, plural, signed } from "../../page/js/format.js";
import { max, min, round } from "../../page/js/maths.js";
import { Strip } from "./part.js";
import { disc, ink, rect, write } from "./pen.js";
import { hasRewards, odd } from "./rewards.js";
import { extent, ratePerStep, stepAt, ticks, xOf } from "./timeline.js";

/**
 * @import { AgentEvents, EventKind } from "./events.js"
 * @import { Pen } from "./pen.js"
 * @import { Viewer } from "./viewer.js"
 * @typedef {{name: string, values: Float64Array, steps: number, colour: string, dash?: number[]}} Line One value a bin.
 */

export const GUTTER = 90;
const [RIGHT, RAIL, LANE, CAPTION, CHART, FOOT] = [12, 20, 13, 16, 44, 16];
/** @type {EventKind[]} */
const LANES = ["gain", "freeze", "death", "talk"];

export class TimelineView extends Strip {
  hover = -1;
  /** Steps that the trace strip shows, marked on the rail. @type {[number, number]} */
  window = [0, 0];
  /** @type {{object: number, events: AgentEvents, rewards: Float64Array} | null} */
  agent = null;

  /** @param {Viewer} viewer @param {boolean} full Whether to mark events and to preview steps. */
  constructor(viewer, full) {
    super(viewer);
    this.full = full;
    this.reward = overview(this.replay, "reward");
    /** Losses nearer to 0 than this are rounding. */
    this.dust = -1e-6 * extent(this.reward).high;
    this.lanes = LANES.filter((kind) => full && overview(this.replay, kind).some((value) => value > 0));
    this.top = RAIL + this.lanes.length * LANE + CAPTION;
    this.height = this.top + CHART + FOOT;
    this.canvas = h("canvas.timeline-canvas");
    this.preview = viewer.small.canvas("preview-map");
    this.previewText = h("div");
    this.tip.append(this.preview, this.previewText);
    this.node = h("div.timeline", { role: "slider", tabindex: 0, style: `height:${this.height}px`, label: "Step", "aria-valuemin": 0, "aria-valuemax": viewer.steps - 1,
      onpointerleave: () => this.#hideTip(),
    }, this.canvas, this.tip);
    onDrag(this.node, (x) => {
      this.#hideTip();
      viewer.seek(stepAt(this.axis, x));
    }, (x) => this.#showTip(stepAt(this.axis, x), x));
  }

  get axis() {
    return { left: GUTTER, width: max(1, this.width - GUTTER - RIGHT), steps: this.viewer.steps };
  }

  /** @param {EventKind} kind @returns {number[]} Steps at which it happens to the selected agent, or begins to happen to anyone. */
  stepsOf(kind) {
    const counts = overview(this.replay, kind);
    const happens = /** @param {number} n */ (n) => (kind === "odd" ? odd(n) : kind === "penalty" ? n < this.dust : n > -this.dust);
    return this.agent?.events[kind] ?? Array.from(counts.keys()).filter((bin) => happens(counts[bin])).map((bin) => binStart(bin, counts.length, this.replay.steps));
  }

  /** Forget what was drawn: other colours, another selection, or more steps loaded. */
  refresh() {
    this.backdrop = this.agent = null;
  }

  /** @param {number} step */
  draw(step) {
    this.#drawHead(this.startOn(this.canvas), step);
    set(this.node, { "aria-valuenow": step, "aria-valuetext": `step ${step} of ${this.viewer.steps - 1}` });
  }

  /** @param {Pen} pen */
  drawBackdrop(pen) {
    const { replay, axis, selected } = this;
    const { muted } = this.palette;
    if (this.full && this.facts.isAgent[selected]) this.agent = { object: selected, events: agentEvents(replay, selected), rewards: rewardBins(replay, selected, this.reward.length || 1) };
    this.lanes.forEach((kind, row) => this.#drawLane(pen, kind, RAIL + row * LANE));
    this.#drawChart(pen);
    const y = this.height - 6;
    for (const step of ticks(axis)) {
      const x = xOf(axis, step);
      rect(pen, muted, round(x), y - 9, 1, 3);
      write(pen, count(step), x, y, muted, step === 0 ? "left" : x > this.width - 40 ? "right" : "center");
    }
    write(pen, "step", GUTTER - 8, y, muted);
  }

  /** Mark how often something happened to anyone, and exactly when to the selected agent. @param {Pen} pen @param {EventKind} kind @param {number} y */
  #drawLane(pen, kind, y) {
    const { axis, palette, agent } = this;
    const [word, , name = "talk"] = KINDS[kind];
    const colour = palette[name];
    const counts = overview(this.replay, kind);
    const { high } = extent(counts);
    write(pen, kind === "talk" ? word : `${word}s`, GUTTER - 8, y + LANE / 2 + 0.5, palette.muted);
    counts.forEach((/** @type {number} */ n, /** @type {number} */ bin) => {
      pen.globalAlpha = (agent ? 0.3 : 1) * (0.4 + 0.6 * (n / high));
      if (n > 0) rect(pen, colour, xOf(axis, binStart(bin, counts.length, axis.steps)), y + 2, max(1, axis.width / counts.length), LANE - 4);
    });
    pen.globalAlpha = 1;
    for (const step of agent?.events[kind] ?? []) rect(pen, colour, round(xOf(axis, step)) - 1, y, 2, LANE - 1);
  }

  /** @returns {Line[]} The agents' mean and, over it, the selected agent's own. */
  #lines() {
    const { palette, agent, replay } = this;
    const line = /** @param {string} name @param {ArrayLike<number>} sums @param {number} share @param {string} colour */ (name, sums, share, colour) =>
      ({ name, values: ratePerStep(sums, replay.steps, share), steps: replay.steps, colour });
    const mean = line(`reward per step, mean of ${plural(replay.agents.length, "agent")}`, this.reward, replay.agents.length, palette.muted);
    return agent ? [mean, line(this.facts.title(agent.object), agent.rewards, 1, palette.accent)] : [mean];
  }

  /** @param {Pen} pen */
  #drawChart(pen) {
    const { axis, palette, top, replay } = this;
    const lines = this.viewer.lines ?? this.#lines();
    const { low, high } = extent(...lines.map(({ values }) => values));
    const bottom = top + CHART;
    const y = /** @param {number} value */ (value) => bottom - ((value - low) / (high - low)) * CHART;
    let right = axis.left + axis.width;
    if (!hasRewards(replay)) return write(pen, "no reward is recorded in this replay", right, top - 7, palette.muted);
    if (lines.every(({ values }) => values.every((value) => value === 0))) return write(pen, "no reward in this replay", right, top - 7, palette.muted);
    write(pen, number(high), GUTTER - 8, top + 4, palette.muted);
    write(pen, number(low), GUTTER - 8, bottom - 4, palette.muted);
    rect(pen, palette.hairline, axis.left, round(y(0)), axis.width, 1);
    for (const each of lines) {
      this.#stroke(pen, each, y);
      write(pen, each.name, right, top - 7, each.colour);
      right -= pen.measureText(each.name).width + 14;
    }
    for (const step of this.full ? this.stepsOf("penalty") : []) rect(pen, palette.bad, round(xOf(axis, step)) - 1, bottom - 6, 2, 6);
    this.#markOdd(pen, lines, top);
  }

  /** Mark where a line ends because a reward is no finite number: no sum goes past it. @param {Pen} pen @param {Line[]} lines @param {number} top */
  #markOdd(pen, lines, top) {
    const { axis, palette } = this;
    const ends = lines.flatMap(({ values, steps }) => [...values.keys()].filter((bin) => odd(values[bin]) && !odd(values[bin - 1] ?? 0)).map((bin) => binStart(bin, values.length, steps)));
    for (const step of ends) rect(pen, palette.bad, round(xOf(axis, step)) - 1, top, 2, CHART);
    if (!ends.length) return;
    const x = xOf(axis, min(...ends));
    const late = x > axis.left + axis.width / 2;
    write(pen, "reward not finite", x + (late ? -5 : 5), top + 8, palette.bad, late ? "right" : "left");
  }

  /** @param {Pen} pen @param {Line} each @param {(value: number) => number} y */
  #stroke(pen, { values, steps, colour, dash = [] }, y) {
    const { axis } = this;
    ink(pen, colour, colour === this.palette.muted ? 1 : 1.75);
    pen.lineJoin = "round";
    pen.setLineDash(dash);
    pen.beginPath();
    let before = NaN;
    for (const [bin, value] of [...values, NaN].entries()) {
      const x = xOf(axis, min(steps - 1, binStart(bin, values.length, steps)));
      // A value holds for its whole bin: where bins are wide, the line has steps, and ends where there is none.
      if (!odd(before) && (values.length < axis.width / 3 || odd(value))) pen.lineTo(x, y(before));
      if (!odd(value)) odd(before) ? pen.moveTo(x, y(value)) : pen.lineTo(x, y(value));
      before = value;
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  /** @param {Pen} pen @param {number} step */
  #drawHead(pen, step) {
    const { axis, palette, hover } = this;
    const [y, x, tall] = [RAIL / 2 - 1, xOf(axis, step), this.height - RAIL - FOOT + 4];
    const [from, to] = this.window;
    rect(pen, palette.hairline, axis.left, y - 2, axis.width, 4);
    pen.globalAlpha = 0.55;
    if (to > from && to - from < axis.steps) rect(pen, palette.muted, xOf(axis, from), y - 4, max(3, xOf(axis, to) - xOf(axis, from)), 8);
    pen.globalAlpha = 1;
    rect(pen, palette.accent, axis.left, y - 2, x - axis.left, 4);
    if (hover >= 0) rect(pen, palette.muted, round(xOf(axis, hover)), RAIL - 4, 1, tall);
    rect(pen, palette.accent, round(x), RAIL - 4, 1.5, tall);
    disc(pen, palette.accent, x, y, 6.5);
  }

  #hideTip() {
    this.hover = -1;
    this.tip.classList.remove("rv-shown");
    this.viewer.invalidate("timeline");
  }

  /** @param {number} step @param {number} x */
  #showTip(step, x) {
    if (!this.full) return;
    this.hover = step;
    setText(this.previewText, this.#tipText(step));
    this.preview.hidden = !this.replay.ready(step);
    if (this.preview.hidden) this.replay.load(step);
    else this.viewer.small.draw(this.preview, step);
    showTip(this.tip, true, x - this.tip.offsetWidth / 2, -this.tip.offsetHeight - 6, this.width);
    this.viewer.invalidate("timeline");
  }

  /** @param {number} step @returns {string} */
  #tipText(step) {
    const { reward, agent } = this;
    const bin = binOf(step, reward.length || 1, this.replay.steps);
    const lines = [`step ${count(step)}`];
    for (const kind of this.lanes) {
      const times = overview(this.replay, kind)[bin];
      if (times) lines.push(plural(times, KINDS[kind][0]));
    }
    if (reward.length && reward[bin] !== 0) lines.push(`reward ${sumText(reward[bin])}, all agents`);
    if (agent && agent.rewards[bin] !== 0) lines.push(`reward ${sumText(agent.rewards[bin])}, ${this.facts.title(agent.object)}`);
    return lines.join("\n");
  }
}

/** @param {number} sum Of rewards. @returns {string} */
function sumText(sum) {
  return odd(sum) ? "not finite" : signed(sum);
}
