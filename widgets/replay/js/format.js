/** Numbers and names as people read them. Pure. */

const MISSING = "\u2013";

/** @param {number} value @returns {string} Thousands separated, no decimals. */
export function count(value) {
  return Number.isFinite(value) ? Math.round(value).toLocaleString("en-GB") : MISSING;
}

/** @param {number} value @returns {string} Three significant digits, thousands separated, a true minus sign. */
export function number(value) {
  if (!Number.isFinite(value)) return MISSING;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e9 || size < 1e-4) return minus(value.toExponential(2));
  if (Number.isInteger(value) || size >= 1000) return minus(Math.round(value).toLocaleString("en-GB"));
  return minus(String(Number(value.toPrecision(3))));
}

/** @param {number} value @returns {string} As `number`, with a plus sign when above zero. */
export function signed(value) {
  return value > 0 ? `+${number(value)}` : number(value);
}

/** @param {string} text */
function minus(text) {
  return text.replace(/^-/, "\u2212");
}

/** @param {string} name @returns {string} `carbon_extractor` as "carbon extractor". */
export function words(name) {
  const text = String(name).replace(/[_\s]+/g, " ").trim();
  return text || "unnamed";
}

/** @param {string} text @param {number} limit @returns {string} Cut to `limit` characters with an ellipsis. */
export function clip(text, limit) {
  return text.length > limit ? `${text.slice(0, limit - 1)}\u2026` : text;
}

/** @param {number} n @param {string} noun @returns {string} "1 agent", "32 agents". */
export function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/**
 * Return a round step for axis ticks.
 * @param {number} span Length of the axis in its own unit.
 * @param {number} wanted About how many ticks fit.
 */
export function tickStep(span, wanted) {
  if (!(span > 0) || !(wanted > 0)) return 1;
  const raw = span / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const scaled = raw / power;
  return (scaled <= 1 ? 1 : scaled <= 2 ? 2 : scaled <= 5 ? 5 : 10) * power;
}

/** What is said when an error has no message of its own. */
export const PROBLEM = "the data could not be read";
