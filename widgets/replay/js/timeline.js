/** Where a step is on the time axis, and what the bins of the overview amount to. Pure. */
import { binStart } from "./events.js";
import { tickStep } from "../../page/js/format.js";
import { ceil, max, min, round, within } from "../../page/js/maths.js";

/** @typedef {{left: number, width: number, steps: number}} Axis Pixels from the left edge, of the plot, and the replay's steps. */

/** @param {Axis} axis @param {number} step @returns {number} The pixel where the step begins. */
export const xOf = ({ left, width, steps }, step) => left + (steps > 1 ? (step / (steps - 1)) * width : 0);

/** @param {Axis} axis @param {number} x @returns {number} The nearest step. */
export const stepAt = ({ left, width, steps }, x) => within(round(((x - left) / max(1, width)) * (steps - 1)), 0, steps - 1);

/** @param {Axis} axis @param {number} [spacing] Pixels between labels. @returns {number[]} Steps to label, 0 first. */
export function ticks({ width, steps }, spacing = 90) {
  const step = max(1, tickStep(steps - 1, width / spacing));
  return Array.from({ length: ceil(steps / step) }, (_, i) => i * step);
}

/** @param {ArrayLike<number>} sums By bin. @param {number} steps @param {number} share Agents that share it. @returns {Float64Array} Per step. */
export function ratePerStep(sums, steps, share) {
  const length = /** @param {number} bin */ (bin) => binStart(bin + 1, sums.length, steps) - binStart(bin, sums.length, steps);
  return Float64Array.from(sums, (sum, bin) => sum / max(1, length(bin)) / max(1, share));
}

/** @param {ArrayLike<number>} sums @param {number} share @returns {Float64Array} The total after each bin; unknown, NaN, from a bin without a sum on. */
export function runningTotal(sums, share) {
  let total = 0;
  return Float64Array.from(sums, (sum) => (total += sum / max(1, share)));
}

/** @param {Iterable<number>[]} lines @returns {{low: number, high: number}} The smallest and largest finite value, 0 included; dust is 0. */
export function extent(...lines) {
  let [low, high] = [0, 0];
  for (const line of lines) for (const value of line) if (Number.isFinite(value)) [low, high] = [min(low, value), max(high, value)];
  if (-low < high * 1e-6) low = 0;
  return { low, high: high > low ? high : low + 1 };
}
