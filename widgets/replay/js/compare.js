/** Two replays at the same step, side by side, and what differs between them. */
import { sumOf } from "./curves.js";
import { fill } from "../../page/js/dom.js";
import { div, h, region, section } from "./dom.js";
import { overview } from "./events.js";
import { signed } from "../../page/js/format.js";
import { max } from "../../page/js/maths.js";
import { series } from "./palette.js";
import { odd, totalText } from "./rewards.js";
import { runningTotal } from "./timeline.js";
import { Viewer } from "./viewer.js";

/**
 * @import { Replay } from "./replay.js"
 * @import { State } from "./store.js"
 * @import { Theme } from "../../page/js/theme.js"
 * @import { Options } from "./viewer.js"
 */

/** The viewer of the left replay; it leads the one of the right. */
export class Compare extends Viewer {
  differences = region("Differences");

  /** @param {Replay[]} replays Two. @param {string[]} titles @param {Options} options */
  constructor(replays, titles, options) {
    super(replays[0], options, replays);
    this.titles = titles;
    this.right = new Viewer(replays[1], options, replays.toReversed());
    /** @type {Viewer[]} */
    this.sides = [this, this.right];
    this.right.store.listeners.add(() => this.invalidate("panel"));
    const [a, b] = replays.map(({ map }) => `${map.width},${map.height}`);
    // Maps of one size are looked at from one place.
    if (a === b) for (const [from, to] of [[this, this.right], [this.right, this]]) from.store.listeners.add(() => to.store.set({ camera: from.state.camera }));
  }

  mount() {
    const halves = this.sides.map((side, i) => h("section.half", { label: this.titles[i] }, h("h3.title", {}, this.titles[i]), side.stage));
    return this.frameOf("Two replays compared", div("body", div("main", div("halves", ...halves), this.transport.node, this.timeline.node), h("aside.side", {}, this.differences)));
  }

  get lines() {
    return this.sides.map(({ replay }, i) => ({ name: i ? "right" : "reward per agent so far: left", steps: replay.steps, colour: series(this.inks, i), dash: i ? [6, 3] : [], values: runningTotal(overview(replay, "sum"), replay.agents.length) }));
  }

  /** @param {(keyof State)[]} changed */
  changed(changed) {
    super.changed(changed);
    const { selected } = this.store.state;
    if (!changed.includes("selected")) return;
    const number = this.facts.isAgent[selected] ? this.replay.agentIds[selected] : -1;
    const { agents, agentIds } = this.right.replay;
    this.right.select(agents.find((object) => agentIds[object] === number) ?? -1);
  }

  /** @param {Theme} theme */
  setTheme(theme) {
    super.setTheme(theme);
    this.right.setTheme(theme);
  }

  drawPanel() {
    const both = this.sides.map((side) => sumsAt(side, this.stepNow));
    const rows = [...new Set(both.flatMap((sums) => [...sums.keys()]))].map((name) => {
      const [x, y] = both.map((sums) => sums.get(name) ?? 0);
      const difference = h(y > x ? "td.good" : y < x ? "td.bad" : "td.muted", {}, odd(y - x) ? "unknown" : signed(y - x));
      return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, totalText(x)), h("td", {}, totalText(y)), difference);
    });
    const head = h("tr.muted", {}, ...["", "left", "right", "right \u2212 left"].map((text) => h("td", {}, text)));
    fill(this.differences, section("At this step, over all agents", h("table.table.differences", {}, h("tbody", {}, head, ...rows))));
  }

  stop() {
    super.stop();
    this.right.stop();
  }
}

/** @param {Viewer} side @param {number} step @returns {Map<string, number>} Sums over the agents, by what they are of. */
function sumsAt({ replay, facts }, step) {
  const at = replay.clampStep(step);
  const all = /** @param {(object: number) => number} read */ (read) => sumOf(replay.agents, read);
  const total = all((object) => replay.total(object, at));
  return new Map([["reward so far", total], ["reward per agent", total / max(1, replay.agents.length)], ["agents alive", all(/** @returns {any} */ (object) => replay.here(object, at))],
    ...replay.header.scored.map((item) => /** @type {[string, number]} */ ([facts.itemName(item), all((object) => replay.held(object, item, at))]))]);
}
