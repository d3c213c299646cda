/** Everything about the selected object at the current step, and what it did around it. */
import { activity } from "./activity.js";
import { arrange } from "../../page/js/dom.js";
import { div, h, note, region, section, span, terms } from "./dom.js";
import { count, joined, number } from "../../page/js/format.js";
import { max, min } from "../../page/js/maths.js";
import { hasRewards, odd, rewardAt, rewardText, totalText } from "./rewards.js";
import { ruleSection } from "./rules-panel.js";

/**
 * @import { Line } from "./activity.js"
 * @import { Viewer } from "./viewer.js"
 * @import { Limit } from "./wire.js"
 * @typedef {{name: string, item: number, amount: number | null, limit: number | undefined}} Held Item is -1 for items that share a limit; the
 *   amount is null where nobody knows which these are.
 */

const [BEFORE, AFTER] = [60, 30];
const [LINES_BEFORE, LINES_AFTER] = [5, 4];

/** @param {Viewer} viewer */
export function objectPanel(viewer) {
  const { replay, facts, state, sprites } = viewer;
  const { header } = replay;
  const node = region("Selected object");
  /** What each part of the panel shows, so that only what changed is made anew. @type {Map<string, {of: string, node: HTMLElement | null}>} */
  const parts = new Map();

  function update() {
    const nodes = state.selected < 0 ? [part("none", [], () => note("Nothing is selected. Click the map, or a row."))] : all();
    arrange(node, nodes.filter((each) => each !== null));
  }

  /** @returns {(HTMLElement | null)[]} */
  function all() {
    const { selected, shown } = state;
    const pictures = [sprites.url, sprites.plain, viewer.theme];
    const [now, own] = [facts.isAgent[selected] ? [linesAround(), shown] : null, [facts.rules(selected, shown), pictures]];
    return [part("title", titleOf(), drawTitle), part("activity", now, drawActivity), part("facts", rowsOf(), (rows) => terms(rows)), part("inventory", [inventoryOf(), pictures], drawInventory), part("rules", own, ([rules]) => ruleSection(viewer, "What it does", rules))];
  }

  /**
   * Make a part of the panel, or leave it where it is of the same as before.
   * @param {string} name @param {any} of Plain values. @param {(of: any) => HTMLElement | null} make @returns {HTMLElement | null}
   */
  function part(name, of, make) {
    const text = JSON.stringify(of);
    const before = parts.get(name);
    if (before?.of === text) return before.node;
    const made = of === null ? null : make(of);
    parts.set(name, { of: text, node: made });
    return made;
  }

  /** @param {string} name Of a field. @returns {number} Of the selected object at the step drawn. */
  const at = (name) => replay.at(name, state.selected, state.shown);

  /** @param {string} name Of a table. */
  const list = (name) => replay.tableList(name, state.selected, state.shown);

  /** @param {boolean} flags @returns {[string, number][]} What its fields say that have no place of their own, where it is not 0: truths, or numbers. */
  function fields(flags) {
    const some = [...header.fields].filter(([, { kind, words }]) => words && (kind === "bool") === flags);
    return some.map(([name, { words }]) => /** @type {[string, number]} */ ([words, at(name)])).filter(([, value]) => value);
  }

  /** @returns {string[]} Its colour, name and team, and what is true of it. */
  function titleOf() {
    const { selected, shown } = state;
    const removed = replay.here(selected, shown) ? [] : ["removed"];
    return [viewer.colour(selected), facts.title(selected), facts.teamName(selected, shown), ...removed, ...fields(true).map(([words]) => words)];
  }

  /** @param {string[]} title */
  const drawTitle = ([colour, name, team, ...flags]) => div("object-title", h("span.dot", { style: `background:${colour}` }), h("h3", {}, name), span("muted", team), ...flags.map((flag) => span("chip", flag)));

  /** @returns {string[][]} Terms and what they are. */
  function rowsOf() {
    const { selected, shown } = state;
    const { x, y } = replay.locate(selected, shown);
    const rows = [["cell", `${x}, ${y}`]];
    if (facts.isAgent[selected]) {
      const [sum, last] = [replay.total(selected, shown), replay.field("total_reward").last(selected)].map(totalText);
      rows.push(["reward", hasRewards(replay) ? `${rewardAt(replay, selected, shown)} now, ${sum} so far, ${last} at the end` : "not recorded"]);
    }
    if (replay.field("vibe_id").present) rows.push(["vibe", facts.vibeName(at("vibe_id"))]);
    for (const [words, value] of fields(false)) rows.push([words, number(value)]);
    const tags = list("tag_ids");
    if (tags.length) rows.push(["tags", joined(tags)]);
    return [...rows, ["type, id", `${facts.sprite(selected).name}, ${replay.ids[selected]}`]];
  }

  /** @returns {Held[] | null} What it holds, and how much of what it may. */
  function inventoryOf() {
    const { selected, shown } = state;
    const limits = /** @type {Limit[]} */ (list("inventory_capacities"));
    const pairs = replay.pairsOf(selected).map((pair) => ({ item: replay.pairItems[pair], amount: replay.inventory.at(pair, shown) }));
    /** @type {Held[]} */
    const shared = limits.filter(({ item }) => item < 0).map(({ name, limit, items }) => ({ name, item: -1, amount: items && pairs.reduce((sum, { item, amount }) => sum + (items.includes(item) ? amount : 0), 0), limit }));
    const own = pairs.map(({ item, amount }) => ({ name: facts.itemName(item), item, amount, limit: limits.find((each) => each.item === item)?.limit }));
    const rows = [...shared, ...own.filter(({ amount, limit }) => amount || limit !== undefined)];
    return !rows.length && !facts.isAgent[selected] ? null : rows;
  }

  /** @param {[Held[] | null]} rows */
  const drawInventory = ([rows]) => rows && section("Inventory", ...(rows.length ? rows.map(inventoryRow) : [note("Holds nothing at this step.")]));

  /** @param {Held} row */
  function inventoryRow({ name, item, amount, limit }) {
    const bar = limit === undefined || amount === null ? h("span") : span("bar", h("span.bar-part", { style: `width:${min(100, (100 * amount) / (limit || 1))}%` }));
    const text = amount === null ? `at most ${number(/** @type {number} */ (limit))}` : number(amount) + (limit === undefined ? "" : ` / ${number(limit)}`);
    return div("inventory-row", item < 0 ? span("muted", amount === null ? `${name} in all` : name) : viewer.itemEntry(item, name), bar, span("number", text));
  }

  /** @returns {Line[]} What the agent did around the step. */
  function linesAround() {
    const lines = activity(facts, state.selected, state.shown - BEFORE, state.shown + AFTER);
    const here = max(0, lines.findIndex(({ to }) => to >= state.shown));
    return lines.slice(max(0, here - LINES_BEFORE), here + LINES_AFTER + 1);
  }

  /** @param {[Line[]]} lines */
  const drawActivity = ([lines]) => section("What it did", div("activity", ...lines.map(drawLine)));

  /** @param {Line} line */
  function drawLine({ from, to, action, failed, reward, notes }) {
    const many = to > from;
    const when = from > state.shown ? "" : to < state.shown ? "past" : "now";
    return activityLine(count(from) + (many ? `\u2013${count(to)}` : ""), action + (many ? ` \u00d7${to - from + 1}` : ""),
      joined([failed && "failed", reward !== 0 && `reward ${rewardText(reward)}`, ...notes]),
      () => viewer.seek(from), when, failed || reward < 0 || odd(reward) ? "lost" : reward > 0 ? "won" : "");
  }

  return { node, update };
}

/** @param {string} when @param {string} what @param {string} more @param {() => void} onclick @param {...string} classes */
export function activityLine(when, what, more, onclick, ...classes) {
  return h(/** @type {"button"} */ (joined(["button.line", ...classes], ".")), { type: "button", onclick }, span("line-step", when), span("line-action", what), span("line-note", more));
}
