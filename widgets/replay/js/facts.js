/** What is worked out once from a replay: names, teams, symbols, and which objects ever change. No DOM. */
import { describeAction, directionOfMove } from "./actions.js";
import { number, words } from "./format.js";
import { PathTrack } from "./tracks.js";
import { describeSprites } from "./sprites.js";

/**
 * @import { Action } from "./actions.js"
 * @import { Replay, Field } from "./replay.js"
 * @import { Sprite } from "./sprites.js"
 */

const BLOCK = 16;
const UNKNOWN_SPRITE = /** @type {Sprite} */ ({ kind: "thing", shape: 0, hue: 7, letters: "?", name: "unknown" });

export class Facts {
  /** @param {Replay} replay */
  constructor(replay) {
    this.replay = replay;
    const { header } = replay;
    this.sprites = describeSprites(header.typeNames);
    this.actions = header.actionNames.map(describeAction);
    this.teams = new Teams(replay);
    this.isAgent = new Uint8Array(header.objects);
    for (const object of replay.agents) this.isAgent[object] = 1;
    const { movers } = splitObjects(replay);
    this.blocks = new Blocks(replay, movers);
    this.movingThings = movers.filter((object) => !this.isAgent[object]);
    /** Things that a team holds at some step: their ring may change colour. */
    this.teamThings = this.teams.heldThings(this.isAgent);
    this.facesByField = replay.field("orientation").movers.length > 0;
    /** Version 1 records the state before an action, later versions the state after it. */
    this.effectDelay = header.version === 1 ? 1 : 0;
  }

  /** @param {number} object @returns {Sprite} */
  sprite(object) {
    return this.sprites[this.replay.types[object]] ?? UNKNOWN_SPRITE;
  }

  /** @param {number} object @returns {string} "agent 7", "carbon extractor #1614". */
  title(object) {
    if (this.isAgent[object]) return `agent ${this.replay.agentIds[object]}`;
    return `${words(this.replay.typeName(object))} #${this.replay.ids[object]}`;
  }

  /** @param {number} action @returns {Action | null} */
  action(action) {
    return this.actions[action] ?? null;
  }

  /** @param {number} action @param {number} parameter @returns {string} The action in words. */
  actionText(action, parameter) {
    const known = this.actions[action];
    if (!known) return action < 0 || Number.isNaN(action) ? "no action" : `action ${action}`;
    if (known.direction < 0 && known.family === "turn") return `${words(known.name)} ${DIRECTIONS[parameter] ?? parameter}`;
    return parameter ? `${words(known.name)} (${parameter})` : words(known.name);
  }

  /**
   * Return where a move or a turn leads: 0 up, 1 down, 2 left, 3 right, -1 nowhere.
   * @param {number} object @param {Action} action @param {number} parameter @param {number} step
   */
  direction(object, action, parameter, step) {
    if (action.direction >= 0) return action.direction;
    if (action.family === "turn") return parameter >= 0 && parameter < 4 ? parameter : -1;
    if (action.family !== "move") return -1;
    const after = Math.min(this.replay.steps - 1, step + this.effectDelay);
    if (after < 1 || !this.replay.ready(after)) return -1;
    this.replay.locate(object, after - 1, before);
    this.replay.locate(object, after, now);
    return directionOfMove(now.x - before.x, now.y - before.y);
  }

  /** @param {number} object @param {number} step @returns {number} Where an agent faces, -1 unknown. */
  facing(object, step) {
    const { replay } = this;
    if (this.facesByField) return replay.field("orientation").at(object, step);
    const { location } = replay;
    const mover = location.moverOf ? location.moverOf[object] : -1;
    if (mover < 0 || step <= 0) return -1;
    const track = replay.track(location, step);
    if (!(track instanceof PathTrack)) return -1;
    const point = track.find(mover, step);
    if (point < 0) return -1;
    const first = point === track.starts[mover];
    const x = first ? track.keyX[mover] : track.x[point - 1];
    const y = first ? track.keyY[mover] : track.y[point - 1];
    return directionOfMove(track.x[point] - x, track.y[point] - y);
  }

  /** @param {number} item @returns {string} */
  itemName(item) {
    const name = this.replay.header.itemNames[item];
    return name ? words(name) : `item ${item}`;
  }

  /** @param {number} vibe @returns {string} */
  vibeName(vibe) {
    const name = this.replay.header.vibeNames[vibe];
    return name ? words(name) : String(vibe);
  }

  /** @returns {number[]} Items that some agent holds at some step, in the order of the replay's list. */
  agentItems() {
    const { replay } = this;
    const found = new Set();
    for (let pair = 0; pair < replay.pairItems.length; pair++) if (this.isAgent[replay.pairObjects[pair]]) found.add(replay.pairItems[pair]);
    return [...found].sort((a, b) => a - b);
  }

  /** @param {number} object @param {number} step @returns {{item: number, amount: number}[]} What it holds, without zeros. */
  holdings(object, step) {
    const { replay } = this;
    const [from, to] = replay.pairsOf(object);
    const held = [];
    for (let pair = from; pair < to; pair++) {
      const amount = replay.inventory.at(pair, step);
      if (amount) held.push({ item: replay.pairItems[pair], amount });
    }
    return held;
  }

  /** @param {number} object @param {number} step @returns {string} One line for a tooltip. */
  summary(object, step) {
    const parts = [this.title(object)];
    const team = this.teams.nameOf(this.teams.of(object, step));
    if (team) parts.push(team);
    if (this.isAgent[object]) {
      const { replay } = this;
      parts.push(this.actionText(replay.field("action_id").at(object, step), replay.field("action_param").at(object, step)));
    }
    const held = this.holdings(object, step).slice(0, 6).map(({ item, amount }) => `${this.itemName(item)} ${number(amount)}`);
    return [...parts, ...held].join(" \u00b7 ");
  }
}

const DIRECTIONS = ["up", "down", "left", "right"];
const before = { x: 0, y: 0 };
const now = { x: 0, y: 0 };

/** @param {Replay} replay @returns {{movers: Int32Array}} Objects whose place or presence changes, ascending. */
function splitObjects(replay) {
  const found = new Set([...replay.location.movers, ...replay.alive.movers]);
  return { movers: Int32Array.from(found).sort() };
}

/** The things that never move, by blocks of cells, those of one type together. */
class Blocks {
  /** @param {Replay} replay @param {Int32Array} movers */
  constructor(replay, movers) {
    this.replay = replay;
    this.columns = Math.ceil(replay.map.width / BLOCK);
    this.rows = Math.ceil(replay.map.height / BLOCK);
    const n = replay.header.objects;
    const moves = new Uint8Array(n);
    for (const object of movers) moves[object] = 1;
    this.starts = new Uint32Array(this.columns * this.rows + 1);
    const block = new Int32Array(n).fill(-1);
    for (let i = 0; i < n; i++) {
      if (moves[i] || !replay.alive.first(i)) continue;
      block[i] = this.#blockAt(replay.location.first(i), cellY(replay, i));
      if (block[i] >= 0) this.starts[block[i] + 1]++;
    }
    for (let b = 0; b < this.starts.length - 1; b++) this.starts[b + 1] += this.starts[b];
    this.objects = new Int32Array(this.starts[this.starts.length - 1]);
    const next = this.starts.slice();
    for (let i = 0; i < n; i++) if (block[i] >= 0) this.objects[next[block[i]]++] = i;
    for (let b = 0; b < this.starts.length - 1; b++) {
      this.objects.subarray(this.starts[b], this.starts[b + 1]).sort((p, q) => replay.types[p] - replay.types[q] || p - q);
    }
  }

  /** @param {number} x @param {number} y */
  #blockAt(x, y) {
    if (!(x >= 0 && y >= 0 && x < this.replay.map.width && y < this.replay.map.height)) return -1;
    return Math.floor(y / BLOCK) * this.columns + Math.floor(x / BLOCK);
  }

  /**
   * Visit the unmoving objects whose blocks touch the cells [x0, x1) x [y0, y1).
   * @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1
   * @param {(object: number, x: number, y: number) => void} visit
   */
  each(x0, y0, x1, y1, visit) {
    const { replay } = this;
    for (let by = Math.max(0, Math.floor(y0 / BLOCK)); by < Math.min(this.rows, Math.ceil(y1 / BLOCK)); by++) {
      for (let bx = Math.max(0, Math.floor(x0 / BLOCK)); bx < Math.min(this.columns, Math.ceil(x1 / BLOCK)); bx++) {
        const b = by * this.columns + bx;
        for (let k = this.starts[b]; k < this.starts[b + 1]; k++) {
          const object = this.objects[k];
          visit(object, replay.location.first(object), cellY(replay, object));
        }
      }
    }
  }
}

/** @param {Replay} replay @param {number} object */
function cellY(replay, object) {
  const { firstY, scalarY } = replay.location;
  return firstY ? firstY[object] : /** @type {number} */ (scalarY);
}

/** Which team an object is of: by a `team:` tag, a collective or a group, whichever the replay has. */
export class Teams {
  /** @param {Replay} replay */
  constructor(replay) {
    const { header } = replay;
    this.replay = replay;
    this.tagged = header.tags.flatMap((tag, id) => (tag.startsWith("team:") ? [{ id, name: tag.slice(5) }] : []));
    const collective = replay.field("collective_id");
    /** @type {Field} */
    this.field = this.tagged.length ? replay.field("tag_ids") : collective.present ? collective : replay.field("group_id");
    this.teamOfEntry = this.tagged.length ? (header.tables.get("tag_ids") ?? []).map((tags) => this.#teamOfTags(tags)) : null;
    /** @type {number[]} */
    this.values = this.tagged.length ? this.tagged.map((_, index) => index) : this.#valuesSeen();
  }

  /** @param {unknown} tags */
  #teamOfTags(tags) {
    return Array.isArray(tags) ? this.tagged.findIndex((team) => tags.includes(team.id)) : -1;
  }

  /** @returns {number[]} Team numbers of the agents, ascending. */
  #valuesSeen() {
    const seen = new Set();
    for (const object of this.replay.agents) seen.add(this.field.first(object));
    return [...seen].filter((value) => value >= 0).sort((a, b) => a - b);
  }

  /** @returns {number} How many teams the agents form. */
  get count() {
    return this.values.length;
  }

  /** @param {number} object @param {number} step @returns {number} The team's number, -1 for none. */
  of(object, step) {
    const value = this.field.at(object, step);
    return this.teamOfEntry ? (this.teamOfEntry[value] ?? -1) : Number.isNaN(value) ? -1 : value;
  }

  /** @param {number} team @returns {number} Index of the team's colour. */
  hue(team) {
    const index = this.values.indexOf(team);
    return index < 0 ? 0 : index;
  }

  /** @param {number} team @returns {string} "" when there is nothing to tell apart. */
  nameOf(team) {
    if (team < 0 || this.count < 2) return "";
    const name = this.tagged[team]?.name ?? (this.field.name === "group_id" ? this.replay.header.groupNames[team] : undefined);
    return name ? words(name) : `team ${team}`;
  }

  /** @param {Uint8Array} isAgent @returns {Int32Array} Things other than agents that belong to a team at some step. */
  heldThings(isAgent) {
    if (this.count < 2 || this.field.name === "group_id") return new Int32Array(0);
    const found = [];
    for (let object = 0; object < isAgent.length; object++) {
      if (isAgent[object]) continue;
      const changes = this.field.moverOf !== null && this.field.moverOf[object] >= 0;
      if (changes || this.of(object, 0) >= 0) found.push(object);
    }
    return Int32Array.from(found);
  }
}
