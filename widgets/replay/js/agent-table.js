/** All agents by what they did and earned; a click on a heading sorts, on a row selects. Only rows in view are made. */
import { refill, set, setText } from "../../page/js/dom.js";
import { button, choice, div, h, span } from "./dom.js";
import { number } from "../../page/js/format.js";
import { ceil, floor, max } from "../../page/js/maths.js";
import { ranked, rewardAt, totalText } from "./rewards.js";
import { scorePanel } from "./score-panel.js";

/**
 * @import { Replay } from "./replay.js"
 * @import { Viewer } from "./viewer.js"
 * @typedef {"now" | "final" | "gained"} ItemMode
 * @typedef {object} Column
 * @property {string} title @property {string} hint @property {(object: number) => number} value What is sorted by.
 * @property {(value: number, object: number) => string} text @property {boolean} [wide] Text rather than a number.
 */

const ROW = 28;
const SPARE = 4;
/** Each way to count an item: its words, and the amount of an inventory pair at a step. @type {Record<ItemMode, [string, (replay: Replay, pair: number, step: number) => number]>} */
const MODES = {
  now: ["held now", ({ inventory }, pair, step) => inventory.at(pair, step)], final: ["held at the end", ({ inventory }, pair) => inventory.last(pair)],
  gained: ["gained in total", ({ base, inventory }, pair) => base.numbers("inventory.g")[inventory.mover(pair)] ?? 0],
};

/** @param {Viewer} viewer */
export function agentTable(viewer) {
  const { replay, facts, state } = viewer;
  const { scored } = replay.header;
  const order = [...replay.agents];
  /** @type {ItemMode} */
  let mode = "now";
  let [sortedBy, ascending] = ["agent", true];
  /** @type {Column[]} */
  let columns = [];

  const scores = scorePanel(viewer);
  const head = h("tr");
  const [above, below] = [h("tr.spacer"), h("tr.spacer")];
  const body = h("tbody", {}, above, below);
  const scroller = h("div.scroll", { tabindex: 0, role: "region", label: "Agent table", onscroll: update },
    h("table.table", { label: "Agents", "aria-rowcount": order.length + 1 }, h("thead", {}, head), body));
  const modes = choice("Items", /** @type {ItemMode[]} */ (Object.keys(MODES)).map((each) => [each, MODES[each][0]]), (chosen) => {
    mode = chosen;
    build();
  });
  build();

  function build() {
    const total = replay.field("total_reward");
    const items = scored.map(itemColumn);
    // The score first: what it is paid in, and the items that the game counts.
    /** @type {(Column | false)[]} */
    const all = [
      { title: "agent", hint: "Agent number", value: (object) => replay.agentIds[object], text: String },
      total.present && { title: "total", hint: "Reward up to this step", value: (object) => replay.total(object, state.shown), text: totalText },
      total.present && { title: "final", hint: "Reward of the whole episode", value: (object) => total.last(object), text: totalText },
      ...items.slice(0, 2),
      { title: "doing", hint: "Action at this step", wide: true, value: (object) => replay.at("action", object, state.shown), text: (_, object) => (replay.here(object, state.shown) ? facts.actionText(object, state.shown) : "dead") },
      total.present && { title: "reward", hint: "Reward at this step", value: (object) => replay.at("current_reward", object, state.shown), text: (_, object) => rewardAt(replay, object, state.shown) },
      ...items.slice(2),
    ];
    columns = all.filter((column) => column !== false);
    refill(head, ...columns.map(heading));
    update();
  }

  /** @param {Column} column */
  function heading({ title, hint, wide }) {
    const sorted = title !== sortedBy ? "none" : ascending ? "ascending" : "descending";
    const press = () => {
      ascending = title === sortedBy ? !ascending : wide === true || title === "agent";
      sortedBy = title;
      build();
    };
    return h(wide ? "th.left" : "th", { scope: "col", "aria-sort": sorted }, button(title, press, "sort", { title: hint }));
  }

  /** @param {number} item @returns {Column} */
  function itemColumn(item) {
    const title = facts.itemName(item);
    const [words, amount] = MODES[mode];
    const value = /** @param {number} object */ (object) => {
      const pair = replay.pair(object, item);
      return pair < 0 ? 0 : amount(replay, pair, state.shown);
    };
    return { title, hint: `${title}: ${words}`, value, text: (held) => (held === 0 ? "" : number(held)) };
  }

  /** Show the current step; rows that stay in view are kept. */
  function update() {
    scores.update();
    sort();
    const first = viewer.onPaper ? 0 : max(0, floor(scroller.scrollTop / ROW) - SPARE);
    const rows = order.slice(first, viewer.onPaper ? order.length : first + ceil(max(120, scroller.clientHeight) / ROW) + 2 * SPARE);
    while (body.rows.length > rows.length + 2) body.rows[1].remove();
    while (body.rows.length < rows.length + 2) {
      const row = h("tr", { onclick: () => viewer.select(Number(row.dataset.object)) }, h("td", {}, span("dot"), h("span")), ...columns.slice(1).map(({ wide }) => h(wide ? "td.left" : "td")));
      below.before(row);
    }
    above.style.height = `${first * ROW}px`;
    below.style.height = `${(order.length - first - rows.length) * ROW}px`;
    rows.forEach((object, i) => {
      const row = set(body.rows[i + 1], { "data-object": object, "aria-rowindex": first + i + 2, "aria-selected": String(state.selected === object) });
      const [dot, label] = row.cells[0].children;
      set(dot, { style: `background:${viewer.colour(object)}` });
      columns.forEach(({ text, value }, at) => setText(at ? row.cells[at] : label, text(value(object), object)));
    });
  }

  function sort() {
    const column = columns.find(({ title }) => title === sortedBy);
    ranked(order, (object) => (column?.value(object) ?? 0) * (ascending ? 1 : -1), (object) => replay.agentIds[object]);
  }

  return { node: div("panel-fill", scores.node, h("label.panel-bar", { hidden: !scored.length }, span("muted", "Items"), modes), scroller), update };
}
