/** Everything about the selected object at the current step, and what it did around it. */
import { activity } from "./activity.js";
import { definitions, div, fill, h, note, region, section, span } from "./dom.js";
import { count, number, signed, words } from "./format.js";
import { max, min } from "./maths.js";
import { Part } from "./part.js";

/** @import { Line } from "./activity.js" */

const [BEFORE, AFTER] = [60, 30];
const [LINES_BEFORE, LINES_AFTER] = [8, 5];

/** Fields that have a place of their own, or say nothing to a reader. */
const ELSEWHERE = /^(location|alive|inventory|action|animation|orientation|color|group_id|collective_id|layer|vibe|current_reward|total_reward|monologue|is_swappable)/;

export class ObjectPanel extends Part {
  node = region("Selected object");

  update() {
    const { selected, shown } = this.state;
    if (selected < 0) {
      fill(this.node, note("Nothing is selected. Click an object on the map, a row of the table or a row of the actions."));
      return;
    }
    const agent = this.facts.isAgent[selected];
    fill(this.node, this.#title(selected, shown), agent ? this.#activity(selected, shown) : null, this.#facts(selected, shown),
      this.#inventory(selected, shown), this.#recipes(selected, shown));
  }

  /** @param {number} object @param {number} step */
  #title(object, step) {
    const { facts } = this;
    const flags = this.#fields("bool").filter((name) => this.replay.at(name, object, step)).map((name) => words(name).replace("is ", ""));
    if (!this.replay.here(object, step)) flags.unshift("removed");
    const dot = h("span.rv-dot", { style: `background:${facts.colour(object, step, this.palette)}` });
    return div("rv-object-title", dot, h("h3", {}, facts.title(object)), span("rv-muted", facts.teams.nameOf(facts.teams.of(object, step))), ...flags.map((flag) => span("rv-chip", flag)));
  }

  /** @param {...string} kinds @returns {string[]} Fields of this replay to show as they are. */
  #fields(...kinds) {
    return [...this.replay.fields.values()].filter(({ name, kind, present }) => present && kinds.includes(kind) && !ELSEWHERE.test(name)).map(({ name }) => name);
  }

  /** @param {number} object @param {number} step */
  #facts(object, step) {
    const { replay, facts } = this;
    const { x, y } = replay.locate(object, step);
    /** @type {[string, string][]} */
    const rows = [["cell", `${x}, ${y}`]];
    if (facts.isAgent[object]) {
      const [now, last] = [replay.at("current_reward", object, step), replay.field("total_reward").last(object)];
      rows.push(["reward", `${signed(now)} now, ${number(replay.total(object, step))} so far, ${number(last)} at the end`]);
    }
    if (replay.field("vibe_id").present) rows.push(["vibe", facts.vibeName(replay.at("vibe_id", object, step))]);
    for (const name of this.#fields("int", "delta")) if (replay.at(name, object, step)) rows.push([words(name), number(replay.at(name, object, step))]);
    const tags = replay.tableList("tag_ids", object, step).map((tag) => replay.header.tags[tag] || `tag ${tag}`);
    if (tags.length) rows.push(["tags", tags.join(", ")]);
    return definitions([...rows, ["type, id", `${facts.sprite(object).name}, ${replay.ids[object]}`]]);
  }

  /** @param {number} object @param {number} step */
  #inventory(object, step) {
    const { replay, facts } = this;
    const { item_names, capacity_names } = replay.header;
    /** @type {Map<string, number>} */
    const limits = new Map(replay.tableList("inventory_capacities", object, step).map((pair) => [capacity_names[pair?.[0]] ?? `capacity ${pair?.[0]}`, Number(pair?.[1])]));
    const rows = [];
    for (const pair of replay.pairsOf(object)) {
      const name = item_names[replay.pairItems[pair]] ?? "";
      const [amount, limit] = [replay.inventory.at(pair, step), limits.get(name)];
      if (limits.delete(name) || amount) rows.push(inventoryRow(facts.itemName(replay.pairItems[pair]), amount, limit));
    }
    for (const [name, limit] of limits) rows.push(div("rv-inventory-row", `${words(name)} in all`, span(""), span("rv-number", `at most ${number(limit)}`)));
    if (rows.length === 0 && !facts.isAgent[object]) return null;
    return section("Inventory", ...(rows.length ? rows : [note("Holds nothing at this step.")]));
  }

  /** @param {number} object @param {number} step */
  #recipes(object, step) {
    const read = /** @param {string} name */ (name) => this.replay.tableList(name, object, step);
    const lines = read("protocols").map((protocol) => this.#protocolText(protocol ?? {}));
    const [inputs, outputs] = [read("input_resources"), read("output_resources")];
    if (inputs.length || outputs.length) lines.push(this.#protocolText({ inputs, outputs }));
    return lines.length ? section("Protocols", h("ul.rv-list", {}, ...lines.slice(0, 60).map((line) => h("li", {}, line)))) : null;
  }

  /** @param {any} protocol @returns {string} "2 ore red -> 1 battery, cooldown 10, 2 agents". */
  #protocolText({ inputs, outputs, cooldown, minAgents, vibes }) {
    const list = /** @param {any} value @returns {any[]} */ (value) => (Array.isArray(value) ? value : []);
    const amounts = /** @param {unknown} pairs */ (pairs) => list(pairs).map((pair) => `${number(Number(pair?.[1]))} ${this.facts.itemName(Number(pair?.[0]))}`).join(" + ") || "nothing";
    const parts = [`${amounts(inputs)} \u2192 ${amounts(outputs)}`];
    if (cooldown) parts.push(`cooldown ${number(Number(cooldown))}`);
    if (minAgents > 1) parts.push(`${number(Number(minAgents))} agents`);
    if (list(vibes).length) parts.push(`vibe ${list(vibes).map((vibe) => this.facts.vibeName(Number(vibe))).join(", ")}`);
    return parts.join(", ");
  }

  /** @param {number} object @param {number} step */
  #activity(object, step) {
    const lines = activity(this.facts, object, step - BEFORE, step + AFTER);
    const here = max(0, lines.findIndex((line) => line.to >= step));
    return section("What it did", div("rv-activity", ...lines.slice(max(0, here - LINES_BEFORE), here + LINES_AFTER + 1).map((line) => this.#line(line, step))));
  }

  /** @param {Line} line @param {number} step */
  #line({ from, to, action, failed, reward, notes }, step) {
    const now = from <= step && to >= step;
    const many = to > from;
    const said = [failed ? "failed" : "", reward ? `reward ${signed(reward)}` : "", ...notes].filter(Boolean).join(", ");
    return activityLine(many ? `${count(from)}\u2013${count(to)}` : count(from), many ? `${action} \u00d7${to - from + 1}` : action, said,
      () => this.viewer.seek(from), `${now ? "rv-now" : to < step ? "rv-past" : ""} ${failed || reward < 0 ? "rv-lost" : reward > 0 ? "rv-won" : ""}`);
  }
}

/** @param {string} when @param {string} what @param {string} more @param {() => void} press @param {string} [cls] */
export function activityLine(when, what, more, press, cls = "") {
  return h("button", { type: "button", class: `rv-line ${cls}`, onclick: press }, span("rv-line-step", when), span("rv-line-action", what), span("rv-line-note", more));
}

/** @param {string} name @param {number} amount @param {number | undefined} limit */
function inventoryRow(name, amount, limit) {
  const part = min(100, (100 * amount) / (limit || 1));
  const bar = limit === undefined ? span("") : span("rv-bar", h("span.rv-bar-part", { style: `width:${part}%` }));
  return div("rv-inventory-row", span("", name), bar, span("rv-number", number(amount) + (limit === undefined ? "" : ` / ${number(limit)}`)));
}
