/** Change points: for each mover of a field the steps at which its value changes. Pure. */
import { lowerBound, min } from "../../page/js/maths.js";

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
  constructor(from, starts, steps, value, row = value) {
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
 * @param {Columns} columns @param {string} name @param {string} kind @param {number} movers @param {number} from
 * @returns {Track}
 */
export function decodeTrack(columns, name, kind, movers, from) {
  const starts = new Uint32Array(movers + 1);
  starts.set(columns.numbers(`${name}.n`), 1);
  for (let i = 1; i <= movers; i++) starts[i] += starts[i - 1];
  const steps = accumulate(columns.numbers(`${name}.s`), starts, new Uint32Array(movers));
  const [value, row] = (kind === "xy" ? ["x", "y"] : [""]).map((axis) => {
    const keys = columns.numbers(`${name}.k${axis}`);
    const values = columns.numbers(`${name}.v${axis}`);
    if (kind === "bool") return /** @type {Read} */ ((mover, point) => keys[mover] ^ (point < 0 ? 0 : (point - starts[mover] + 1) & 1));
    const distinct = columns.numbers(`${name}.u`);
    const held = /xy|delta/.test(kind) ? accumulate(values, starts, keys) : values;
    return /** @type {Read} */ ((mover, point) => (point < 0 ? keys[mover] : distinct.length ? distinct[held[point]] : held[point]));
  });
  return new Track(from, starts, steps, value, row);
}

/** @param {Numbers} deltas @param {Uint32Array} starts @param {Numbers} keys @returns {Int32Array} The sums of each mover's differences, from its key on. */
function accumulate(deltas, starts, keys) {
  const values = new Int32Array(deltas.length);
  keys.forEach((/** @type {number} */ value, /** @type {number} */ mover) => {
    for (let i = starts[mover]; i < starts[mover + 1]; i++) values[i] = value += deltas[i];
  });
  return values;
}
