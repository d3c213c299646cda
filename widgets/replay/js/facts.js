/** What the codec says of a replay, object by object and step by step: names, teams, symbols, and which objects ever change. No DOM. */
import { directionOfMove } from "./actions.js";
import { joined, number, words } from "../../page/js/format.js";
import { lowerBound, min } from "../../page/js/maths.js";
import { teamColour } from "./palette.js";
import { colourOf } from "./sprites.js";

/**
 * @import { Action } from "./actions.js"
 * @import { Palette } from "./palette.js"
 * @import { Replay } from "./replay.js"
 * @import { Sprite } from "./sprites.js"
 * @import { Recipe } from "./wire.js"
 */

export class Facts {
  /** @param {Replay} replay */
  constructor(replay) {
    this.replay = replay;
    const { header, base, location } = replay;
    this.teams = header.teams;
    this.teamField = replay.field(header.teams.field);
    this.isAgent = Uint8Array.from(replay.agentIds, /** @returns {any} */ (id) => id >= 0);
    /** What never moves, from the top row down, and their rows. */
    this.still = base.sums("still");
    this.rows = Int32Array.from(this.still, (object) => location.first(object, 1));
    this.moving = base.sums("moving");
    /** Things that a team holds at some step: their ring may change colour. */
    this.teamThings = base.sums("held");
    /** Of each of them, where walls are beside it: 1 up, 2 left, 4 down, 8 right, 16 a square that it begins. */
    this.walls = base.sums("walls");
    /** Version 1 records the state before an action, later versions the state after it. */
    this.effectDelay = header.version === 1 ? 1 : 0;
  }

  /**
   * Visit the unmoving objects in the cells [x0, x1) x [y0, y1).
   * @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1
   * @param {(object: number, x: number, y: number, walls: number) => void} visit
   */
  each(x0, y0, x1, y1, visit) {
    for (let i = lowerBound(this.rows, y0); this.rows[i] < y1; i++) {
      const x = this.replay.location.first(this.still[i]);
      if (x >= x0 && x < x1) visit(this.still[i], x, this.rows[i], this.walls[i]);
    }
  }

  /** @param {number} object @returns {Sprite} */
  sprite(object) {
    return /** @type {Sprite} */ (this.replay.header.looks.at(this.replay.types[object]));
  }

  /** @param {number} object @param {number} step @param {Palette} inks @returns {string} An agent's colour is its team's, a thing's its type's. */
  colour(object, step, inks) {
    return this.isAgent[object] ? teamColour(inks, this.hue(this.team(object, step))) : colourOf(this.sprite(object), inks);
  }

  /** @param {number} object @returns {string} "agent 7", "carbon extractor #1614". */
  title(object) {
    const { replay } = this;
    return this.isAgent[object] ? `agent ${replay.agentIds[object]}` : `${words(this.sprite(object).name)} #${replay.ids[object]}`;
  }

  /** @param {number} object @param {number} step @returns {string} Its action in words. */
  actionText(object, step) {
    return this.replay.header.actions[this.replay.at("action", object, step)]?.name ?? "no action";
  }

  /**
   * Return where a move or a turn leads: 0 up, 1 down, 2 left, 3 right, -1 nowhere.
   * @param {number} object @param {Action | undefined} action @param {number} step
   */
  direction(object, action, step) {
    const { replay } = this;
    const after = min(replay.steps - 1, step + this.effectDelay);
    if (action?.family !== "move" || action.direction >= 0 || after < 1 || !replay.ready(after)) return action?.direction ?? -1;
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

  /** @param {number} object @param {number} step @returns {number} Its team's number, -1 for none. */
  team(object, step) {
    return this.teams.of[this.teamField.at(object, step)] ?? -1;
  }

  /** @param {number} team @returns {number} Index of the team's colour. */
  hue(team) {
    return this.teams.hues[team] ?? 0;
  }

  /** @param {number} object @param {number} step @returns {string} "" when there is nothing to tell apart. */
  teamName(object, step) {
    const { several, names } = this.teams;
    return (several && names[this.team(object, step)]) || "";
  }

  /** @param {number} item @returns {string} */
  itemName(item) {
    return words(this.replay.header.item_names[item] || `item ${item}`);
  }

  /** @param {number} vibe @returns {string} */
  vibeName(vibe) {
    return words(this.replay.header.vibe_names[vibe] || String(vibe));
  }

  /** @param {number} object @param {number} step @returns {Recipe[]} What it does, first what the object itself says. */
  rules(object, step) {
    const { header, base } = this.replay;
    return [...this.replay.tableList("protocols", object, step), ...header.kinds[base.numbers("kind")[object]].rules.map((rule) => header.rules[rule])];
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
