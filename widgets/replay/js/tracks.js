/** Change points: for each mover of a field the steps at which its value changes. Pure. */
import { min } from "./maths.js";
import { WireError } from "./wire.js";

/** @import { Columns, Numbers } from "./wire.js" */

/** The change points of one field in one chunk of steps. A point holds until the next; before the first, the value on entry holds. */
export class Track {
  /**
   * @param {number} from First step of the chunk.
   * @param {Uint32Array} starts (movers + 1) Where each mover's points begin.
   * @param {Uint16Array | Uint32Array} steps Steps after `from`, ascending within a mover.
   * @param {(mover: number, point: number) => number} read The value at a point.
   * @param {Numbers} keys Values on entry. @param {{values: Numbers, keys: Numbers} | null} rows The second coordinate of a place.
   */
  constructor(from, starts, steps, read, keys, rows) {
    this.from = from;
    this.starts = starts;
    this.steps = steps;
    this.read = read;
    this.keys = keys;
    this.rows = rows;
  }

  /** @param {number} mover @param {number} step @returns {number} The last point at or before `step`, or -1. */
  find(mover, step) {
    const first = this.starts[mover];
    let [low, high] = [first, this.starts[mover + 1]];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.steps[middle] <= step - this.from) low = middle + 1;
      else high = middle;
    }
    return low === first ? -1 : low - 1;
  }

  /** @param {number} mover @param {number} point @returns {number} The value at a point, -1 being the entry. */
  value(mover, point) {
    return point < 0 ? this.keys[mover] : this.read(mover, point);
  }

  /** @param {number} mover @param {number} point @returns {number} The second coordinate at a point. */
  row(mover, point) {
    return this.rows ? (point < 0 ? this.rows.keys[mover] : this.rows.values[point]) : 0;
  }

  /** @param {number} mover @param {number} step @returns {number} */
  at(mover, step) {
    return this.value(mover, this.find(mover, step));
  }

  /**
   * Visit the stretches of equal value that overlap [from, to).
   * @param {number} mover @param {number} from @param {number} to
   * @param {(from: number, to: number, value: number) => void} visit With bounds cut to the range.
   */
  runs(mover, from, to, visit) {
    let point = this.find(mover, from);
    for (let start = from; start < to;) {
      const next = point < 0 ? this.starts[mover] : point + 1;
      const until = next < this.starts[mover + 1] ? min(to, this.from + this.steps[next]) : to;
      if (until > start) visit(start, until, this.value(mover, point));
      [start, point] = [until, next];
    }
  }
}

/**
 * Decode one field of a chunk.
 * @param {Columns} columns @param {string} name @param {string} kind @param {number} movers
 * @param {number} from @param {number} to
 * @param {[Numbers, Numbers] | null} entry Values on entry where the chunk holds none (the first one).
 * @param {{width: number, height: number}} map
 * @returns {Track}
 */
export function decodeTrack(columns, name, kind, movers, from, to, entry, map) {
  const starts = new Uint32Array(movers + 1);
  if (columns.has(`${name}.n`)) starts.set(columns.numbers(`${name}.n`, movers), 1);
  for (let i = 1; i <= movers; i++) starts[i] += starts[i - 1];
  const total = starts[movers];
  const steps = ascending(columns.numbers(`${name}.s`, total), starts, to - from, name);
  const track = /** @param {Track["read"]} read @param {Numbers} keys @param {Track["rows"]} [rows] */ (read, keys, rows = null) => new Track(from, starts, steps, read, keys, rows);
  if (kind === "xy") {
    const [keyX, keyY] = entry ?? [columns.numbers(`${name}.kx`, movers), columns.numbers(`${name}.ky`, movers)];
    const x = accumulate(columns.numbers(`${name}.vx`, total), starts, keyX, 0, map.width, name);
    const y = accumulate(columns.numbers(`${name}.vy`, total), starts, keyY, 0, map.height, name);
    return track((_, point) => x[point], keyX, { values: y, keys: keyY });
  }
  const keys = entry ? entry[0] : columns.numbers(`${name}.k`, movers);
  if (kind === "bool") return track((mover, point) => keys[mover] ^ ((point - starts[mover] + 1) & 1), keys);
  const values = columns.numbers(`${name}.v`, total);
  if (kind === "float" && columns.has(`${name}.u`)) {
    const distinct = columns.numbers(`${name}.u`);
    return track((_, point) => distinct[values[point]] ?? NaN, keys);
  }
  const plain = kind === "delta" ? accumulate(values, starts, keys, -(2 ** 31), 2 ** 31, name) : values;
  return track((_, point) => plain[point], keys);
}

/** @param {Numbers} deltas @param {Uint32Array} starts @param {number} span @param {string} name */
function ascending(deltas, starts, span, name) {
  const steps = span <= 65536 ? new Uint16Array(deltas.length) : new Uint32Array(deltas.length);
  for (let mover = 0; mover + 1 < starts.length; mover++) {
    let step = -1;
    for (let i = starts[mover]; i < starts[mover + 1]; i++) {
      const next = step < 0 ? deltas[i] : step + deltas[i];
      if (!(next > step && next < span)) throw new WireError(`the steps of ${name} are out of order`);
      steps[i] = step = next;
    }
  }
  return steps;
}

/**
 * @param {Numbers} deltas @param {Uint32Array} starts @param {Numbers} keys
 * @param {number} low @param {number} high Values must lie in [low, high). @param {string} name
 */
function accumulate(deltas, starts, keys, low, high, name) {
  const values = low === 0 ? new Uint16Array(deltas.length) : new Int32Array(deltas.length);
  for (let mover = 0; mover + 1 < starts.length; mover++) {
    let value = keys[mover];
    for (let i = starts[mover]; i < starts[mover + 1]; i++) {
      value += deltas[i];
      if (!(value >= low && value < high)) throw new WireError(`a value of ${name} is out of range`);
      values[i] = value;
    }
  }
  return values;
}
