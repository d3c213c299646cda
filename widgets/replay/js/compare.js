/** Two replays at the same step, side by side, and what differs between them. */
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
    const halves = this.sides.map((side, i) => h("section.half", { label: this.titles[i] }, h("h3.title", {}, this.titles[i]), side.map.node));
    return this.frameOf("Two replays compared", div("body", div("main", div("halves", ...halves), this.transport.node, this.timeline.node), h("aside.side", {}, this.differences)));
  }

  get lines() {
    return this.sides.map(({ replay }, i) => ({
      name: i ? this.titles[1] : `reward so far, mean of the agents: ${this.titles[0]}`, steps: replay.steps, colour: series(this.palette, i), dash: i ? [6, 3] : [],
      values: runningTotal(overview(replay, "reward"), replay.agents.length),
    }));
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
    const [a, b] = this.sides.map((side) => sumsAt(side, this.stepNow));
    const cells = /** @param {string[]} texts @param {string} [cls] */ (texts, cls = "muted") => texts.map((text, i) => h(i > 1 ? `td.${cls}` : "td", {}, text));
    const rows = [...new Set([...a.keys(), ...b.keys()])].map((name) => {
      const [x, y] = [a.get(name) ?? 0, b.get(name) ?? 0];
      return h("tr", {}, h("th", { scope: "row" }, name), ...cells([...[x, y].map(totalText), odd(y - x) ? "unknown" : signed(y - x)], y > x ? "good" : y < x ? "bad" : "muted"));
    });
    const head = h("tr.muted", {}, h("td"), ...cells(["left", "right", "right \u2212 left"]));
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
  const agents = [...replay.agents];
  const total = agents.reduce((sum, object) => sum + replay.total(object, at), 0);
  const sums = new Map([["reward so far", total], ["reward per agent", total / max(1, agents.length)], ["agents alive", agents.filter((object) => replay.here(object, at)).length]]);
  replay.pairItems.forEach((item, pair) => {
    const name = facts.itemName(item);
    if (facts.isAgent[replay.pairObjects[pair]]) sums.set(name, (sums.get(name) ?? 0) + replay.inventory.at(pair, at));
  });
  return sums;
}
