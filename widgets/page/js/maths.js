/** The few functions of `Math` that nearly every module uses, and a number kept within bounds. */

export const { abs, ceil, cos, floor, hypot, log1p, max, min, round, sin } = Math;

/** @param {number} value @param {number} low @param {number} high */
export const within = (value, low, high) => min(high, max(low, value));

/** @param {ArrayLike<number>} sorted @param {number} value @param {number} [low] @param {number} [high] @returns {number} First index in [low, high) whose entry is at least `value`, `high` for none. */
export function lowerBound(sorted, value, low = 0, high = sorted.length) {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle] < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
