/** The time axis: scrubbing, marks of what happened, the reward over time, and a look ahead under the pointer. */
import { fill, set, setText } from "../../page/js/dom.js";
import { curve, groups } from "./curves.js";
import { choice, div, h, onDrag, showTip } from "./dom.js";
import { agentEvents, binOf, binStart, overview, rewardBins } from "./events.js";
import { count, joined, number, plural, signed } from "../../page/js/format.js";
import { max, min, round } from "../../page/js/maths.js";
import { strip } from "./part.js";
import { FAMILY, disc, ink, rect, write } from "./pen.js";
import { hasRewards, odd } from "./rewards.js";
import { series, teamColour } from "./palette.js";
import { extent, stepAt, ticks, xOf } from "./timeline.js";

/**
 * @import { AgentEvents, EventKind } from "./events.js"
 * @import { Pen } from "./pen.js"
 * @import { Viewer } from "./viewer.js"
 * @typedef {{name: string, values: Float64Array, steps: number, colour: string, dash?: number[]}} Line One value a bin.
 */

export const LEFT = 90;
const [RIGHT, RAIL, LANE, CAPTION, CHART, FOOT] = [12, 20, 13, 22, 44, 16];
/** What is chosen over the time axis moves no step. @param {Event} event */
const stop = (event) => event.stopPropagation();

/**
 * @param {Viewer} viewer @param {boolean} full Whether to mark events and to preview steps.
 */
export function timelineView(viewer, full) {
  const { replay, facts, state, store, small } = viewer;
  const reward = overview(replay, "sum");
  const lanes = replay.header.events.filter(([, , colour]) => full && colour);
  const top = RAIL + lanes.length * LANE + CAPTION;
  const bottom = top + CHART;
  const height = bottom + FOOT;
  let hover = -1;
  /** @type {{object: number, events: AgentEvents, rewards: Float64Array} | null} */
  let agent = null;

  const axis = { left: LEFT, width: 1, steps: viewer.steps };
  /** @param {number} step @returns {number} Where it is. */
  const at = (step) => xOf(axis, step);
  const canvas = h("canvas.timeline-canvas");
  const kept = strip(canvas, height, drawBackdrop);
  const preview = small.canvas("preview-map");
  const previewText = h("div");
  const tip = div("tip", preview, previewText);
  const measure = choice("Quantity of the chart", replay.header.quantities, (value) => store.set({ measure: value }));
  const by = choice("Lines of the chart", replay.header.groupings, (value) => store.set({ by: value }));
  by.value = state.by;
  const item = h("span");
  const bar = h("div.chart-bar", { hidden: !full, style: `top:${top - CAPTION}px;left:${LEFT}px`, onpointerdown: stop, onpointermove: stop, onkeydown: stop }, item, measure, by);
  const node = h("div.timeline", { role: "slider", tabindex: 0, style: `height:${height}px`, label: "Step", "aria-valuemax": viewer.steps - 1, onpointerleave: hideTip }, canvas, tip, bar);
  onDrag(node, (x) => {
    hideTip();
    viewer.seek(stepAt(axis, x));
  }, (x) => hoverAt(stepAt(axis, x), x));

  /** @param {EventKind} kind @returns {number[]} Steps at which it happens to the selected agent, or begins to happen to anyone. */
  function stepsOf(kind) {
    const counts = overview(replay, kind);
    return agent?.events[kind] ?? [...counts.keys()].filter((bin) => counts[bin]).map((bin) => binStart(bin, counts.length, replay.steps));
  }

  /** @param {Pen} pen */
  function drawBackdrop(pen) {
    const { selected } = state;
    const { muted } = viewer.inks;
    if (full && facts.isAgent[selected]) agent = { object: selected, events: agentEvents(replay, selected), rewards: rewardBins(replay, selected, reward.length || 1) };
    lanes.forEach(([kind, words, colour], row) => drawLane(pen, kind, kind === "talk" ? words : `${words}s`, viewer.inks[/** @type {"bad"} */ (colour)], RAIL + row * LANE));
    drawChart(pen);
    const y = height - 6;
    for (const step of ticks(axis)) {
      const x = at(step);
      rect(pen, muted, round(x), y - 9, 1, 3);
      write(pen, count(step), x, y, muted, step === 0 ? "left" : x > kept.width - 40 ? "right" : "center");
    }
    write(pen, "step", LEFT - 8, y, muted);
  }

  /** Mark steps on the axis. @param {Pen} pen @param {string} colour @param {number[]} steps @param {number} y @param {number} tall */
  function mark(pen, colour, steps, y, tall) {
    for (const step of steps) rect(pen, colour, round(at(step)) - 1, y, 2, tall);
  }

  /** Mark how often something happened to anyone, and exactly when to the selected agent. @param {Pen} pen @param {EventKind} kind @param {string} words @param {string} colour @param {number} y */
  function drawLane(pen, kind, words, colour, y) {
    const counts = overview(replay, kind);
    const { high } = extent(counts);
    write(pen, words, LEFT - 8, y + LANE / 2 + 0.5, viewer.inks.muted);
    counts.forEach((/** @type {number} */ n, /** @type {number} */ bin) => {
      pen.globalAlpha = (agent ? 0.3 : 1) * (0.4 + 0.6 * (n / high));
      if (n > 0) rect(pen, colour, at(binStart(bin, counts.length, axis.steps)), y + 2, max(1, axis.width / counts.length), LANE - 4);
    });
    pen.globalAlpha = 1;
    mark(pen, colour, agent?.events[kind] ?? [], y, LANE - 1);
  }

  /** @returns {Line[]} The mean of all, of each team, or each agent's, and over it the selected agent's own. */
  function ownLines() {
    const { inks } = viewer;
    const some = groups(facts, state.by, state.shown, state.hidden);
    const line = /** @param {string} name @param {number[]} agents @param {string} colour @returns {Line} */ (name, agents, colour) => ({ name, values: curve(facts, state.measure, agents), steps: replay.steps, colour });
    const coloured = /** @param {number} team @param {number} i */ (team, i) => (state.by === "team" ? teamColour(inks, facts.hue(team)) : state.by === "agent" && some.length <= inks.series.length ? series(inks, i) : inks.muted);
    const lines = some.map(({ name, agents, team }, i) => line(name, agents, coloured(team, i)));
    return agent ? [...lines, line(facts.title(agent.object), [agent.object], inks.text)] : lines;
  }

  /** @param {Pen} pen */
  function drawChart(pen) {
    const { inks, lines = ownLines() } = /** @type {Viewer & {lines?: Line[]}} With lines of two replays instead of one's own. */ (viewer);
    const { left, width } = axis;
    const { low, high } = extent(...lines.map(({ values }) => values));
    const y = /** @param {number} value */ (value) => bottom - ((value - low) / (high - low)) * CHART;
    let right = left + width;
    const rewards = !full || /reward|total/.test(state.measure);
    const lacking = rewards && !hasRewards(replay) ? "no reward is recorded" : lines.some(({ values }) => values.some((value) => value !== 0)) ? "" : rewards ? "no reward" : "none at any step";
    if (lacking) return write(pen, lacking, right, top - 7, inks.muted);
    write(pen, number(high), LEFT - 8, top + 4, inks.muted);
    write(pen, number(low), LEFT - 8, bottom - 4, inks.muted);
    rect(pen, inks.hairline, left, round(y(0)), width, 1);
    for (const each of lines) stroke(pen, each, y);
    // As many names as fit beside what is chosen, the selected agent's first; lines that look alike have none.
    for (const { name, colour } of lines.toReversed()) {
      if (lines.length > 2 && colour === inks.muted) break;
      pen.font = "11" + FAMILY;
      const wide = pen.measureText(name).width + 14;
      if (right - wide < left + bar.offsetWidth) break;
      write(pen, name, right, top - 7, colour);
      right -= wide;
    }
    if (full && rewards) mark(pen, inks.bad, stepsOf("penalty"), bottom - 6, 6);
    if (rewards) markOdd(pen, lines);
  }

  /** Mark where a line ends because a reward is no finite number: no sum goes past it. @param {Pen} pen @param {Line[]} lines */
  function markOdd(pen, lines) {
    const { bad } = viewer.inks;
    const ends = lines.flatMap(({ values, steps }) => [...values.keys()].filter((bin) => odd(values[bin]) && !odd(values[bin - 1] ?? 0)).map((bin) => binStart(bin, values.length, steps)));
    mark(pen, bad, ends, top, CHART);
    if (!ends.length) return;
    const x = at(min(...ends));
    const late = x > LEFT + axis.width / 2;
    write(pen, "reward not finite", x + (late ? -5 : 5), top + 8, bad, late ? "right" : "left");
  }

  /** @param {Pen} pen @param {Line} each @param {(value: number) => number} y */
  function stroke(pen, { values, steps, colour, dash = [] }, y) {
    ink(pen, colour, colour === viewer.inks.muted ? 1 : 1.75);
    pen.lineJoin = "round";
    pen.setLineDash(dash);
    pen.beginPath();
    let before = NaN;
    for (const [bin, value] of [...values, NaN].entries()) {
      const x = at(min(steps - 1, binStart(bin, values.length, steps)));
      // A value holds for its whole bin: where bins are wide, the line has steps, and ends where there is none.
      if (!odd(before) && (values.length < axis.width / 3 || odd(value))) pen.lineTo(x, y(before));
      if (!odd(value)) odd(before) ? pen.moveTo(x, y(value)) : pen.lineTo(x, y(value));
      before = value;
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  /** Draw the rail: what has passed, what the trace strip shows, and the step. @param {Pen} pen @param {number} step */
  function drawHead(pen, step) {
    const { inks } = viewer;
    const { left, width, steps } = axis;
    const [y, x, tall] = [RAIL / 2 - 1, at(step), height - RAIL - FOOT + 4];
    const [from, to] = viewer.trace?.window() ?? [0, 0];
    rect(pen, inks.hairline, left, y - 2, width, 4);
    pen.globalAlpha = 0.55;
    if (to > from && to - from < steps) rect(pen, inks.muted, at(from), y - 4, max(3, at(to) - at(from)), 8);
    pen.globalAlpha = 1;
    rect(pen, inks.accent, left, y - 2, x - left, 4);
    if (hover >= 0) rect(pen, inks.muted, round(at(hover)), RAIL - 4, 1, tall);
    rect(pen, inks.accent, round(x), RAIL - 4, 1.5, tall);
    disc(pen, inks.accent, x, y, 6.5);
  }

  function hideTip() {
    hover = -1;
    showTip(tip, false);
    viewer.invalidate("strips");
  }

  /** @param {number} step @param {number} x */
  function hoverAt(step, x) {
    if (!full) return;
    hover = step;
    setText(previewText, tipText(step));
    preview.hidden = !replay.ready(step);
    if (preview.hidden) replay.load(step);
    else small.draw(preview, step);
    showTip(tip, true, x - tip.offsetWidth / 2, -tip.offsetHeight - 6, kept.width);
    viewer.invalidate("strips");
  }

  /** @param {number} step @returns {string} */
  function tipText(step) {
    const bin = binOf(step, reward.length || 1, replay.steps);
    const sums = /** @type {[number, string][]} */ ([[reward[bin], "all agents"], [agent?.rewards[bin], agent && facts.title(agent.object)]]);
    return joined([`step ${count(step)}`, ...lanes.map(([kind, words]) => overview(replay, kind)[bin] && plural(overview(replay, kind)[bin], words)),
      ...sums.map(([sum, whose]) => sum !== undefined && sum !== 0 && `reward ${odd(sum) ? "not finite" : signed(sum)}, ${whose}`)], "\n");
  }

  return {
    node,
    stepsOf,
    /** @param {number} width */
    resize(width) {
      axis.width = max(1, width - LEFT - RIGHT);
      kept.resize(width);
    },
    /** Forget what was drawn: other colours, another selection, or more steps loaded. */
    refresh() {
      kept.forget();
      agent = null;
      const [held] = / \d+$/.exec(state.measure) ?? [];
      fill(item, held ? viewer.itemEntry(+held, "") : "");
    },
    /** @param {number} step */
    draw(step) {
      if (!kept.width) return;
      drawHead(kept.start(), step);
      set(node, { "aria-valuenow": step, "aria-valuetext": `step ${step} of ${viewer.steps - 1}` });
    },
  };
}
