/** All agents by what they did and earned; a click on a heading sorts, on a row selects. Only rows in view are made. */
import { h, setText } from "./dom.js";
import { number, signed } from "./format.js";
import { series } from "./palette.js";

/**
 * @import { Context } from "./viewer.js"
 * @typedef {object} Column
 * @property {string} key @property {string} title @property {string} hint
 * @property {(object: number, step: number) => number} value What is sorted by.
 * @property {(object: number, step: number) => string} text
 * @property {boolean} [wide] Text rather than a number.
 * @typedef {"now" | "final" | "gained"} ItemMode
 */

const ROW = 28;
const SPARE = 4;

export class AgentTable {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.mode = /** @type {ItemMode} */ ("now");
    this.sortKey = "agent";
    this.ascending = true;
    this.items = context.facts.agentItems();
    /** @type {Map<number, Float64Array>} */
    this.gained = new Map();
    /** @type {number[]} */
    this.order = [...context.replay.agents];
    this.head = h("tr", {});
    this.body = h("tbody", {});
    this.table = h("table", { class: "rv-table", "aria-label": "Agents" }, h("thead", {}, this.head), this.body);
    this.scroller = h("div", { class: "rv-scroll", tabindex: 0, role: "region", "aria-label": "Agent table", onscroll: () => this.update() }, this.table);
    this.modes = h("div", { class: "rv-segments", role: "group", "aria-label": "Item columns show" },
      ...this.#modeButtons(["now", "final", "gained"]));
    const bar = h("div", { class: "rv-panel-bar" }, h("span", { class: "rv-muted" }, "Items"), this.modes);
    bar.hidden = this.items.length === 0;
    this.node = h("div", { class: "rv-panel-fill" }, bar, this.scroller);
    /** @type {Column[]} */
    this.columns = [];
    this.#build();
  }

  /** @param {ItemMode[]} modes */
  #modeButtons(modes) {
    return modes.map((mode) => h("button", {
      type: "button", class: "rv-segment", "aria-pressed": String(mode === this.mode), title: MODE_HINTS[mode],
      onclick: () => {
        this.mode = mode;
        for (const button of this.modes.children) button.setAttribute("aria-pressed", String(button.textContent === mode));
        this.#build();
        this.update();
      },
    }, mode));
  }

  #build() {
    this.columns = [...this.#plainColumns(), ...this.items.map((item) => this.#itemColumn(item))];
    this.head.replaceChildren(...this.columns.map((column) => this.#heading(column)));
    this.table.setAttribute("aria-rowcount", String(this.order.length + 1));
  }

  /** @param {Column} column */
  #heading(column) {
    const sorted = column.key === this.sortKey ? (this.ascending ? "ascending" : "descending") : "none";
    const press = () => {
      this.ascending = column.key === this.sortKey ? !this.ascending : column.wide === true || column.key === "agent";
      this.sortKey = column.key;
      this.#build();
      this.update();
    };
    return h("th", { scope: "col", "aria-sort": sorted, class: column.wide ? "rv-left" : "" },
      h("button", { type: "button", class: "rv-sort", title: column.hint, onclick: press }, column.title,
        h("span", { class: "rv-sort-mark", "aria-hidden": "true" }, sorted === "none" ? "" : sorted === "ascending" ? "\u2191" : "\u2193")));
  }

  /** @returns {Column[]} */
  #plainColumns() {
    const { replay, facts } = this.context;
    const reward = replay.field("current_reward");
    const totals = replay.field("total_reward");
    const action = replay.field("action_id");
    const parameter = replay.field("action_param");
    const finals = /** @param {number} object */ (object) => totals.last(object);
    return [
      { key: "agent", title: "agent", hint: "Agent number", value: (o) => replay.agentIds[o], text: (o) => String(replay.agentIds[o]) },
      {
        key: "action", title: "doing", hint: "Action at this step", wide: true,
        value: (o, s) => action.at(o, s), text: (o, s) => (replay.alive.at(o, s) === 0 ? "dead" : facts.actionText(action.at(o, s), parameter.at(o, s))),
      },
      { key: "reward", title: "reward", hint: "Reward at this step", value: (o, s) => reward.at(o, s), text: (o, s) => { const v = reward.at(o, s); return v ? signed(v) : v === 0 ? "0" : number(NaN); } },
      { key: "total", title: "total", hint: "Reward up to this step", value: (o, s) => replay.total(o, s), text: (o, s) => number(replay.total(o, s)) },
      { key: "final", title: "final", hint: "Reward of the whole episode", value: finals, text: (o) => number(finals(o)) },
    ];
  }

  /** @param {number} item @returns {Column} */
  #itemColumn(item) {
    const { facts, replay } = this.context;
    const value = /** @type {Column["value"]} */ ((object, step) => {
      const pair = replay.pairOf(object, item);
      if (pair < 0) return 0;
      if (this.mode === "now") return replay.inventory.at(pair, step);
      return this.mode === "final" ? replay.inventory.last(pair) : this.#gainedOf(pair);
    });
    return { key: `item ${item}`, title: facts.itemName(item), hint: `${facts.itemName(item)}: ${MODE_HINTS[this.mode]}`, value, text: (o, s) => blankZero(value(o, s)) };
  }

  /** @param {number} pair @returns {number} All that was ever gained, as far as the steps are loaded. */
  #gainedOf(pair) {
    const known = this.gained.get(pair);
    if (known) return known[0];
    let sum = 0;
    let last = NaN;
    this.context.replay.inventory.runs(pair, 0, this.context.replay.steps, (_, __, value) => {
      if (value > last) sum += value - last;
      last = value;
    });
    this.gained.set(pair, Float64Array.of(sum));
    return sum;
  }

  refresh() {
    this.gained.clear();
  }

  /** Show the current step; keeps rows that stay in view. */
  update() {
    const { store, replay } = this.context;
    const { shown } = store.state;
    this.#sort(shown);
    const visible = Math.max(120, this.scroller.clientHeight);
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW) - SPARE);
    const last = Math.min(this.order.length, first + Math.ceil(visible / ROW) + 2 * SPARE);
    const rows = this.order.slice(first, last);
    while (this.body.children.length > rows.length + 2) this.body.children[1].remove();
    while (this.body.children.length < rows.length + 2) this.body.append(h("tr", {}));
    this.#spacer(/** @type {HTMLElement} */ (this.body.firstElementChild), first);
    rows.forEach((object, index) => this.#row(/** @type {HTMLTableRowElement} */ (this.body.children[index + 1]), object, shown, first + index));
    this.#spacer(/** @type {HTMLElement} */ (this.body.lastElementChild), this.order.length - last);
    if (replay.agents.length === 0 && this.body.children.length <= 2) setText(this.head, "This replay has no agents.");
  }

  /** @param {HTMLElement} row @param {number} hidden How many rows it stands for. */
  #spacer(row, hidden) {
    row.className = "rv-spacer";
    row.onclick = null;
    row.removeAttribute("aria-selected");
    row.replaceChildren(h("td", { colspan: this.columns.length }));
    /** @type {HTMLElement} */ (row.firstElementChild).style.height = `${hidden * ROW}px`;
    row.hidden = hidden === 0;
  }

  /** @param {number} step */
  #sort(step) {
    const column = this.columns.find((candidate) => candidate.key === this.sortKey) ?? this.columns[0];
    const values = new Map(this.order.map((object) => [object, column.value(object, step)]));
    const sign = this.ascending ? 1 : -1;
    const rank = /** @param {number} object */ (object) => values.get(object) || 0;
    this.order.sort((a, b) => sign * (rank(a) - rank(b)) || this.context.replay.agentIds[a] - this.context.replay.agentIds[b]);
  }

  /** @param {HTMLTableRowElement} row @param {number} object @param {number} step @param {number} index */
  #row(row, object, step, index) {
    const { store, facts } = this.context;
    const { columns } = this;
    if (row.className === "rv-spacer" || row.cells.length !== columns.length) {
      row.hidden = false;
      row.className = "";
      row.replaceChildren(...columns.map((column) => h("td", { class: column.wide ? "rv-left" : "" })));
    }
    row.hidden = false;
    row.setAttribute("aria-rowindex", String(index + 2));
    row.setAttribute("aria-selected", String(store.state.selected === object));
    row.onclick = () => this.context.select(object);
    columns.forEach((column, at) => {
      const cell = row.cells[at];
      if (column.key === "agent") this.#agentCell(cell, object, step, column.text(object, step));
      else setText(cell, column.text(object, step));
    });
    row.title = facts.summary(object, step);
  }

  /** @param {HTMLTableCellElement} cell @param {number} object @param {number} step @param {string} text */
  #agentCell(cell, object, step, text) {
    const { facts } = this.context;
    if (!cell.firstElementChild) cell.replaceChildren(h("span", { class: "rv-dot" }), h("span", {}));
    const [dot, label] = cell.children;
    /** @type {HTMLElement} */ (dot).style.background = series(this.context.palette(), facts.teams.hue(facts.teams.of(object, step)));
    setText(label, text);
  }
}

/** @type {Record<ItemMode, string>} */
const MODE_HINTS = { now: "held at this step", final: "held at the end", gained: "sum of all gains over the episode" };

/** @param {number} value */
function blankZero(value) {
  return value === 0 ? "" : number(value);
}
