/** Times, ages and durations as people read them. Pure. */
import { MISSING } from "./format.js";

// Made once: making a format takes longer than all else that is said of a row.
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const DAY = new Intl.DateTimeFormat("sv-SE");
/** @type {[number, number, string][]} Seconds of a unit, of the next one, and their letters. */
const UNITS = [[86400, 3600, "dh"], [3600, 60, "hm"], [60, 1, "ms"]];

/** @param {number | null} seconds @returns {string} `12 s`, `3 m 05 s`, `2 h 14 m`, `3 d 04 h`. */
export function duration(seconds) {
  if (seconds === null || !(seconds >= 0 && seconds < Infinity)) return MISSING;
  const whole = Math.round(seconds);
  for (const [unit, part, [big, small]] of UNITS) {
    const rest = String(Math.floor((whole % unit) / part)).padStart(2, "0");
    if (whole >= unit) return `${Math.floor(whole / unit)} ${big} ${rest} ${small}`;
  }
  return `${whole} s`;
}

/** @param {number} seconds @returns {string} An age in one unit: `12 s`, `3 m`, `2 h`, `5 d`. */
export const age = (seconds) => duration(Math.max(0, Math.floor(seconds))).split(" ").slice(0, 2).join(" ");

/** @param {number} at Unix seconds. @param {number} now @returns {string} `5 d ago`; after a month the day itself, `2026-11-29`. */
export const since = (at, now) => now - at < 30 * 86400 ? `${age(now - at)} ago` : DAY.format(at * 1000);

/** @param {number} at Unix seconds. @returns {string} A time in the reader's zone, which is named. */
export const moment = (at) => MOMENT.format(at * 1000);
