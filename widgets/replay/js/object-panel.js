/** Everything about the selected object at the current step, and what it did around it. */
import { activity } from "./activity.js";
import { fill, h } from "./dom.js";
import { count, number, signed, words } from "./format.js";
import { series } from "./palette.js";

/**
 * @import { Line } from "./activity.js"
 * @import { Context } from "./viewer.js"
 */

const BEFORE = 40;
const AFTER = 24;
const LINES_BEFORE = 9;
const LINES_AFTER = 6;

/** Fields shown as "name: value" when the object has them; the rest have their own place. */
const PLAIN = [
  ["hp", "hp"], ["freeze_remaining", "frozen for"], ["cooldown_remaining", "cooldown left"], ["cooldown_duration", "cooldown"],
  ["conversion_remaining", "conversion left"], ["uses_count", "uses"], ["max_uses", "uses at most"], ["inventory_max", "holds at most"],
  ["output_limit", "output limit"],
];
const FLAGS = [
  ["is_frozen", "frozen"], ["is_converting", "converting"], ["is_cooling_down", "cooling down"], ["is_clipped", "clipped"],
  ["is_clip_immune", "immune to clipping"], ["allow_partial_usage", "allows partial use"],
];

export class ObjectPanel {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.node = h("div", { class: "rv-scroll rv-pad", tabindex: 0, role: "region", "aria-label": "Selected object" });
  }

  update() {
    const { selected } = this.context.store.state;
    if (selected < 0) {
      fill(this.node, h("p", { class: "rv-empty" }, "Nothing is selected. Click an object on the map, a row of the table or a row of the actions."));
      return;
    }
    const { facts } = this.context;
    fill(this.node, this.#title(selected), facts.isAgent[selected] ? this.#activity(selected) : null,
      this.#facts(selected), this.#inventory(selected), this.#recipes(selected), this.#tags(selected));
  }

  /** @param {number} object */
  #title(object) {
    const { facts, replay, store } = this.context;
    const { shown } = store.state;
    const dot = h("span", { class: "rv-dot" });
    const team = facts.teams.of(object, shown);
    dot.style.background = facts.isAgent[object] ? series(this.context.palette(), facts.teams.hue(team)) : this.context.sprites.colour(facts.sprite(object), this.context.palette());
    const flags = FLAGS.filter(([field]) => replay.field(field).at(object, shown) > 0).map(([, word]) => word);
    if (replay.alive.at(object, shown) === 0) flags.unshift("removed");
    const name = facts.teams.nameOf(team);
    return h("div", { class: "rv-object-title" }, dot, h("h3", {}, facts.title(object)),
      name ? h("span", { class: "rv-muted" }, name) : null, ...flags.map((flag) => h("span", { class: "rv-chip" }, flag)));
  }

  /** @param {number} object */
  #facts(object) {
    const { replay, facts, store } = this.context;
    const { shown } = store.state;
    const place = { x: 0, y: 0 };
    replay.locate(object, shown, place);
    /** @type {[string, string][]} */
    const rows = [["cell", `${place.x}, ${place.y}`]];
    if (facts.isAgent[object]) {
      rows.push(["reward", `${signed(replay.field("current_reward").at(object, shown))} now, ${number(replay.total(object, shown))} so far, ${number(replay.field("total_reward").last(object))} at the end`]);
    }
    if (replay.field("vibe_id").present) rows.push(["vibe", facts.vibeName(replay.field("vibe_id").at(object, shown))]);
    for (const [name, label] of PLAIN) {
      const value = replay.field(name).at(object, shown);
      if (value) rows.push([label, number(value)]);
    }
    if (facts.isAgent[object] && replay.field("vision_size").present) {
      const size = replay.field("vision_size").at(object, shown);
      rows.push(["sees", `${size} x ${size} cells`]);
    }
    rows.push(["type, id", `${replay.typeName(object)}, ${replay.ids[object]}`]);
    return definitions(rows);
  }

  /** @param {number} object */
  #inventory(object) {
    const { replay, facts, store } = this.context;
    const { shown } = store.state;
    const [from, to] = replay.pairsOf(object);
    if (from === to) return null;
    const limits = this.#limits(object);
    const rows = [];
    for (let pair = from; pair < to; pair++) {
      const item = replay.pairItems[pair];
      const amount = replay.inventory.at(pair, shown);
      const limit = limits.get(replay.header.itemNames[item] ?? "");
      limits.delete(replay.header.itemNames[item] ?? "");
      if (amount || limit !== undefined) rows.push(inventoryRow(facts.itemName(item), amount, limit));
    }
    const rest = [...limits].map(([name, limit]) => `${words(name)} ${number(limit)}`);
    return h("section", {}, h("h4", {}, "Inventory"),
      rows.length ? h("div", { class: "rv-inventory" }, ...rows) : h("p", { class: "rv-empty" }, "Holds nothing at this step."),
      rest.length ? h("p", { class: "rv-muted" }, `Limits: ${rest.join(", ")}`) : null);
  }

  /** @param {number} object @returns {Map<string, number>} Limit by name of the capacity. */
  #limits(object) {
    const { replay, store } = this.context;
    const index = replay.field("inventory_capacities").at(object, store.state.shown);
    const pairs = replay.tableValue("inventory_capacities", index);
    const limits = new Map();
    for (const pair of Array.isArray(pairs) ? pairs : []) {
      if (Array.isArray(pair)) limits.set(replay.header.capacityNames[pair[0]] ?? `capacity ${pair[0]}`, Number(pair[1]));
    }
    return limits;
  }

  /** @param {number} object */
  #tags(object) {
    const { replay, store } = this.context;
    const tags = replay.tableValue("tag_ids", replay.field("tag_ids").at(object, store.state.shown));
    if (!Array.isArray(tags) || tags.length === 0) return null;
    const names = tags.map((tag) => replay.header.tags[tag] || `tag ${tag}`);
    return h("section", {}, h("h4", {}, "Tags"), h("p", { class: "rv-chips" }, ...names.map((name) => h("span", { class: "rv-chip" }, name))));
  }

  /** @param {number} object */
  #recipes(object) {
    const { replay, store } = this.context;
    const { shown } = store.state;
    const read = /** @param {string} name */ (name) => replay.tableValue(name, replay.field(name).at(object, shown));
    const lines = [];
    const protocols = read("protocols");
    for (const protocol of Array.isArray(protocols) ? protocols : []) lines.push(this.#protocolText(protocol));
    const [inputs, outputs] = [read("input_resources"), read("output_resources")];
    if (inputs || outputs) lines.push(`${this.#amounts(inputs)} \u2192 ${this.#amounts(outputs)}`);
    if (lines.length === 0) return null;
    return h("section", {}, h("h4", {}, "Protocols"), h("ul", { class: "rv-list" }, ...lines.slice(0, 60).map((line) => h("li", {}, line))));
  }

  /** @param {any} protocol @returns {string} "2 ore red -> 1 battery, cooldown 10, 2 agents". */
  #protocolText(protocol) {
    const { facts } = this.context;
    const parts = [`${this.#amounts(protocol?.inputs)} \u2192 ${this.#amounts(protocol?.outputs)}`];
    if (protocol?.cooldown) parts.push(`cooldown ${number(Number(protocol.cooldown))}`);
    if (protocol?.minAgents > 1) parts.push(`${number(Number(protocol.minAgents))} agents`);
    const vibes = Array.isArray(protocol?.vibes) ? protocol.vibes : [];
    if (vibes.length) parts.push(`vibe ${vibes.map((/** @type {unknown} */ vibe) => facts.vibeName(Number(vibe))).join(", ")}`);
    return parts.join(", ");
  }

  /** @param {unknown} pairs @returns {string} */
  #amounts(pairs) {
    const { facts } = this.context;
    const list = Array.isArray(pairs) ? pairs.filter(Array.isArray) : [];
    return list.length ? list.map(([item, amount]) => `${number(Number(amount))} ${facts.itemName(Number(item))}`).join(" + ") : "nothing";
  }

  /** @param {number} object */
  #activity(object) {
    const { facts, store } = this.context;
    const { shown } = store.state;
    const lines = activity(facts, object, shown - BEFORE, shown + AFTER);
    const here = Math.max(0, lines.findIndex((line) => line.from <= shown && line.to >= shown));
    const near = lines.slice(Math.max(0, here - LINES_BEFORE), here + LINES_AFTER + 1);
    return h("section", {}, h("h4", {}, "What it did"),
      h("div", { class: "rv-activity" }, ...near.map((line) => this.#line(line, shown))));
  }

  /** @param {Line} line @param {number} shown */
  #line(line, shown) {
    const now = line.from <= shown && line.to >= shown;
    const span = line.to > line.from ? `${count(line.from)}\u2013${count(line.to)}` : count(line.from);
    const times = line.to > line.from ? ` \u00d7${line.to - line.from + 1}` : "";
    const notes = [line.failed ? "failed" : "", line.reward ? `reward ${signed(line.reward)}` : "", ...line.notes].filter(Boolean);
    return h("button", {
      type: "button", class: `rv-line${now ? " rv-now" : ""}${line.to < shown ? " rv-past" : ""}`, "aria-current": now ? "step" : "false",
      onclick: () => this.context.seek(line.from),
    }, h("span", { class: "rv-line-step" }, span),
    h("span", { class: line.failed ? "rv-line-action rv-bad" : "rv-line-action" }, line.action + times),
    h("span", { class: line.reward > 0 ? "rv-line-note rv-good" : line.reward < 0 || line.failed ? "rv-line-note rv-bad" : "rv-line-note" }, notes.join(", ")));
  }
}

/** @param {[string, string][]} rows */
export function definitions(rows) {
  return h("dl", { class: "rv-facts" }, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

/** @param {string} name @param {number} amount @param {number | undefined} limit */
function inventoryRow(name, amount, limit) {
  const bar = h("span", { class: "rv-bar" });
  if (limit !== undefined && limit > 0) {
    const part = h("span", { class: "rv-bar-part" });
    part.style.width = `${Math.min(100, (100 * amount) / limit)}%`;
    bar.append(part);
  } else {
    bar.classList.add("rv-bar-none");
  }
  return h("div", { class: "rv-inventory-row" }, h("span", {}, name), bar,
    h("span", { class: "rv-number" }, limit !== undefined ? `${number(amount)} / ${number(limit)}` : number(amount)));
}
