/** Two replays at the same step, side by side, and what differs between them. */
import { fill, h } from "./dom.js";
import { number, signed } from "./format.js";
import { Player, SMOOTH_UP_TO, clampSpeed } from "./player.js";
import { CompareChart } from "./compare-chart.js";
import { handleKey } from "./keys.js";
import { Transport } from "./transport.js";
import { Viewer } from "./viewer.js";

/**
 * @import { Replay } from "./replay.js"
 * @import { Options } from "./viewer.js"
 * @import { Theme } from "./theme.js"
 */

const PANEL_MS = 110;

/** Shows two replays; the first one's state is the state of both. */
export class Compare {
  /** @param {[Replay, Replay]} replays @param {[string, string]} titles @param {Options} options */
  constructor(replays, titles, options) {
    this.replays = replays;
    this.titles = titles;
    this.options = options;
    this.left = new Viewer(replays[0], { ...options, title: titles[0], compact: true });
    this.right = new Viewer(replays[1], { ...options, title: titles[1], compact: true });
    this.steps = Math.max(replays[0].steps, replays[1].steps);
    this.store = this.left.store;
    this.replay = replays[0];
    this.map = this.left.map;
    this.player = new Player({ steps: this.steps, ready: (step) => replays.every((r) => r.ready(r.clampStep(step))), load: (step) => { for (const r of replays) void r.load(r.clampStep(step)); } });
    this.frame = 0;
    this.panelAt = 0;
    this.stopped = false;
    this.goal = 0;
    this.transport = new Transport(this.steps, {
      toggle: () => this.toggle(), seek: (step) => this.seek(step), move: (by) => this.seek(this.goal + by),
      speed: (speed) => this.store.set({ speed: clampSpeed(speed) }), jump: () => {},
    }, []);
    this.chart = new CompareChart(this);
    this.panel = h("div", { class: "rv-panel rv-pad rv-scroll", tabindex: 0, role: "region", "aria-label": "Differences" });
    this.node = h("div", { class: "rv-root", tabindex: 0, role: "application", "aria-label": "Two replays compared", "data-theme": options.theme },
      h("div", { class: "rv-body" },
        h("div", { class: "rv-main" }, h("div", { class: "rv-halves" }, this.left.node, this.right.node), this.transport.node, this.chart.node),
        h("aside", { class: "rv-side" }, this.panel)));
    this.node.style.setProperty("--rv-height", `${options.height}px`);
    this.node.addEventListener("keydown", (event) => handleKey(event, /** @type {any} */ (this)));
    this.store.listen((changed) => {
      if (changed.has("selected")) this.#mirrorSelection();
      if (changed.has("step") || changed.has("playing") || changed.has("speed")) this.invalidate();
      if (changed.has("playing")) this.player.seek(this.goal);
    });
    this.left.context.seek = (step) => this.seek(step);
    this.observer = new ResizeObserver(() => {
      this.chart.resize(this.chart.node.clientWidth);
      this.invalidate();
    });
    this.observer.observe(this.chart.node);
    this.invalidate();
  }

  get stepNow() {
    return this.goal;
  }

  #mirrorSelection() {
    const { selected } = this.store.state;
    const agent = selected >= 0 && this.left.facts.isAgent[selected] ? this.replays[0].agentIds[selected] : -1;
    const twin = this.replays[1].agents.find((object) => this.replays[1].agentIds[object] === agent) ?? -1;
    this.right.select(agent < 0 ? -1 : twin);
    this.invalidate();
  }

  /** @param {number} step */
  seek(step) {
    this.goal = Math.min(this.steps - 1, Math.max(0, Math.round(step) || 0));
    this.player.seek(this.goal);
    this.left.seek(this.goal);
    this.right.seek(this.goal);
    this.invalidate();
  }

  toggle() {
    const { playing } = this.store.state;
    if (!playing && this.goal >= this.steps - 1) this.seek(0);
    this.store.set({ playing: !playing });
  }

  /** @param {number} by */
  selectNext(by) {
    this.left.selectNext(by);
  }

  /** @param {number} object */
  select(object) {
    this.left.select(object);
  }

  fit() {
    this.left.fit();
    this.right.fit();
  }

  toggleFollow() {
    this.left.toggleFollow();
    if (this.right.store.state.selected >= 0) this.right.toggleFollow();
  }

  jumpChosen() {}

  /** @param {Theme} theme */
  setTheme(theme) {
    this.node.dataset.theme = theme;
    this.left.setTheme(theme);
    this.right.setTheme(theme);
    this.chart.refresh();
    this.invalidate();
  }

  /** @param {Uint8Array} bytes */
  async setSprites(bytes) {
    await Promise.all([this.left.setSprites(bytes), this.right.setSprites(bytes)]);
  }

  invalidate() {
    if (!this.frame && !this.stopped) this.frame = requestAnimationFrame((now) => this.#tick(now));
  }

  /** @param {number} now */
  #tick(now) {
    this.frame = 0;
    const { playing, speed } = this.store.state;
    if (playing) this.#play(now, speed);
    this.chart.draw(this.goal);
    this.transport.update({ step: this.goal, playing: this.store.state.playing, speed });
    if (!playing || now - this.panelAt > PANEL_MS) {
      this.panelAt = now;
      this.#drawPanel();
    }
    if (this.store.state.playing) this.invalidate();
  }

  /** @param {number} now @param {number} speed */
  #play(now, speed) {
    const { step, fraction, ended } = this.player.tick(now, speed);
    this.goal = step;
    const smooth = speed <= SMOOTH_UP_TO && !ended && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const side of [this.left, this.right]) {
      const at = side.replay.clampStep(step);
      side.store.set({ step: at, shown: at, fraction: smooth && at === step ? fraction : 0 });
    }
    if (ended) this.store.set({ playing: false });
  }

  #drawPanel() {
    const [a, b] = [sumsAt(this.left, this.goal), sumsAt(this.right, this.goal)];
    const names = [...new Set([...a.keys(), ...b.keys()])];
    const rows = names.map((name) => {
      const [x, y] = [a.get(name) ?? 0, b.get(name) ?? 0];
      return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, number(x)), h("td", {}, number(y)),
        h("td", { class: y > x ? "rv-good" : y < x ? "rv-bad" : "rv-muted" }, signed(y - x)));
    });
    fill(this.panel, h("h4", {}, "At this step, over all agents"), h("table", { class: "rv-table rv-differences" },
      h("thead", {}, h("tr", {}, h("th", {}), h("th", { scope: "col" }, "left"), h("th", { scope: "col" }, "right"), h("th", { scope: "col" }, "right \u2212 left"))),
      h("tbody", {}, ...rows)));
  }

  stop() {
    this.stopped = true;
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.left.stop();
    this.right.stop();
  }
}

/** @param {Viewer} side @param {number} step @returns {Map<string, number>} Sums over the agents, by what they are of. */
function sumsAt(side, step) {
  const { replay, facts } = side;
  const at = replay.clampStep(step);
  const sums = new Map([["reward so far", 0], ["reward per agent", 0], ["agents alive", 0]]);
  const add = /** @param {string} name @param {number} value */ (name, value) => sums.set(name, (sums.get(name) ?? 0) + value);
  for (const object of replay.agents) {
    add("reward so far", replay.total(object, at));
    add("agents alive", replay.alive.at(object, at) === 0 ? 0 : 1);
  }
  sums.set("reward per agent", (sums.get("reward so far") ?? 0) / Math.max(1, replay.agents.length));
  for (let pair = 0; pair < replay.pairItems.length; pair++) {
    if (facts.isAgent[replay.pairObjects[pair]]) add(facts.itemName(replay.pairItems[pair]), replay.inventory.at(pair, at));
  }
  return sums;
}
