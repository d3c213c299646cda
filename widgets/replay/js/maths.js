/** The few functions of `Math` that nearly every module uses, and a number kept within bounds. */

export const { abs, ceil, cos, floor, hypot, log1p, max, min, round, sin } = Math;

/** @param {number} value @param {number} low @param {number} high */
export function within(value, low, high) {
  return min(high, max(low, value));
}
