/** Change points: for each mover of a field the steps at which its value changes. Pure. */
import { lowerBound, min } from "../../page/js/maths.js";
import { WireError } from "./wire.js";

/**
 * @import { Columns, Numbers } from "./wire.js"
 * @typedef {(mover: number, point: number) => number} Read The value at a point, or on entry at point -1.
 */

/** The change points of one field in one chunk of steps. A point holds until the next; before the first, the value on entry holds. */
export class Track {
  /**
   * @param {number} from First step of the chunk.
   * @param {Uint32Array} starts (movers + 1) Where each mover's points begin.
   * @param {Numbers} steps Steps after `from`, ascending within a mover.
   * @param {Read} value @param {Read} row The second coordinate of a place.
   */
  constructor(from, starts, steps, value, row) {
    this.from = from;
    this.starts = starts;
    this.steps = steps;
    this.value = value;
    this.row = row;
  }

  /** @param {number} mover @param {number} step @returns {number} The last point at or before `step`, or -1. */
  find(mover, step) {
    const first = this.starts[mover];
    const next = lowerBound(this.steps, step - this.from + 1, first, this.starts[mover + 1]);
    return next > first ? next - 1 : -1;
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
  const deltas = columns.numbers(`${name}.s`, total);
  const steps = accumulate(deltas, starts, new Uint32Array(movers), 0, to - from, `the steps of ${name} are out of order`, true);
  const track = /** @param {Read} value @param {Read} [row] */ (value, row = value) => new Track(from, starts, steps, value, row);
  const range = `a value of ${name} is out of range`;
  if (kind === "xy") {
    const [x, y] = ["x", "y"].map((axis, i) => {
      const keys = entry?.[i] ?? columns.numbers(`${name}.k${axis}`, movers);
      return held(keys, accumulate(columns.numbers(`${name}.v${axis}`, total), starts, keys, 0, i ? map.height : map.width, range));
    });
    return track(x, y);
  }
  const keys = entry?.[0] ?? columns.numbers(`${name}.k`, movers);
  if (kind === "bool") return track((mover, point) => keys[mover] ^ (point < 0 ? 0 : (point - starts[mover] + 1) & 1));
  const values = columns.numbers(`${name}.v`, total);
  if (kind === "float" && columns.has(`${name}.u`)) {
    const distinct = columns.numbers(`${name}.u`);
    return track((mover, point) => (point < 0 ? keys[mover] : (distinct[values[point]] ?? NaN)));
  }
  return track(held(keys, kind === "delta" ? accumulate(values, starts, keys, -(2 ** 31), 2 ** 31, range) : values));
}

/** @param {Numbers} keys On entry, by mover. @param {Numbers} values By point. @returns {Read} */
function held(keys, values) {
  return (mover, point) => (point < 0 ? keys[mover] : values[point]);
}

/**
 * @param {Numbers} deltas @param {Uint32Array} starts @param {Numbers} keys
 * @param {number} low @param {number} high Values must lie in [low, high). @param {string} problem Said when they do not.
 * @param {boolean} [rising] Whether each value must be above the mover's one before.
 */
function accumulate(deltas, starts, keys, low, high, problem, rising) {
  const values = low < 0 ? new Int32Array(deltas.length) : high > 65536 ? new Uint32Array(deltas.length) : new Uint16Array(deltas.length);
  keys.forEach((/** @type {number} */ value, /** @type {number} */ mover) => {
    let least = low;
    for (let i = starts[mover]; i < starts[mover + 1]; i++) {
      value += deltas[i];
      if (!(value >= least && value < high)) throw new WireError(problem);
      values[i] = value;
      if (rising) least = value + 1;
    }
  });
  return values;
}
