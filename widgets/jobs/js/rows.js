/**
 * What is known of jobs, and how they are counted, found and put in order. Pure.
 *
 * @typedef {"run" | "state" | "progress" | "sps" | "reward" | "left" | "started"} Key
 * @typedef {{run: string, arm: string, seed: number, launcher: string, state: string, words: string, reason: string,
 *   step: number | null, total: number | null, sps: number | null, reward: number | null, left_s: number | null,
 *   started_at: number | null, ended_at: number | null, history?: string, cost?: string}} Row See ../table.py.
 * @typedef {{key: Key, down: boolean}} Sort
 */
import { plural } from "../../page/js/format.js";

export const STATES = ["running", "recovering", "pending", "failed", "unknown", "cancelled", "succeeded"];
export const ALIVE = ["pending", "running", "recovering", "unknown"];
export const ENDED = ["succeeded", "failed", "cancelled"];
const MOST_COLOURS = 8;

/** @type {[Key, string, (row: Row) => string | number | null][]} Key, heading, what rows are sorted by. */
export const COLUMNS = [
  ["run", "Run", (row) => row.run],
  ["state", "State", (row) => STATES.indexOf(row.state)],
  ["progress", "Progress", fraction],
  ["sps", "Steps/s", (row) => row.sps],
  ["reward", "Reward", (row) => row.reward],
  ["left", "Time left", (row) => row.left_s ?? (took(row) ?? NaN) + 1e9],
  ["started", "Started", (row) => row.started_at],
];

/** @param {Row[]} rows @param {{rows: [number, Partial<Row>][]}} piece @returns {Row[]} The rows as they are now. */
export function withNews(rows, piece) {
  const now = [...rows];
  for (const [at, values] of piece.rows) now[at] = { ...now[at], ...values };
  return now;
}

/** @param {Pick<Row, "step" | "total">} row @returns {number | null} Share of the steps asked for that are done, 0 to 1. */
export function fraction(row) {
  return row.step === null || !row.total ? null : Math.min(1, Math.max(0, row.step / row.total));
}

/** @param {Row} row @returns {number | null} Seconds that an ended job took. */
export function took(row) {
  if (!ENDED.includes(row.state) || row.started_at === null || row.ended_at === null) return null;
  return Math.max(0, row.ended_at - row.started_at);
}

/** @param {{state: string}[]} rows @returns {[string, number][]} The states that are there and how often. */
export function counted(rows) {
  const counts = STATES.map((state) => /** @type {[string, number]} */ ([state, rows.filter((row) => row.state === state).length]));
  return counts.filter(([, count]) => count);
}

/** @param {{state: string}[]} rows @returns {string} `5 jobs: 2 running, 3 succeeded`. */
export function summary(rows) {
  return `${plural(rows.length, "job")}: ${counted(rows).map(([state, count]) => `${count} ${state}`).join(", ")}`;
}

/** @param {{arm: string}[]} rows @returns {string[]} Their arms in the order of the colours; none where colours tell nothing apart. */
export function colouredArms(rows) {
  const arms = [...new Set(rows.map((row) => row.arm))];
  return arms.length > 1 && arms.length <= MOST_COLOURS ? arms : [];
}

/** @param {string} text @param {string} filter @returns {boolean} Whether each word of the filter is in it. */
export function holds(text, filter) {
  const found = text.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => found.includes(word));
}

/** @param {Omit<Row, "cost">} row @returns {string} What a filter looks through. */
export function textOf(row) {
  return [row.run, row.arm, `s${row.seed}`, row.state, row.launcher, row.words, row.reason].join(" ");
}

/** @param {Row[]} rows @param {Sort | null} by @returns {Row[]} Missing values come last, whichever way. */
export function sorted(rows, by) {
  const value = COLUMNS.find(([key]) => key === by?.key)?.[2];
  if (!by || !value) return rows;
  const sign = by.down ? -1 : 1;
  return [...rows].sort((first, second) => {
    const [a, b] = [value(first) ?? NaN, value(second) ?? NaN];
    if (typeof a === "string") return sign * a.localeCompare(String(b), "en", { numeric: true });
    const missing = Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return Number.isNaN(a) || Number.isNaN(b) ? missing : sign * (a - Number(b));
  });
}
