/** All agents by what they did and earned; a click on a heading sorts, on a row selects. Only rows in view are made. */
import { div, fill, h, set, setText, span } from "./dom.js";
import { number, signed } from "./format.js";
import { ceil, floor, max } from "./maths.js";
import { Part } from "./part.js";

/**
 * @import { Viewer } from "./viewer.js"
 * @typedef {"now" | "final" | "gained"} ItemMode
 * @typedef {object} Column
 * @property {string} title @property {string} hint @property {(object: number) => number} value What is sorted by.
 * @property {(object: number) => string} text @property {boolean} [wide] Text rather than a number.
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
    this.pairs = new Map(Array.from(this.replay.pairItems, (item, pair) => [`${this.replay.pairObjects[pair]},${item}`, pair]));
    this.head = h("tr");
    this.body = h("tbody");
    this.table = h("table.rv-table", { label: "Agents", "aria-rowcount": this.order.length + 1 }, h("thead", {}, this.head), this.body);
    this.scroller = h("div.rv-scroll", { tabindex: 0, role: "region", label: "Agent table", onscroll: () => this.update() }, this.table);
    const modes = h("select.rv-select", { onchange: () => this.#build(/** @type {ItemMode} */ (modes.value)) }, ...Object.entries(MODES).map(([value, text]) => h("option", { value }, text)));
    const bar = h("label.rv-panel-bar", { hidden: this.items.length === 0 }, span("rv-muted", "Items"), modes);
    this.node = div("rv-panel-fill", bar, this.scroller);
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
    const sort = h("button", { type: "button", class: "rv-sort", title: hint, onclick: press }, title, span("rv-sort-mark", { none: "", ascending: "\u2191", descending: "\u2193" }[sorted]));
    return h("th", { scope: "col", "aria-sort": sorted, class: wide ? "rv-left" : "" }, sort);
  }

  /** @returns {Column[]} */
  #plainColumns() {
    const { replay, facts } = this;
    /** @returns {Column} */
    const numbers = /** @param {string} title @param {string} hint @param {Column["value"]} value @param {(value: number) => string} format */ (title, hint, value, format) =>
      ({ title, hint, value, text: (object) => format(value(object)) });
    const doing = /** @param {number} object */ (object) => (replay.here(object, this.state.shown) ? facts.actionText(object, this.state.shown) : "dead");
    return [
      numbers("agent", "Agent number", (object) => replay.agentIds[object], String),
      { title: "doing", hint: "Action at this step", wide: true, value: (object) => replay.at("action_id", object, this.state.shown), text: doing },
      numbers("reward", "Reward at this step", (object) => replay.at("current_reward", object, this.state.shown), signed),
      numbers("total", "Reward up to this step", (object) => replay.total(object, this.state.shown), number),
      numbers("final", "Reward of the whole episode", (object) => replay.field("total_reward").last(object), number),
    ];
  }

  /** @param {number} item @returns {Column} */
  #itemColumn(item) {
    const { inventory } = this.replay;
    const value = /** @param {number} object */ (object) => {
      const pair = this.pairs.get(`${object},${item}`);
      if (pair === undefined) return 0;
      return this.mode === "now" ? inventory.at(pair, this.state.shown) : this.mode === "final" ? inventory.last(pair) : this.#gained(pair);
    };
    const title = this.facts.itemName(item);
    return { title, hint: `${title}: ${MODES[this.mode]}`, value, text: (object) => (value(object) === 0 ? "" : number(value(object))) };
  }

  /** @param {number} pair @returns {number} All that was ever gained, as far as the steps are loaded. */
  #gained(pair) {
    let [sum, last] = [this.gains.get(pair) ?? 0, NaN];
    if (!this.gains.has(pair)) {
      this.replay.inventory.runs(pair, 0, this.replay.steps, (_, __, value) => {
        sum += max(0, value - last) || 0;
        last = value;
      });
      this.gains.set(pair, sum);
    }
    return sum;
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
      const row = h("tr", { onclick: () => this.viewer.select(Number(row.dataset.object)) }, ...columns.map(() => h("td")));
      body.insertBefore(row, body.rows.length > 1 ? body.rows[body.rows.length - 1] : null);
    }
    [first, this.order.length - first - rows.length].forEach((hidden, i) => {
      const spacer = body.rows[i && body.rows.length - 1];
      spacer.className = "rv-spacer";
      spacer.style.height = `${hidden * ROW}px`;
      spacer.hidden = hidden === 0;
    });
    rows.forEach((object, i) => this.#row(body.rows[i + 1], object, first + i + 2));
  }

  #sort() {
    const column = this.columns?.find(({ title }) => title === this.sortedBy);
    const values = new Map(this.order.map((object) => [object, column?.value(object) || 0]));
    const rank = /** @param {number} object */ (object) => /** @type {number} */ (values.get(object)) * (this.ascending ? 1 : -1);
    this.order.sort((a, b) => rank(a) - rank(b) || this.replay.agentIds[a] - this.replay.agentIds[b]);
  }

  /** @param {HTMLTableRowElement} row @param {number} object @param {number} index */
  #row(row, object, index) {
    set(row, { "data-object": object, "aria-rowindex": index, "aria-selected": String(this.state.selected === object) });
    this.columns?.forEach(({ text, wide }, at) => {
      const cell = row.cells[at];
      cell.className = wide ? "rv-left" : "";
      if (at > 0) return setText(cell, text(object));
      if (!cell.firstChild) cell.append(span("rv-dot"), span(""));
      const [dot, label] = /** @type {any} */ (cell.children);
      dot.style.background = this.facts.colour(object, this.state.shown, this.palette);
      setText(label, text(object));
    });
  }
}
