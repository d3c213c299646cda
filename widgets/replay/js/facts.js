/** What is worked out once from a replay: names, teams, symbols, and which objects ever change. No DOM. */
import { WAYS, describeAction, directionOfMove } from "./actions.js";
import { joined, number, words } from "../../page/js/format.js";
import { lowerBound, min } from "../../page/js/maths.js";
import { series } from "./palette.js";
import { colourOf, describeSprites } from "./sprites.js";

/**
 * @import { Action } from "./actions.js"
 * @import { Palette } from "./palette.js"
 * @import { Replay } from "./replay.js"
 * @import { Sprite } from "./sprites.js"
 */

const UNKNOWN = /** @type {Sprite} */ ({ kind: "thing", shape: 0, hue: 7, letters: "?", name: "unknown" });

export class Facts {
  /** @param {Replay} replay @param {Replay[]} [all] Those on the page, which share their symbols. */
  constructor(replay, all = [replay]) {
    this.replay = replay;
    const { header } = replay;
    this.symbols = describeSprites(header.type_names, all.flatMap((each) => each.header.type_names));
    this.actions = header.action_names.map(describeAction);
    this.isAgent = new Uint8Array(header.objects);
    for (const object of replay.agents) this.isAgent[object] = 1;
    this.teams = new Teams(replay);
    /** Objects whose place or presence changes. */
    const movers = new Set([...replay.location.movers, ...replay.alive.movers]);
    const { location, alive, map } = replay;
    // Plain loops, sorted as numbers of row and object: this is most of what the first frame waits for.
    const order = new Float64Array(header.objects);
    let n = 0;
    for (let i = 0; i < header.objects; i++) {
      const y = location.first(i, 1);
      if (!movers.has(i) && alive.first(i) && location.first(i) < map.width && y < map.height) order[n++] = y * header.objects + i;
    }
    /** What never moves, from the top row down, and their rows. */
    this.still = new Int32Array(n);
    this.rows = new Int32Array(n);
    order.subarray(0, n).sort().forEach((key, i) => {
      this.still[i] = key % header.objects;
      this.rows[i] = key / header.objects;
    });
    this.movingThings = [...movers].filter((object) => !this.isAgent[object]);
    /** Things that a team holds at some step: their ring may change colour. */
    this.teamThings = this.teams.heldThings(this.isAgent);
    /** Version 1 records the state before an action, later versions the state after it. */
    this.effectDelay = header.version === 1 ? 1 : 0;
  }

  /**
   * Visit the unmoving objects in the cells [x0, x1) x [y0, y1).
   * @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1
   * @param {(object: number, x: number, y: number) => void} visit
   */
  each(x0, y0, x1, y1, visit) {
    for (let i = lowerBound(this.rows, y0); this.rows[i] < y1; i++) {
      const x = this.replay.location.first(this.still[i]);
      if (x >= x0 && x < x1) visit(this.still[i], x, this.rows[i]);
    }
  }

  /** @param {number} object @returns {Sprite} */
  sprite(object) {
    return this.symbols[this.replay.types[object]] ?? UNKNOWN;
  }

  /** @param {number} object @param {number} step @param {Palette} palette @returns {string} An agent's colour is its team's, a thing's its type's. */
  colour(object, step, palette) {
    return this.isAgent[object] ? series(palette, this.teams.hue(this.teams.of(object, step))) : colourOf(this.sprite(object), palette);
  }

  /** @param {number} object @returns {string} "agent 7", "carbon extractor #1614". */
  title(object) {
    const { replay } = this;
    return this.isAgent[object] ? `agent ${replay.agentIds[object]}` : `${words(this.sprite(object).name)} #${replay.ids[object]}`;
  }

  /** @param {number} object @param {number} step @returns {string} Its action in words. */
  actionText(object, step) {
    const [id, parameter] = ["action_id", "action_param"].map((name) => this.replay.at(name, object, step));
    const { name = "", family, direction = 0 } = this.actions[id] ?? {};
    if (!family) return id >= 0 ? `action ${id}` : "no action";
    return words(name) + (family === "turn" && direction < 0 ? ` ${WAYS[parameter]?.[1] ?? parameter}` : parameter ? ` (${parameter})` : "");
  }

  /**
   * Return where a move or a turn leads: 0 up, 1 down, 2 left, 3 right, -1 nowhere.
   * @param {number} object @param {Action | undefined} action @param {number} step
   */
  direction(object, action, step) {
    const { replay } = this;
    if (!action || action.direction >= 0) return action?.direction ?? -1;
    const parameter = replay.at("action_param", object, step);
    if (action.family === "turn") return WAYS[parameter] ? parameter : -1;
    const after = min(replay.steps - 1, step + this.effectDelay);
    if (action.family !== "move" || after < 1 || !replay.ready(after)) return -1;
    const [a, b] = [after - 1, after].map((when) => replay.locate(object, when));
    return directionOfMove(b.x - a.x, b.y - a.y);
  }

  /** @param {number} object @param {number} step @returns {number} Where an agent faces, -1 unknown. */
  facing(object, step) {
    const { replay } = this;
    const turns = replay.field("orientation");
    if (turns.movers.length > 0) return turns.at(object, step);
    const { track, mover, point } = replay.location.change(object, step);
    if (!track || point < 0) return -1;
    const before = point === track.starts[mover] ? -1 : point - 1;
    return directionOfMove(track.value(mover, point) - track.value(mover, before), track.row(mover, point) - track.row(mover, before));
  }

  /** @param {number} object @param {number} step @returns {string} "" when there is nothing to tell apart. */
  teamName(object, step) {
    const { values, names } = this.teams;
    const team = this.teams.of(object, step);
    return team >= 0 && values.length > 1 ? words(names[team] || `team ${team}`) : "";
  }

  /** @param {number} item @returns {string} */
  itemName(item) {
    return words(this.replay.header.item_names[item] || `item ${item}`);
  }

  /** @param {number} vibe @returns {string} */
  vibeName(vibe) {
    return words(this.replay.header.vibe_names[vibe] || String(vibe));
  }

  /** @returns {number[]} Items that some agent holds at some step, in the order of the replay's list. */
  agentItems() {
    const { pairItems, pairObjects } = this.replay;
    return [...new Set(pairItems.filter((_, pair) => this.isAgent[pairObjects[pair]]))].sort((a, b) => a - b);
  }

  /** @param {number} object @param {number} step @returns {[number, number][]} Item and amount of what it holds. */
  holdings(object, step) {
    const { pairItems, inventory } = this.replay;
    return this.replay.pairsOf(object).map((pair) => /** @type {[number, number]} */ ([pairItems[pair], inventory.at(pair, step)])).filter(([, amount]) => amount);
  }

  /** @param {number} object @param {number} step @returns {string} One line for a tooltip. */
  summary(object, step) {
    const held = this.holdings(object, step).slice(0, 6).map(([item, amount]) => `${this.itemName(item)} ${number(amount)}`);
    return joined([this.title(object), this.teamName(object, step), this.isAgent[object] && this.actionText(object, step), ...held], " \u00b7 ");
  }
}

/** Words in a team's name that ask for a colour of the palette's series, in its order. */
const HUES = ["blue", "red", "green", "pink", "yellow", "purple", "cyan", "brown"];

/** Which team an object is of: by a `team:` tag, a collective or a group, whichever the replay has. */
export class Teams {
  /** @param {Replay} replay */
  constructor(replay) {
    const { tags, tables, group_names } = replay.header;
    const tagged = tags.flatMap((tag, id) => (tag.startsWith("team:") ? [{ id, name: tag.slice(5) }] : []));
    const name = tagged.length ? "tag_ids" : replay.field("collective_id").present ? "collective_id" : "group_id";
    this.replay = replay;
    this.field = replay.field(name);
    /** Team of each entry of the tag table. */
    this.entries = tagged.length ? (tables.get("tag_ids") ?? []).map((set) => tagged.findIndex(({ id }) => [set].flat().includes(id))) : null;
    const seen = new Set(Array.from(replay.agents, (object) => this.of(object, 0)));
    /** Team numbers, ascending. */
    this.values = tagged.length ? tagged.map((_, i) => i) : [...seen].filter((value) => value >= 0).sort((a, b) => a - b);
    this.names = tagged.length ? tagged.map((team) => team.name) : name === "group_id" ? group_names : [];
    const wished = this.values.map((value) => HUES.findIndex((hue) => this.names[value]?.includes(hue)));
    this.hues = wished.includes(-1) ? [...this.values.keys()] : wished;
  }

  /** @param {number} object @param {number} step @returns {number} The team's number, -1 for none. */
  of(object, step) {
    const value = this.field.at(object, step);
    return (this.entries ? this.entries[value] : value) ?? -1;
  }

  /** @param {number} team @returns {number} Index of the team's colour. */
  hue(team) {
    return this.hues[this.values.indexOf(team)] ?? 0;
  }

  /** @param {Uint8Array} isAgent @returns {number[]} Things other than agents that belong to a team at some step. */
  heldThings(isAgent) {
    if (this.values.length < 2 || this.field.name === "group_id") return [];
    return Array.from(isAgent.keys()).filter((object) => !isAgent[object] && (this.field.mover(object) >= 0 || this.of(object, 0) >= 0));
  }
}
