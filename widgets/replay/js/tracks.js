/** Change points: for each mover of a field the steps at which its value changes. Pure. */
import { WireError } from "./wire.js";

/** @import { Columns, Numbers } from "./wire.js" */

/**
 * The change points of one field in one chunk of steps. A point holds until the next; before the first, the key value holds.
 */
export class Track {
  /**
   * @param {number} from First step of the chunk.
   * @param {Uint32Array} starts (movers + 1) Where each mover's points begin.
   * @param {Uint16Array | Uint32Array} steps Steps after `from`, ascending within a mover.
   * @param {(mover: number, point: number) => number} read The value at a point.
   * @param {(mover: number) => number} key The value on entry.
   */
  constructor(from, starts, steps, read, key) {
    this.from = from;
    this.starts = starts;
    this.steps = steps;
    this.read = read;
    this.key = key;
  }

  /** @param {number} mover @param {number} step @returns {number} The last point at or before `step`, or -1. */
  find(mover, step) {
    const first = this.starts[mover];
    const target = step - this.from;
    let low = first;
    let high = this.starts[mover + 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.steps[middle] <= target) low = middle + 1;
      else high = middle;
    }
    return low === first ? -1 : low - 1;
  }

  /** @param {number} mover @param {number} step @returns {number} */
  at(mover, step) {
    const point = this.find(mover, step);
    return point < 0 ? this.key(mover) : this.read(mover, point);
  }

  /**
   * Visit the stretches of equal value that overlap [from, to).
   * @param {number} mover @param {number} from @param {number} to
   * @param {(from: number, to: number, value: number) => void} visit With bounds cut to the range.
   */
  runs(mover, from, to, visit) {
    let point = this.find(mover, from);
    let start = from;
    const end = this.starts[mover + 1];
    while (start < to) {
      const next = point < 0 ? this.starts[mover] : point + 1;
      const until = next < end ? Math.min(to, this.from + this.steps[next]) : to;
      if (until > start) visit(start, until, point < 0 ? this.key(mover) : this.read(mover, point));
      start = until;
      point = next;
    }
  }
}

/** Positions: as a `Track`, with two values a point. */
export class PathTrack extends Track {
  /**
   * @param {number} from @param {Uint32Array} starts @param {Uint16Array | Uint32Array} steps
   * @param {Numbers} x @param {Numbers} y @param {Numbers} keyX @param {Numbers} keyY
   */
  constructor(from, starts, steps, x, y, keyX, keyY) {
    super(from, starts, steps, (_, point) => x[point], (mover) => keyX[mover]);
    this.x = x;
    this.y = y;
    this.keyX = keyX;
    this.keyY = keyY;
  }
}

/**
 * Decode one field of a steps chunk.
 * @param {Columns} columns @param {string} name @param {string} kind
 * @param {number} movers @param {number} from @param {number} to
 * @param {{x: Numbers, y: Numbers} | null} entry Values on entry where the chunk holds none (the first one).
 * @param {{width: number, height: number}} map
 * @returns {Track}
 */
export function decodeTrack(columns, name, kind, movers, from, to, entry, map) {
  const starts = countsToStarts(columns, name, movers);
  const total = starts[movers];
  const steps = absoluteSteps(columns.numbers(`${name}.s`, total), starts, to - from, name);
  if (kind === "xy") {
    const keyX = entry ? entry.x : columns.numbers(`${name}.kx`, movers);
    const keyY = entry ? entry.y : columns.numbers(`${name}.ky`, movers);
    const x = accumulate(columns.numbers(`${name}.vx`, total), starts, keyX, 0, map.width, name);
    const y = accumulate(columns.numbers(`${name}.vy`, total), starts, keyY, 0, map.height, name);
    return new PathTrack(from, starts, steps, x, y, keyX, keyY);
  }
  const keys = entry ? entry.x : columns.numbers(`${name}.k`, movers);
  const key = /** @param {number} mover */ (mover) => keys[mover];
  if (kind === "bool") return new Track(from, starts, steps, (m, p) => (keys[m] ^ ((p - starts[m] + 1) & 1)), key);
  let values = columns.numbers(`${name}.v`, total);
  if (kind === "delta") values = accumulate(values, starts, keys, -0x80000000, 0x80000000, name);
  if (kind === "float" && columns.has(`${name}.u`)) {
    const distinct = columns.numbers(`${name}.u`);
    const index = values;
    return new Track(from, starts, steps, (_, p) => distinct[index[p]] ?? NaN, key);
  }
  const plain = values;
  return new Track(from, starts, steps, (_, p) => plain[p], key);
}

/** @param {Columns} columns @param {string} name @param {number} movers @returns {Uint32Array} */
function countsToStarts(columns, name, movers) {
  const starts = new Uint32Array(movers + 1);
  if (!columns.has(`${name}.n`)) return starts;
  const counts = columns.numbers(`${name}.n`, movers);
  let sum = 0;
  for (let i = 0; i < movers; i++) {
    if (counts[i] < 0) throw new WireError(`${columns.what} is damaged: ${name} has a negative count`);
    sum += counts[i];
    starts[i + 1] = sum;
  }
  return starts;
}

/** @param {Numbers} deltas @param {Uint32Array} starts @param {number} span @param {string} name */
function absoluteSteps(deltas, starts, span, name) {
  const steps = span <= 65_536 ? new Uint16Array(deltas.length) : new Uint32Array(deltas.length);
  for (let mover = 0; mover + 1 < starts.length; mover++) {
    let step = 0;
    for (let i = starts[mover], first = i, end = starts[mover + 1]; i < end; i++) {
      const delta = deltas[i];
      if (delta < (i === first ? 0 : 1)) throw new WireError(`the steps of ${name} do not ascend`);
      step += delta;
      steps[i] = step;
    }
    if (step >= span && span > 0) throw new WireError(`the steps of ${name} leave their part`);
  }
  return steps;
}

/**
 * @param {Numbers} deltas @param {Uint32Array} starts @param {Numbers} keys
 * @param {number} low @param {number} high Values must lie in [low, high). @param {string} name
 */
function accumulate(deltas, starts, keys, low, high, name) {
  const narrow = low === 0 && high <= 65_536;
  const values = narrow ? new Uint16Array(deltas.length) : new Int32Array(deltas.length);
  for (let mover = 0; mover + 1 < starts.length; mover++) {
    let value = keys[mover];
    for (let i = starts[mover], end = starts[mover + 1]; i < end; i++) {
      value += deltas[i];
      if (value < low || value >= high) throw new WireError(`a value of ${name} is out of range`);
      values[i] = value;
    }
  }
  return values;
}
