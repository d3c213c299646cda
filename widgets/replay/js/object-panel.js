/** Everything about the selected object at the current step, and what it did around it. */
import { activity } from "./activity.js";
import { fill } from "../../page/js/dom.js";
import { definitions, div, h, legendEntry, note, region, section, span } from "./dom.js";
import { count, joined, number, words } from "../../page/js/format.js";
import { max, min } from "../../page/js/maths.js";
import { series } from "./palette.js";
import { Part } from "./part.js";
import { hasRewards, odd, rewardAt, rewardText, totalText } from "./rewards.js";

/**
 * @import { Line } from "./activity.js"
 * @import { Point } from "./replay.js"
 */

const [BEFORE, AFTER] = [60, 30];
const [LINES_BEFORE, LINES_AFTER] = [5, 4];

/** Fields that have a place of their own, or say nothing to a reader. */
const ELSEWHERE = /^(location|alive|inventory|action|animation|orientation|color|group_id|collective_id|layer|vibe|current_reward|total_reward|monologue|is_swappable)/;

export class ObjectPanel extends Part {
  node = region("Selected object");

  update() {
    const { replay, selected, facts } = this;
    if (selected < 0) {
      fill(this.node, note("Nothing is selected. Click an object on the map, a row of the table or a row of the actions."));
    } else {
      fill(this.node, this.#title(), facts.isAgent[selected] ? this.#activity() : null, this.#facts(replay.locate(selected, this.shown)), this.#inventory(), this.#recipes());
    }
  }

  /** @param {string} name Of a field. @returns {number} Of the selected object at the step drawn. */
  #at(name) {
    return this.replay.at(name, this.selected, this.shown);
  }

  /** @param {string} name Of a table. */
  #list(name) {
    return this.replay.tableList(name, this.selected, this.shown);
  }

  #title() {
    const { facts, selected, shown } = this;
    const flags = this.#fields("bool").filter((name) => this.#at(name)).map((name) => words(name).replace("is ", ""));
    if (!this.replay.here(selected, shown)) flags.unshift("removed");
    const dot = h("span.dot", { style: `background:${this.colour(selected)}` });
    return div("object-title", dot, h("h3", {}, facts.title(selected)), span("muted", facts.teamName(selected, shown)), ...flags.map((flag) => span("chip", flag)));
  }

  /** @param {...string} kinds @returns {string[]} Fields of this replay to show as they are. */
  #fields(...kinds) {
    return [...this.replay.fields.values()].filter(({ name, kind, present }) => present && kinds.includes(kind) && !ELSEWHERE.test(name)).map(({ name }) => name);
  }

  /** @param {Point} place */
  #facts({ x, y }) {
    const { replay, facts, selected } = this;
    const rows = [["cell", `${x}, ${y}`]];
    if (facts.isAgent[selected]) {
      const [sum, last] = [replay.total(selected, this.shown), replay.field("total_reward").last(selected)].map(totalText);
      rows.push(["reward", hasRewards(replay) ? `${rewardAt(replay, selected, this.shown)} now, ${sum} so far, ${last} at the end` : "not recorded"]);
    }
    if (replay.field("vibe_id").present) rows.push(["vibe", facts.vibeName(this.#at("vibe_id"))]);
    for (const name of this.#fields("int", "delta")) if (this.#at(name)) rows.push([words(name), number(this.#at(name))]);
    const tags = this.#list("tag_ids").map((tag) => replay.header.tags[tag] || `tag ${tag}`);
    if (tags.length) rows.push(["tags", joined(tags)]);
    return definitions([...rows, ["type, id", `${facts.sprite(selected).name}, ${replay.ids[selected]}`]]);
  }

  #inventory() {
    const { replay, facts, selected } = this;
    const { item_names, capacity_names } = replay.header;
    /** @type {Map<string, number>} */
    const limits = new Map(this.#list("inventory_capacities").map((pair) => [capacity_names[pair?.[0]] ?? `capacity ${pair?.[0]}`, Number(pair?.[1])]));
    const rows = [];
    for (const pair of replay.pairsOf(selected)) {
      const item = replay.pairItems[pair];
      const name = item_names[item] ?? "";
      const [amount, limit] = [replay.inventory.at(pair, this.shown), limits.get(name)];
      if (limits.delete(name) || amount) rows.push(this.#inventoryRow(item, amount, limit));
    }
    for (const [name, limit] of limits) rows.push(div("inventory-row", `${words(name)} in all`, h("span"), span("number", `at most ${number(limit)}`)));
    if (rows.length === 0 && !facts.isAgent[selected]) return null;
    return section("Inventory", ...(rows.length ? rows : [note("Holds nothing at this step.")]));
  }

  /** @param {number} item @param {number} amount @param {number | undefined} limit */
  #inventoryRow(item, amount, limit) {
    const name = legendEntry(`background:${series(this.palette, item)}`, this.facts.itemName(item));
    const bar = limit === undefined ? h("span") : span("bar", h("span.bar-part", { style: `width:${min(100, (100 * amount) / (limit || 1))}%` }));
    return div("inventory-row", name, bar, span("number", number(amount) + (limit === undefined ? "" : ` / ${number(limit)}`)));
  }

  #recipes() {
    const [inputs, outputs] = [this.#list("input_resources"), this.#list("output_resources")];
    const lines = [...this.#list("protocols"), ...(inputs.length + outputs.length ? [{ inputs, outputs }] : [])].map((protocol) => h("li", {}, this.#protocolText(protocol ?? {})));
    return lines.length ? section("Protocols", h("ul.list", {}, ...lines.slice(0, 60))) : null;
  }

  /** @param {any} protocol @returns {string} "2 ore red -> 1 battery, cooldown 10, 2 agents". */
  #protocolText({ inputs, outputs, cooldown, minAgents, vibes }) {
    const { facts } = this;
    const list = /** @param {any} value @param {(entry: any) => string} text @param {string} joint */ (value, text, joint) => (Array.isArray(value) ? value.map(text).join(joint) : "");
    const amounts = /** @param {unknown} pairs */ (pairs) => list(pairs, (pair) => `${number(Number(pair?.[1]))} ${facts.itemName(Number(pair?.[0]))}`, " + ") || "nothing";
    const vibe = list(vibes, (each) => facts.vibeName(Number(each)), ", ");
    return joined([
      `${amounts(inputs)} \u2192 ${amounts(outputs)}`, cooldown && `cooldown ${number(Number(cooldown))}`,
      minAgents > 1 && `${number(Number(minAgents))} agents`, vibe && `vibe ${vibe}`,
    ]);
  }

  #activity() {
    const step = this.shown;
    const lines = activity(this.facts, this.selected, step - BEFORE, step + AFTER);
    const here = max(0, lines.findIndex((line) => line.to >= step));
    return section("What it did", div("activity", ...lines.slice(max(0, here - LINES_BEFORE), here + LINES_AFTER + 1).map((line) => this.#line(line))));
  }

  /** @param {Line} line */
  #line({ from, to, action, failed, reward, notes }) {
    const many = to > from;
    const when = from > this.shown ? "" : to < this.shown ? "past" : "now";
    return activityLine(count(from) + (many ? `\u2013${count(to)}` : ""), action + (many ? ` \u00d7${to - from + 1}` : ""),
      joined([failed && "failed", reward !== 0 && `reward ${rewardText(reward)}`, ...notes]),
      () => this.viewer.seek(from), when, failed || reward < 0 || odd(reward) ? "lost" : reward > 0 ? "won" : "");
  }
}

/** @param {string} when @param {string} what @param {string} more @param {() => void} onclick @param {...string} classes */
export function activityLine(when, what, more, onclick, ...classes) {
  return h(/** @type {"button"} */ (joined(["button.line", ...classes], ".")), { type: "button", onclick }, span("line-step", when), span("line-action", what), span("line-note", more));
}

