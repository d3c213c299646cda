/** One replay in the page: what every object is at every step, decoded part by part. No DOM. */
import { reason } from "../../page/js/format.js";
import { lowerBound, max, min, round, within } from "../../page/js/maths.js";
import { decodeTrack } from "./tracks.js";
import { Columns, inflate, readHeader } from "./wire.js";

/**
 * @import { Track } from "./tracks.js"
 * @import { ChunkInfo, Header } from "./wire.js"
 * @typedef {(hash: string, id: string) => Promise<Uint8Array>} Ask Fetches a chunk that is not embedded.
 * @typedef {{x: number, y: number}} Point
 * @typedef {object} Loaded
 * @property {Columns | null} columns @property {Promise<void> | null} loading @property {string} failed @property {number} used
 * @property {Map<string, Track>} tracks
 * @typedef {ChunkInfo & Loaded} Chunk A stretch of steps that is loaded as one.
 */

/** Inflated parts kept at once; decoding doubles or trebles them. */
const KEEP_BYTES = 48e6;

/** One quantity of all objects (or of all inventory pairs). */
export class Field {
  /** @param {Replay} replay @param {string} name @param {number} length */
  constructor(replay, name, length) {
    const { base, header } = replay;
    const info = header.fields.get(name);
    this.replay = replay;
    this.name = name;
    this.present = info !== undefined;
    this.kind = info?.kind ?? "int";
    const [x, y] = this.kind === "xy" ? ["x", "y"] : ["", ""];
    const scalar = info ? info.scalar : (header.defaults[name] ?? 0);
    /** Values at step 0: one for each object, or one for all. */
    this.columns = scalar === undefined ? [x, y].map((axis) => base.numbers(`${name}.c${axis}`)) : null;
    this.scalars = [scalar ?? 0].flat();
    /** Objects that change, ascending. */
    this.movers = base.sums(`${name}.i`);
    this.lasts = base.numbers(`${name}.f${x}`);
    this.moverOf = new Int32Array(this.movers.length ? length : 0).fill(-1);
    this.movers.forEach((object, mover) => { this.moverOf[object] = mover; });
  }

  /** @param {number} object @param {number} [axis] 1 for the second coordinate of a place. @returns {number} The value at step 0. */
  first(object, axis = 0) {
    return this.columns ? this.columns[axis][object] : this.scalars[axis];
  }

  /** @param {number} object @returns {number} Its place among the movers, or -1. */
  mover(object) {
    return this.moverOf[object] ?? -1;
  }

  /** @param {number} object @returns {number} The value at the last step. */
  last(object) {
    const mover = this.mover(object);
    return mover < 0 ? this.first(object) : this.lasts[mover];
  }

  /** @param {number} object @param {number} step @returns {{track: Track | null, mover: number, point: number}} The last change up to a step, null and -1 for none. */
  change(object, step) {
    const mover = this.mover(object);
    const track = mover < 0 || step <= 0 ? null : this.replay.track(this, step);
    return { track, mover, point: track ? track.find(mover, step) : -1 };
  }

  /** @param {number} object @param {number} step @returns {number} NaN while that stretch of steps is not loaded. */
  at(object, step) {
    const mover = this.mover(object);
    if (mover < 0 || step <= 0) return this.first(object);
    return this.replay.track(this, step)?.at(mover, step) ?? NaN;
  }

  /**
   * Visit the stretches of equal value in [from, to), as far as they are loaded.
   * @param {number} object @param {number} from @param {number} to @param {(from: number, to: number, value: number) => void} visit
   */
  runs(object, from, to, visit) {
    const mover = this.mover(object);
    if (mover < 0 && from < to) visit(from, to, this.first(object));
    if (mover < 0) return;
    for (const chunk of this.replay.chunks) {
      const [low, high] = [max(from, chunk.from), min(to, chunk.to)];
      if (low < high && chunk.columns) this.replay.track(this, low)?.runs(mover, low, high, visit);
    }
  }
}

export class Replay {
  /** @param {Uint8Array} bytes @param {Header} header @param {Columns} base @param {Ask} ask */
  constructor(bytes, header, base, ask) {
    this.bytes = bytes;
    this.header = header;
    this.base = base;
    this.ask = ask;
    this.steps = header.steps;
    this.map = { width: header.width, height: header.height };
    this.ids = base.sums("id");
    this.types = base.numbers("type");
    this.agentIds = base.numbers("agent_id");
    /** Agents in the order of their numbers. */
    this.agents = Int32Array.from(base.numbers("agent_objects"));
    /** @type {Map<string, Field>} */
    this.fields = new Map();
    this.location = this.field("location");
    this.alive = this.field("alive");
    this.pairItems = base.numbers("inventory.t");
    this.pairObjects = base.sums("inventory.o");
    this.inventory = new Field(this, "inventory", this.pairItems.length);
    /** Who holds each cell: 1 + a team's number. */
    this.territory = new Field(this, "territory", header.width * header.height);
    /** When each cell was first seen, where that is known. */
    this.explored = base.sums("explored");
    const [chunks, texts] = ["steps", "text"].map((wanted) => header.chunks.filter(({ kind }) => kind === wanted)
      .map((info) => /** @type {Chunk} */ ({ ...info, columns: null, loading: null, failed: "", used: 0, tracks: new Map() })));
    this.chunks = chunks;
    this.texts = texts;
    this.config = header.chunks.find((info) => info.kind === "config");
    this.recent = this.chunks[0];
    this.clock = 0;
    /** Called when a part has arrived or failed. @type {() => void} */
    this.onload = () => {};
  }

  /**
   * Read as much as the first frame needs: names, and everything at step 0.
   * @param {Uint8Array} bytes @param {Ask} ask @returns {Promise<Replay>}
   */
  static async open(bytes, ask) {
    const header = await readHeader(bytes);
    const { offset, size, raw } = header.chunks[0];
    const base = await inflate(bytes.subarray(/** @type {number} */ (offset), /** @type {number} */ (offset) + size), raw, "the first step");
    return new Replay(bytes, header, new Columns(base), ask);
  }

  /** @param {string} name @returns {Field} Of the objects; absent fields hold their default everywhere. */
  field(name) {
    const field = this.fields.get(name) ?? new Field(this, name, this.header.objects);
    this.fields.set(name, field);
    return field;
  }

  /** @param {string} name Of a field. @param {number} object @param {number} step @returns {number} */
  at(name, object, step) {
    return this.field(name).at(object, step);
  }

  /** @param {number} object @param {number} step @returns {boolean} Whether it is on the map. */
  here(object, step) {
    return this.alive.at(object, step) !== 0;
  }

  /** @param {number} step @returns {number} A whole step that the replay has. */
  clampStep(step) {
    return within(round(step) || 0, 0, this.steps - 1);
  }

  /** @param {number} step @returns {Chunk} The last one for a step past the end. */
  chunkOf(step) {
    if (step < this.recent.from || step >= this.recent.to) this.recent = this.chunks.find((chunk) => step < chunk.to) ?? /** @type {Chunk} */ (this.chunks.at(-1));
    return this.recent;
  }

  /** @param {number} step @returns {boolean} Whether everything at this step can be told now. */
  ready(step) {
    return step <= 0 || this.chunkOf(step).columns !== null;
  }

  /** @param {number} step @returns {Promise<void>} Settles when the stretch around `step` has arrived or failed. */
  load(step) {
    return this.fetch(this.chunkOf(step));
  }

  /** @param {Chunk} chunk @returns {Promise<void>} Settles when it has arrived or failed. */
  async fetch(chunk) {
    if (!chunk.columns && !chunk.failed) await (chunk.loading ??= this.#fetch(chunk));
  }

  /** @param {Chunk} chunk */
  async #fetch(chunk) {
    try {
      chunk.columns = new Columns(await this.raw(chunk));
      chunk.used = ++this.clock;
      this.#forget();
    } catch (error) {
      chunk.failed = reason(error);
    }
    chunk.loading = null;
    this.onload();
  }

  /** @param {ChunkInfo} info @returns {Promise<Uint8Array<ArrayBuffer>>} */
  async raw({ id, offset, size, raw }) {
    return inflate(offset === null ? await this.ask(this.header.hash, id) : this.bytes.subarray(offset, offset + size), raw, `the part ${id}`);
  }

  /** Drop what was used longest ago until the rest fits. */
  #forget() {
    const held = this.chunks.filter((chunk) => chunk.columns).sort((a, b) => b.used - a.used);
    let bytes = 0;
    held.forEach((chunk, i) => {
      bytes += chunk.raw;
      if (i <= 2 || bytes <= KEEP_BYTES) return;
      chunk.columns = null;
      chunk.tracks.clear();
    });
  }

  /** Load the embedded steps, one part after the other, as far as they may be kept together. */
  async loadAhead() {
    let bytes = 0;
    for (const { from, raw, offset } of this.chunks) {
      bytes += raw;
      if (offset === null || (from > 0 && bytes > KEEP_BYTES)) return;
      await new Promise((resolve) => setTimeout(resolve));
      await this.load(max(1, from));
    }
  }

  /**
   * Return a field's change points around a step, null while they are not loaded.
   * @param {Field} field @param {number} step @returns {Track | null}
   */
  track(field, step) {
    const chunk = this.chunkOf(step);
    chunk.used = ++this.clock;
    let track = chunk.tracks.get(field.name);
    if (!track && chunk.columns) {
      track = decodeTrack(chunk.columns, field.name, field.kind, field.movers.length, chunk.from);
      chunk.tracks.set(field.name, track);
    }
    return track ?? null;
  }

  /** @param {number} object @param {number} step @returns {Point} Where an object is. */
  locate(object, step) {
    const { location } = this;
    const { track, mover, point } = location.change(object, step);
    return track ? { x: track.value(mover, point), y: track.row(mover, point) } : { x: location.first(object), y: location.first(object, 1) };
  }

  /** @param {number} object @returns {number[]} The inventory pairs of an object. */
  pairsOf(object) {
    const pairs = [];
    for (let pair = lowerBound(this.pairObjects, object); this.pairObjects[pair] === object; pair++) pairs.push(pair);
    return pairs;
  }

  /** @param {number} object @param {number} item @returns {number} Their pair, -1 where it never holds any. */
  pair(object, item) {
    return this.pairsOf(object).find((pair) => this.pairItems[pair] === item) ?? -1;
  }

  /** @param {number} object @param {number} item @param {number} step @returns {number} How many it holds. */
  held(object, item, step) {
    const pair = this.pair(object, item);
    return pair < 0 ? 0 : this.inventory.at(pair, step);
  }

  /** @param {number} object @param {number} step @returns {number} Sum of rewards up to and including `step`; not finite from the step on at which one is not. */
  total(object, step) {
    const totals = this.field("total_reward");
    if (totals.kind !== "derived") return totals.at(object, step);
    const mover = totals.mover(object);
    if (mover < 0 || step <= 0) return totals.first(object);
    const { from, columns } = this.chunkOf(step);
    if (!columns) return NaN;
    let total = columns.numbers("total_reward.k")[mover];
    this.field("current_reward").runs(object, max(1, from), step + 1, (start, end, value) => { total += value * (end - start); });
    return total;
  }

  /** @param {string} table @param {number} object @param {number} step @returns {any[]} A list that a table field holds, empty when absent. */
  tableList(table, object, step) {
    return this.header.tables[table]?.[this.at(table, object, step)] ?? [];
  }
}
