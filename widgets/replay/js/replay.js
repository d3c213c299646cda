/** One replay in the page: what every object is at every step, decoded part by part. No DOM. */
import { reason } from "../../page/js/format.js";
import { lowerBound, max, min, round, within } from "../../page/js/maths.js";
import { decodeTrack } from "./tracks.js";
import { Columns, WireError, inflate, readHeader, runningSum } from "./wire.js";

/**
 * @import { Track } from "./tracks.js"
 * @import { ChunkInfo, Header, Numbers } from "./wire.js"
 * @typedef {(hash: string, id: string) => Promise<Uint8Array>} Ask Fetches a chunk that is not embedded.
 * @typedef {{x: number, y: number}} Point
 * @typedef {object} Loaded
 * @property {Columns | null} columns @property {Promise<void> | null} loading @property {string} failed @property {number} used
 * @property {Map<string, Track>} tracks
 * @typedef {ChunkInfo & Loaded} Chunk A stretch of steps that is loaded as one.
 */

/** Values where a replay has no such field; fields not listed are 0. @type {Record<string, number>} */
const DEFAULTS = { alive: 1, collective_id: -1, action_id: -1, action_success: 1, vision_size: 11 };

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
    const scalar = info ? info.scalar : (DEFAULTS[name] ?? 0);
    /** Values at step 0: one for each object, or one for all. */
    this.columns = scalar === null ? [x, y].map((axis) => base.numbers(`${name}.c${axis}`, length)) : null;
    this.scalars = [scalar, scalar].flat().map(Number);
    const count = (info && header.movers.get(name)) ?? 0;
    /** Objects that change, ascending. */
    this.movers = runningSum(base.numbers(`${name}.i`, count), length, name);
    this.lasts = base.numbers(`${name}.f${x}`, count);
    this.moverOf = new Int32Array(count ? length : 0).fill(-1);
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
    const n = header.objects;
    this.ids = runningSum(base.numbers("id", n), 2 ** 31 - 1, "the list of ids");
    this.types = base.numbers("type", n);
    this.agentIds = base.numbers("agent_id", n);
    /** Agents in the order of their numbers; a number that no object has is left out. */
    this.agents = Int32Array.from(base.numbers("agent_objects", header.agents)).filter((object) => object >= 0 && object < n);
    /** @type {Map<string, Field>} */
    this.fields = new Map();
    for (const [name, info] of header.fields) if (name !== "inventory" && info.kind !== "text") this.field(name);
    this.location = this.field("location");
    this.alive = this.field("alive");
    this.pairItems = base.numbers("inventory.t", header.pairs);
    this.pairObjects = runningSum(base.numbers("inventory.o", header.pairs), n, "the inventory");
    this.inventory = new Field(this, "inventory", header.pairs);
    /** @type {Chunk[]} */
    this.chunks = header.chunks.filter(({ kind }) => kind === "steps").map((info) => ({ ...info, columns: null, loading: null, failed: "", used: 0, tracks: new Map() }));
    const joined = this.chunks.every((chunk, i) => chunk.to > chunk.from && chunk.from === (this.chunks[i - 1]?.to ?? 0));
    if (!this.location.present || !joined || this.chunks.at(-1)?.to !== this.steps) throw new WireError("the parts of the replay do not join");
    this.texts = header.chunks.filter((info) => info.kind === "text");
    this.config = header.chunks.find((info) => info.kind === "config") ?? null;
    this.recent = this.chunks[0];
    this.clock = 0;
    /** Called when a stretch of steps has arrived or failed. @type {() => void} */
    this.onload = () => {};
  }

  /**
   * Read as much as the first frame needs: names, and everything at step 0.
   * @param {Uint8Array} bytes @param {Ask} ask @returns {Promise<Replay>}
   */
  static async open(bytes, ask) {
    const header = await readHeader(bytes);
    const info = header.chunks.find((chunk) => chunk.kind === "base");
    if (!info || info.offset === null) throw new WireError("the data holds no first step");
    const raw = await inflate(bytes.subarray(info.offset, info.offset + info.size), info.raw, "the first step");
    return new Replay(bytes, header, new Columns(raw, "the first step"), ask);
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
    if (step < this.recent.from || step >= this.recent.to) this.recent = this.chunks.find((chunk) => step < chunk.to) ?? this.chunks[this.chunks.length - 1];
    return this.recent;
  }

  /** @param {number} step @returns {boolean} Whether everything at this step can be told now. */
  ready(step) {
    return step <= 0 || this.chunkOf(step).columns !== null;
  }

  /** @param {number} step @returns {Promise<void>} Settles when the stretch around `step` has arrived or failed. */
  async load(step) {
    const chunk = this.chunkOf(step);
    if (!chunk.columns && !chunk.failed) await (chunk.loading ??= this.#fetch(chunk));
  }

  /** @param {Chunk} chunk */
  async #fetch(chunk) {
    const what = `the part with steps ${chunk.from} to ${chunk.to - 1}`;
    try {
      chunk.columns = await this.columnsOf(chunk, what);
      chunk.used = ++this.clock;
      this.#forget();
    } catch (error) {
      chunk.failed = reason(error);
    }
    chunk.loading = null;
    this.onload();
  }

  /** @param {ChunkInfo} info @param {string} what Named in errors. @returns {Promise<Uint8Array<ArrayBuffer>>} */
  async raw({ id, offset, size, raw }, what) {
    return inflate(offset === null ? await this.ask(this.header.hash, id) : this.bytes.subarray(offset, offset + size), raw, what);
  }

  /** @param {ChunkInfo} info @param {string} what Named in errors. @returns {Promise<Columns>} */
  async columnsOf(info, what) {
    return new Columns(await this.raw(info, what), what);
  }

  /** Drop what was used longest ago until the rest fits. */
  #forget() {
    const held = this.chunks.filter((chunk) => chunk.columns).sort((a, b) => b.used - a.used);
    let bytes = 0;
    held.forEach((chunk, i) => {
      bytes += chunk.raw;
      if (i > 2 && bytes > KEEP_BYTES) this.#drop(chunk);
    });
  }

  /** @param {Chunk} chunk */
  #drop(chunk) {
    chunk.columns = null;
    chunk.tracks.clear();
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
    return chunk.tracks.get(field.name) ?? this.#guard(chunk, (columns) => {
      const entry = /** @type {[Numbers, Numbers] | null} */ (chunk.from > 0 ? null : [0, 1].map((axis) => Float64Array.from(field.movers, (object) => field.first(object, axis))));
      const track = decodeTrack(columns, field.name, field.kind, field.movers.length, chunk.from, chunk.to, entry, this.map);
      chunk.tracks.set(field.name, track);
      return track;
    });
  }

  /**
   * Run what may find the chunk damaged; then the chunk counts as failed, and its steps as not loaded.
   * @template T @param {Chunk} chunk @param {(columns: Columns) => T} read @returns {T | null}
   */
  #guard(chunk, read) {
    try {
      return chunk.columns && read(chunk.columns);
    } catch (error) {
      chunk.failed = reason(error);
      this.#drop(chunk);
      queueMicrotask(() => this.onload());
      return null;
    }
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

  /** @param {number} object @param {number} step @returns {number} Sum of rewards up to and including `step`; not finite from the step on at which one is not. */
  total(object, step) {
    const totals = this.field("total_reward");
    if (totals.kind !== "derived") return totals.at(object, step);
    const mover = totals.mover(object);
    if (mover < 0 || step <= 0) return totals.first(object);
    const chunk = this.chunkOf(step);
    const entry = this.#guard(chunk, (columns) => (chunk.from > 0 ? columns.numbers("total_reward.k", totals.movers.length)[mover] : totals.first(object)));
    let total = entry ?? NaN;
    this.field("current_reward").runs(object, max(1, chunk.from), step + 1, (from, to, value) => { total += value * (to - from); });
    return total;
  }

  /** @param {string} table @param {number} object @param {number} step @returns {any[]} A list that a table field holds, empty when absent. */
  tableList(table, object, step) {
    const value = this.header.tables.get(table)?.[this.at(table, object, step)];
    return Array.isArray(value) ? value : [];
  }

}
