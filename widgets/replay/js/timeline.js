/** Where a step is on the time axis, and what a pixel column of it holds. Pure. */
import { binOf, binStart } from "./events.js";
import { tickStep } from "./format.js";

/** @typedef {{left: number, width: number, steps: number}} Axis Pixels from the left edge, of the plot, and the replay's steps. */

/** @param {Axis} axis @param {number} step @returns {number} The pixel where the step begins. */
export function xOf(axis, step) {
  return axis.left + (axis.steps > 1 ? (step / (axis.steps - 1)) * axis.width : 0);
}

/** @param {Axis} axis @param {number} x @returns {number} The nearest step. */
export function stepAt(axis, x) {
  const step = Math.round(((x - axis.left) / Math.max(1, axis.width)) * (axis.steps - 1));
  return Math.min(axis.steps - 1, Math.max(0, step));
}

/** @param {Axis} axis @param {number} [spacing] Pixels between labels. @returns {number[]} Steps to label, 0 first. */
export function ticks(axis, spacing = 90) {
  const step = Math.max(1, tickStep(axis.steps - 1, axis.width / spacing));
  const found = [];
  for (let at = 0; at < axis.steps; at += step) found.push(at);
  return found;
}

/**
 * Turn sums per bin into a value per step for each bin.
 * @param {ArrayLike<number>} sums @param {number} steps @param {number} share Agents that share it; 1 for one agent.
 * @returns {Float64Array}
 */
export function ratePerStep(sums, steps, share) {
  const bins = sums.length;
  return Float64Array.from({ length: bins }, (_, bin) => {
    const length = binStart(bin + 1, bins, steps) - binStart(bin, bins, steps);
    return length > 0 ? sums[bin] / length / Math.max(1, share) : 0;
  });
}

/** @param {ArrayLike<number>} sums @param {number} share @returns {Float64Array} The total after each bin. */
export function runningTotal(sums, share) {
  const totals = new Float64Array(sums.length);
  let total = 0;
  for (let bin = 0; bin < sums.length; bin++) totals[bin] = total += sums[bin] / Math.max(1, share);
  return totals;
}

/**
 * Return the smallest and largest value, 0 included.
 * @param {ArrayLike<number>[]} lines
 */
export function extent(...lines) {
  let low = 0;
  let high = 0;
  for (const line of lines) {
    for (let i = 0; i < line.length; i++) {
      if (line[i] < low) low = line[i];
      if (line[i] > high) high = line[i];
    }
  }
  return { low, high: high > low ? high : low + 1 };
}

/**
 * Return the span of a column's bins: [first, last] bin under the pixels [x, x + 1).
 * @param {Axis} axis @param {number} x @param {number} bins
 * @returns {[number, number]}
 */
export function binsUnder(axis, x, bins) {
  const first = binOf(stepAt(axis, x), bins, axis.steps);
  const last = Math.max(first, binOf(stepAt(axis, x + 1), bins, axis.steps) - 1);
  return [first, last];
}
