/** One replay in the page: what every object is at every step, decoded part by part. No DOM. */
import { PathTrack, decodeTrack } from "./tracks.js";
import { Columns, WireError, inflate, parseJson, readHeader, runningSum } from "./wire.js";

/**
 * @import { Track } from "./tracks.js"
 * @import { ChunkInfo, Header, Numbers } from "./wire.js"
 * @typedef {(hash: string, id: string) => Promise<Uint8Array>} Ask Fetches a chunk that is not embedded.
 * @typedef {{x: number, y: number}} Point
 */

/** Values where a replay has no such field; fields not listed are 0. */
const DEFAULTS = new Map([["alive", 1], ["collective_id", -1], ["action_id", -1], ["action_success", 1], ["vision_size", 11]]);

/** Inflated parts kept at once; a part near the current step is never dropped. */
const KEEP_BYTES = 48e6;

/** A stretch of steps that is loaded as one. */
class StepsChunk {
  /** @param {ChunkInfo} info */
  constructor(info) {
    this.info = info;
    this.from = info.from;
    this.to = info.to;
    /** @type {Columns | null} */
    this.columns = null;
    /** @type {Promise<void> | null} */
    this.loading = null;
    /** @type {string} */
    this.failed = "";
    this.used = 0;
    /** @type {Map<string, Track>} */
    this.tracks = new Map();
    /** @type {Float64Array | null} */
    this.sums = null;
  }
}

/** One quantity of all objects (or of all inventory pairs). */
export class Field {
  /** @param {Replay} replay @param {string} name @param {Columns} base @param {number} length */
  constructor(replay, name, base, length) {
    const { header } = replay;
    const info = header.fields.get(name);
    this.replay = replay;
    this.name = name;
    this.present = info !== undefined;
    this.kind = info?.kind ?? "int";
    const [x, y] = this.kind === "xy" ? ["x", "y"] : ["", ""];
    const scalar = info ? info.scalar : (DEFAULTS.get(name) ?? 0);
    this.scalarX = Array.isArray(scalar) ? scalar[0] : scalar;
    this.scalarY = Array.isArray(scalar) ? scalar[1] : scalar;
    this.firstX = scalar === null ? base.numbers(`${name}.c${x}`, length) : null;
    this.firstY = scalar === null && y ? base.numbers(`${name}.c${y}`, length) : this.firstX;
    const count = info ? (header.movers.get(name) ?? 0) : 0;
    /** Objects that change, ascending. */
    this.movers = count ? runningSum(base.numbers(`${name}.i`, count), length, name) : new Int32Array(0);
    this.lasts = count ? base.numbers(`${name}.f${x}`, count) : null;
    this.moverOf = count ? new Int32Array(length).fill(-1) : null;
    for (let m = 0; m < count; m++) /** @type {Int32Array} */ (this.moverOf)[this.movers[m]] = m;
  }

  /** @param {number} object @returns {number} The value at step 0. */
  first(object) {
    return this.firstX ? this.firstX[object] : /** @type {number} */ (this.scalarX);
  }

  /** @param {number} object @returns {number} The value at the last step. */
  last(object) {
    const mover = this.moverOf ? this.moverOf[object] : -1;
    return mover < 0 ? this.first(object) : /** @type {Numbers} */ (this.lasts)[mover];
  }

  /** @param {number} object @param {number} step @returns {number} NaN while that stretch of steps is not loaded. */
  at(object, step) {
    const mover = this.moverOf ? this.moverOf[object] : -1;
    if (mover < 0 || step <= 0) return this.first(object);
    const track = this.replay.track(this, step);
    return track ? track.at(mover, step) : NaN;
  }

  /**
   * Visit the stretches of equal value in [from, to), as far as they are loaded.
   * @param {number} object @param {number} from @param {number} to
   * @param {(from: number, to: number, value: number) => void} visit
   */
  runs(object, from, to, visit) {
    const mover = this.moverOf ? this.moverOf[object] : -1;
    if (mover < 0) {
      if (from < to) visit(from, to, this.first(object));
      return;
    }
    for (const chunk of this.replay.chunks) {
      const low = Math.max(from, chunk.from);
      const high = Math.min(to, chunk.to);
      if (low < high && chunk.columns) this.replay.track(this, low)?.runs(mover, low, high, visit);
    }
  }
}

/** @param {Numbers | null} column @param {number} scalar @param {Int32Array} indices @returns {Numbers} */
function gather(column, scalar, indices) {
  const values = new Float64Array(indices.length);
  for (let i = 0; i < indices.length; i++) values[i] = column ? column[indices[i]] : scalar;
  return values;
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
    this.ids = runningSum(base.numbers("id", n), 0x7fffffff, "the object ids");
    this.types = base.numbers("type", n);
    this.agentIds = base.numbers("agent_id", n);
    /** Agents in the order of their numbers; a number that no object has is left out. */
    this.agents = Int32Array.from(base.numbers("agent_objects", header.agents)).filter((object) => object >= 0 && object < n);
    /** @type {Map<string, Field>} */
    this.fields = new Map();
    for (const [name, info] of header.fields) if (name !== "inventory" && info.kind !== "text") this.field(name);
    this.location = this.field("location");
    if (!this.location.present) throw new WireError("the replay holds no locations");
    this.alive = this.field("alive");
    this.pairItems = base.numbers("inventory.t", header.pairs);
    this.pairObjects = runningSum(base.numbers("inventory.o", header.pairs), n, "the inventory");
    this.inventory = new Field(this, "inventory", base, header.pairs);
    this.chunks = header.chunks.filter((chunk) => chunk.kind === "steps").map((chunk) => new StepsChunk(chunk));
    this.#checkChunks();
    this.texts = header.chunks.filter((chunk) => chunk.kind === "text");
    this.config = header.chunks.find((chunk) => chunk.kind === "config") ?? null;
    /** @type {Map<number, number>} */
    this.objectById = new Map();
    this.lastChunk = 0;
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

  #checkChunks() {
    let next = 0;
    for (const chunk of this.chunks) {
      if (chunk.from !== next || chunk.to <= chunk.from) throw new WireError("the parts of the replay do not join");
      next = chunk.to;
    }
    if (next !== this.steps) throw new WireError("the parts of the replay do not cover its steps");
  }

  /** @param {string} name @returns {Field} Of the objects; absent fields hold their default everywhere. */
  field(name) {
    let field = this.fields.get(name);
    if (!field) {
      field = new Field(this, name, this.base, this.header.objects);
      this.fields.set(name, field);
    }
    return field;
  }

  /** @param {number} object @returns {string} */
  typeName(object) {
    return this.header.typeNames[this.types[object]] || "unknown";
  }

  /** @param {number} id @returns {number} The object with this id, or -1. */
  indexOfId(id) {
    if (this.objectById.size === 0) this.ids.forEach((value, index) => this.objectById.set(value, index));
    return this.objectById.get(id) ?? -1;
  }

  /** @param {number} step @returns {number} A whole step that the replay has. */
  clampStep(step) {
    return Number.isFinite(step) ? Math.min(this.steps - 1, Math.max(0, Math.round(step))) : 0;
  }

  /** @param {number} step @returns {StepsChunk} */
  chunkOf(step) {
    const recent = this.chunks[this.lastChunk];
    if (step >= recent.from && step < recent.to) return recent;
    let low = 0;
    let high = this.chunks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.chunks[middle].to <= step) low = middle + 1;
      else high = middle;
    }
    this.lastChunk = low;
    return this.chunks[low];
  }

  /** @param {number} step @returns {boolean} Whether everything at this step can be told now. */
  ready(step) {
    return step <= 0 || this.chunkOf(step).columns !== null;
  }

  /** @param {number} step @returns {string} Why this step cannot be shown, or "". */
  failure(step) {
    return step <= 0 ? "" : this.chunkOf(step).failed;
  }

  /** @param {number} step @returns {Promise<void>} Settles when the stretch around `step` has arrived or failed. */
  load(step) {
    const chunk = this.chunkOf(step);
    if (chunk.columns || chunk.failed) return Promise.resolve();
    chunk.loading ??= this.#fetch(chunk);
    return chunk.loading;
  }

  /** Try again what failed, as after a kernel came back. @param {number} step */
  retry(step) {
    const chunk = this.chunkOf(step);
    chunk.failed = "";
    return this.load(step);
  }

  /** @param {StepsChunk} chunk */
  async #fetch(chunk) {
    const what = `the part with steps ${chunk.from} to ${chunk.to - 1}`;
    try {
      chunk.columns = new Columns(await this.#raw(chunk.info, what), what);
      chunk.used = ++this.clock;
      this.#forget();
    } catch (error) {
      chunk.failed = error instanceof Error ? error.message : String(error);
    }
    chunk.loading = null;
    this.onload();
  }

  /** @param {ChunkInfo} info @param {string} what */
  async #raw(info, what) {
    const packed = info.offset === null ? await this.ask(this.header.hash, info.id) : this.bytes.subarray(info.offset, info.offset + info.size);
    return inflate(packed, info.raw, what);
  }

  /** Drop what was used longest ago until the rest fits. */
  #forget() {
    const held = this.chunks.filter((chunk) => chunk.columns).sort((a, b) => a.used - b.used);
    let bytes = held.reduce((sum, chunk) => sum + chunk.info.raw, 0);
    while (held.length > 3 && bytes > KEEP_BYTES) {
      const chunk = /** @type {StepsChunk} */ (held.shift());
      bytes -= chunk.info.raw;
      chunk.columns = null;
      chunk.tracks.clear();
      chunk.sums = null;
    }
  }

  /** @returns {boolean} Whether all steps may be kept in memory together. */
  get isSmall() {
    return this.chunks.reduce((sum, chunk) => sum + chunk.info.raw, 0) <= KEEP_BYTES;
  }

  /**
   * Return a field's change points around a step, null while they are not loaded.
   * @param {Field} field @param {number} step @returns {Track | null}
   */
  track(field, step) {
    const chunk = this.chunkOf(step);
    if (!chunk.columns) return null;
    chunk.used = ++this.clock;
    const done = chunk.tracks.get(field.name);
    if (done) return done;
    return this.#guard(chunk, (columns) => {
      const track = this.#decode(chunk, columns, field);
      chunk.tracks.set(field.name, track);
      return track;
    });
  }

  /**
   * Run what may find the chunk damaged; then the chunk counts as failed, and its steps as not loaded.
   * @template T @param {StepsChunk} chunk @param {(columns: Columns) => T} read @returns {T | null}
   */
  #guard(chunk, read) {
    if (!chunk.columns) return null;
    try {
      return read(chunk.columns);
    } catch (error) {
      chunk.failed = error instanceof Error ? error.message : String(error);
      chunk.columns = null;
      chunk.tracks.clear();
      queueMicrotask(() => this.onload());
      return null;
    }
  }

  /** @param {StepsChunk} chunk @param {Columns} columns @param {Field} field @returns {Track} */
  #decode(chunk, columns, field) {
    const entry = chunk.from > 0 ? null : {
      x: gather(field.firstX, Number(field.scalarX), field.movers),
      y: gather(field.firstY, Number(field.scalarY), field.movers),
    };
    return decodeTrack(columns, field.name, field.kind, field.movers.length, chunk.from, chunk.to, entry, this.map);
  }

  /**
   * Find where an object is.
   * @param {number} object @param {number} step @param {Point} out Receives the cell.
   */
  locate(object, step, out) {
    const { location } = this;
    const mover = location.moverOf ? location.moverOf[object] : -1;
    const track = mover < 0 || step <= 0 ? null : this.track(location, step);
    if (track instanceof PathTrack) {
      const point = track.find(mover, step);
      out.x = point < 0 ? track.keyX[mover] : track.x[point];
      out.y = point < 0 ? track.keyY[mover] : track.y[point];
    } else {
      out.x = location.first(object);
      out.y = location.firstY ? location.firstY[object] : /** @type {number} */ (location.scalarY);
    }
  }

  /** @param {number} object @returns {[number, number]} The pairs (from, to) that hold its inventory. */
  pairsOf(object) {
    return [lowerBound(this.pairObjects, object), lowerBound(this.pairObjects, object + 1)];
  }

  /** @param {number} object @param {number} item @returns {number} The inventory pair, or -1 when it never holds the item. */
  pairOf(object, item) {
    const [from, to] = this.pairsOf(object);
    for (let pair = from; pair < to; pair++) if (this.pairItems[pair] === item) return pair;
    return -1;
  }

  /** @param {number} object @param {number} step @returns {number} Sum of rewards up to and including `step`. */
  total(object, step) {
    const totals = this.field("total_reward");
    if (totals.kind !== "derived") return totals.at(object, step);
    const mover = totals.moverOf ? totals.moverOf[object] : -1;
    if (mover < 0 || step <= 0) return totals.first(object);
    const chunk = this.chunkOf(step);
    return this.#guard(chunk, (columns) => {
      const entry = chunk.from > 0 ? columns.numbers("total_reward.k", totals.movers.length)[mover] : totals.first(object);
      return entry + this.#rewardWithin(chunk, object, step);
    }) ?? NaN;
  }

  /** @param {StepsChunk} chunk @param {number} object @param {number} step @returns {number} Rewards from the chunk's start to `step`. */
  #rewardWithin(chunk, object, step) {
    const rewards = this.field("current_reward");
    const begin = chunk.from > 0 ? chunk.from : 1;
    const mover = rewards.moverOf ? rewards.moverOf[object] : -1;
    if (mover < 0) return rewards.first(object) * (step - begin + 1);
    const track = this.track(rewards, step);
    if (!track) return NaN;
    chunk.sums ??= sumsBefore(track, rewards.movers.length, begin);
    const point = track.find(mover, step);
    if (point < 0) return track.key(mover) * (step - begin + 1);
    return chunk.sums[point] + track.read(mover, point) * (step - (track.from + track.steps[point]) + 1);
  }

  /** @param {string} table @param {number} index @returns {any} A value of a table field, null when absent. */
  tableValue(table, index) {
    return this.header.tables.get(table)?.[index] ?? null;
  }

  /** @param {number} text Index of the text chunk. @returns {Promise<Columns>} */
  async textColumns(text) {
    return new Columns(await this.#raw(this.texts[text], "the texts"), "the texts");
  }

  /** @returns {Promise<unknown>} The run's own settings. */
  async configValue() {
    if (!this.config) return null;
    return parseJson(await this.#raw(this.config, "the configuration"), "the configuration");
  }
}

/** @param {Int32Array} sorted @param {number} value @returns {number} First index whose entry is at least `value`. */
export function lowerBound(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {Track} track @param {number} movers @param {number} begin @returns {Float64Array} What was earned before each point. */
function sumsBefore(track, movers, begin) {
  const sums = new Float64Array(track.steps.length);
  for (let mover = 0; mover < movers; mover++) {
    let sum = 0;
    let since = begin;
    let value = track.key(mover);
    for (let p = track.starts[mover]; p < track.starts[mover + 1]; p++) {
      const step = track.from + track.steps[p];
      sum += value * Math.max(0, step - since);
      sums[p] = sum;
      since = step;
      value = track.read(mover, p);
    }
  }
  return sums;
}
