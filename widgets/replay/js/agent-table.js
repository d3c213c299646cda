/** All agents by what they did and earned; a click on a heading sorts, on a row selects. Only rows in view are made. */
import { fill, set, setText } from "../../page/js/dom.js";
import { button, choice, div, h, span } from "./dom.js";
import { gains } from "./events.js";
import { number } from "../../page/js/format.js";
import { ceil, floor, max } from "../../page/js/maths.js";
import { Part } from "./part.js";
import { hasRewards, odd, rewardAt, totalText } from "./rewards.js";

/**
 * @import { Viewer } from "./viewer.js"
 * @typedef {"now" | "final" | "gained"} ItemMode
 * @typedef {object} Column
 * @property {string} title @property {string} hint @property {(object: number) => number} value What is sorted by.
 * @property {(value: number, object: number) => string} text @property {boolean} [wide] Text rather than a number.
 */

const ROW = 28;
const SPARE = 4;
/** @type {Record<ItemMode, string>} */
const MODES = { now: "held now", final: "held at the end", gained: "gained in total" };

export class AgentTable extends Part {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    super(viewer);
    /** @type {ItemMode} */
    this.mode = "now";
    this.sortedBy = "agent";
    this.ascending = true;
    this.order = [...this.replay.agents];
    this.items = this.facts.agentItems();
    this.head = h("tr");
    this.above = h("tr.spacer");
    this.below = h("tr.spacer");
    this.body = h("tbody", {}, this.above, this.below);
    this.scroller = h("div.scroll", { tabindex: 0, role: "region", label: "Agent table", onscroll: () => this.update() },
      h("table.table", { label: "Agents", "aria-rowcount": this.order.length + 1 }, h("thead", {}, this.head), this.body));
    const modes = choice("Items", /** @type {[ItemMode, string][]} */ (Object.entries(MODES)), (mode) => this.#build(mode));
    const bar = h("label.panel-bar", { hidden: this.items.length === 0 }, span("muted", "Items"), modes);
    this.node = div("panel-fill", bar, this.scroller);
    this.refresh();
    this.#build();
  }

  /** @param {ItemMode} [mode] */
  #build(mode = this.mode) {
    this.mode = mode;
    this.columns = [...this.#plainColumns(), ...this.items.map((item) => this.#itemColumn(item))];
    fill(this.head, ...this.columns.map((column) => this.#heading(column)));
    this.update();
  }

  /** @param {Column} column */
  #heading({ title, hint, wide }) {
    const sorted = title !== this.sortedBy ? "none" : this.ascending ? "ascending" : "descending";
    const press = () => {
      this.ascending = title === this.sortedBy ? !this.ascending : wide === true || title === "agent";
      this.sortedBy = title;
      this.#build();
    };
    return h(wide ? "th.left" : "th", { scope: "col", "aria-sort": sorted }, button(title, press, "sort", { title: hint }));
  }

  /** @returns {Column[]} */
  #plainColumns() {
    const { replay, facts } = this;
    const at = /** @param {string} name */ (name) => /** @param {number} object */ (object) => replay.at(name, object, this.shown);
    return [
      { title: "agent", hint: "Agent number", value: (object) => replay.agentIds[object], text: String },
      { title: "doing", hint: "Action at this step", wide: true, value: at("action_id"), text: (_, object) => (replay.here(object, this.shown) ? facts.actionText(object, this.shown) : "dead") },
      ...(hasRewards(replay) ? this.#rewardColumns() : []),
    ];
  }

  /** @returns {Column[]} */
  #rewardColumns() {
    const { replay } = this;
    return [
      { title: "reward", hint: "Reward at this step", value: (object) => replay.at("current_reward", object, this.shown), text: (_, object) => rewardAt(replay, object, this.shown) },
      { title: "total", hint: "Reward up to this step", value: (object) => replay.total(object, this.shown), text: totalText },
      { title: "final", hint: "Reward of the whole episode", value: (object) => replay.field("total_reward").last(object), text: totalText },
    ];
  }

  /** @param {number} item @returns {Column} */
  #itemColumn(item) {
    const { replay, mode } = this;
    const title = this.facts.itemName(item);
    const value = /** @param {number} object */ (object) => {
      const pair = replay.pairsOf(object).find((each) => replay.pairItems[each] === item);
      if (pair === undefined) return 0;
      return mode === "now" ? replay.inventory.at(pair, this.shown) : mode === "final" ? replay.inventory.last(pair) : this.#gained(pair);
    };
    return { title, hint: `${title}: ${MODES[mode]}`, value, text: (amount) => (amount === 0 ? "" : number(amount)) };
  }

  /** @param {number} pair @returns {number} All that was ever gained, as far as the steps are loaded. */
  #gained(pair) {
    const { replay } = this;
    if (!this.gains.has(pair)) this.gains.set(pair, gains(replay, 0, 0, replay.steps, [pair]).reduce((sum, { now, before }) => sum + now - before, 0));
    return this.gains.get(pair) ?? 0;
  }

  refresh() {
    /** @type {Map<number, number>} */
    this.gains = new Map();
  }

  /** Show the current step; rows that stay in view are kept. */
  update() {
    const { columns = [], body, scroller } = this;
    this.#sort();
    const first = max(0, floor(scroller.scrollTop / ROW) - SPARE);
    const rows = this.order.slice(first, first + ceil(max(120, scroller.clientHeight) / ROW) + 2 * SPARE);
    while (body.rows.length > rows.length + 2) body.rows[1].remove();
    while (body.rows.length < rows.length + 2) {
      const row = h("tr", { onclick: () => this.viewer.select(Number(row.dataset.object)) }, ...columns.map(({ wide }) => h(wide ? "td.left" : "td")));
      this.below.before(row);
    }
    this.above.style.height = `${first * ROW}px`;
    this.below.style.height = `${(this.order.length - first - rows.length) * ROW}px`;
    rows.forEach((object, i) => this.#row(body.rows[i + 1], object, first + i + 2));
  }

  #sort() {
    const column = this.columns?.find(({ title }) => title === this.sortedBy);
    const values = new Map(this.order.map((object) => [object, column?.value(object) ?? 0]));
    // What is no finite number stands last, whichever way the others are sorted.
    const rank = /** @param {number} object */ (object) => {
      const value = values.get(object) ?? 0;
      return odd(value) ? Infinity : value * (this.ascending ? 1 : -1);
    };
    this.order.sort((a, b) => rank(a) - rank(b) || this.replay.agentIds[a] - this.replay.agentIds[b]);
  }

  /** @param {HTMLTableRowElement} row @param {number} object @param {number} index */
  #row(row, object, index) {
    set(row, { "data-object": object, "aria-rowindex": index, "aria-selected": String(this.selected === object) });
    this.columns?.forEach(({ text, value }, at) => {
      const cell = row.cells[at];
      if (at === 0 && !cell.firstChild) cell.append(span("dot"), h("span"));
      const [dot, label = cell] = /** @type {any} */ (cell.children);
      if (dot) dot.style.background = this.colour(object);
      setText(label, text(value(object), object));
    });
  }
}
