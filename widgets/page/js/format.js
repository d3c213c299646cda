/** Numbers and names as people read them. Pure. */
import { abs, floor, round } from "./maths.js";

export const MISSING = "\u2013";

/** @type {[number, string][]} */
const SUFFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

const ROUNDS_UP = 1 - 0.5e-3;

/** What is said when an error has no message of its own. */
export const PROBLEM = "the data could not be read";

/** @param {number} value @returns {string} Thousands separated, no decimals, a true minus sign. */
export function count(value) {
  // toLocaleString costs milliseconds a table.
  return Number.isFinite(value) ? minus(String(round(value)).replace(/\B(?=(\d{3})+$)/g, ",")) : MISSING;
}

/** @param {number} value @returns {string} Three significant digits, thousands separated. */
export function number(value) {
  const size = abs(value);
  if (!Number.isFinite(value)) return MISSING;
  if (size >= 1e9 || (size > 0 && size < 1e-5)) return minus(value.toExponential(2));
  if (Number.isInteger(value) || size >= 1000) return count(value);
  return minus(String(Number(value.toPrecision(3))));
}

/** @param {number} value @returns {string} As `number`, with a plus sign when above zero. */
export const signed = (value) => (value > 0 ? "+" : "") + number(value);

/**
 * What was measured, as `experiments.project.look.quantity` writes it in terminals, tables and logs, digit by digit.
 * @param {number | null} value @returns {string} Three significant digits, an SI suffix and a true minus sign.
 */
export function quantity(value) {
  if (value === null || !Number.isFinite(value)) return MISSING;
  const size = abs(value);
  if (size >= 1e12 * ROUNDS_UP || (size > 0 && size < 1e-4 * ROUNDS_UP)) {
    const [digits, power] = value.toExponential(2).split("e");
    return minus(`${Number(digits)}e${Number(power)}`);
  }
  // What rounds up to the next unit is said in it.
  const [unit, suffix] = SUFFIXES.find(([each]) => size >= each * ROUNDS_UP) ?? [1, ""];
  return minus(String(Number((value / unit).toPrecision(3)))) + suffix;
}

/** @param {string} text */
const minus = (text) => text.replaceAll("-", "\u2212");

/** @param {string} name @returns {string} `carbon_extractor` as "carbon extractor". */
export const words = (name) => name.replace(/[_\s]+/g, " ").trim() || "unnamed";

/** @param {number} n @param {string} noun @returns {string} "1 agent", "32 agents". */
export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** @param {unknown[]} parts @param {string} [joint] @returns {string} Those that are not empty. */
export const joined = (parts, joint = ", ") => parts.filter(Boolean).join(joint);

/** @param {unknown} error @returns {string} */
export const reason = (error) => (error instanceof Error && error.message) || PROBLEM;

/** @param {number} span @param {number} wanted About how many ticks fit. @returns {number} A round step for axis ticks. */
export function tickStep(span, wanted) {
  if (!(span > 0) || !(wanted > 0)) return 1;
  const power = 10 ** floor(Math.log10(span / wanted));
  return power * ([1, 2, 5].find((factor) => factor * power >= span / wanted) ?? 10);
}
