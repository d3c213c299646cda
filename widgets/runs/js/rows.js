/**
 * What is known of runs: found, sorted, and put into groups by arm. Pure.
 *
 * @typedef {string | number | boolean | null} Value
 * @typedef {[run: string, arm: string, seed: string, counts: boolean, state: string, ...values: Value[]]} Row See ../table.py.
 * @typedef {{key: string, label: string, title: string, kind: string, name: string}} Column
 * @typedef {{columns: Column[], rows: Row[]}} Table
 * @typedef {{key: string, down: boolean}} Order By a column.
 * @typedef {{cell: number, down: boolean}} Sort By a cell of the rows.
 * @typedef {{arm: string, rows: Row[], counts: [string, number][]}} Group
 * @typedef {{key: string, group?: Group, row?: Row}} Line A group, or a run.
 */
import { counted, holds } from "../../jobs/js/rows.js";

export const RUN = 0, ARM = 1, SEED = 2, COUNTS = 3, STATE = 4, FIRST = 5; // cells of a row
const BOTTOM = "#".charCodeAt(0);
const LEVELS = "b".charCodeAt(0) - BOTTOM;

/** @type {WeakMap<Row, string>} Made once a row: a filter looks through all of them with each key that is pressed. */
const TEXTS = new WeakMap();

/** @param {Table} table @param {{rows: [number, [number, Value][]][]}} piece @returns {Table} The table as it is now. */
export function withNews(table, piece) {
  const rows = [...table.rows];
  for (const [at, values] of piece.rows) {
    const row = /** @type {Row} */ ([...rows[at]]);
    for (const [cell, value] of values) row[cell] = value;
    rows[at] = row;
  }
  return { columns: table.columns, rows };
}

/** @param {Row} row @param {Column[]} columns @returns {string} What a search looks through: names, state, and words of settings. */
export function textOf(row, columns) {
  const known = TEXTS.get(row);
  if (known !== undefined) return known;
  const words = columns.map(({ kind, label }, at) => (kind === "curve" || row[FIRST + at] === null ? "" : `${label}=${row[FIRST + at]}`));
  const text = [row[RUN], row[ARM], row[SEED], row[STATE], ...words].join(" ");
  TEXTS.set(row, text);
  return text;
}

/** @param {Table} table @param {string} text @returns {Row[]} The rows in which every word occurs. */
export function found({ columns, rows }, text) {
  return text ? rows.filter((row) => holds(textOf(row, columns), text)) : rows;
}

/** @param {Row[]} rows @returns {Group[]} In the order in which the arms first appear. */
export function byArm(rows) {
  /** @type {Map<string, Row[]>} */
  const arms = new Map();
  for (const row of rows) {
    const own = arms.get(row[ARM]);
    if (own) own.push(row);
    else arms.set(row[ARM], [row]);
  }
  return [...arms].map(([arm, own]) => ({ arm, rows: own, counts: counted(own.map((row) => ({ state: row[STATE] }))) }));
}

/**
 * What a group shows in one cell: what all have, else the mean over the runs that count.
 * @param {Row[]} rows @param {number} cell @returns {{value: Value, of: number, values: number}} `of` counts the runs behind a mean, 0 where it is none;
 *   `values` how many different values there are.
 */
export function together(rows, cell) {
  const different = new Set(rows.map((row) => row[cell]));
  if (different.size === 1) return { value: rows[0][cell], of: 0, values: 1 };
  const numbers = rows.filter((row) => row[COUNTS]).map((row) => row[cell]).filter((value) => typeof value === "number");
  const value = numbers.length ? numbers.reduce((sum, each) => sum + each, 0) / numbers.length : null;
  return { value, of: numbers.length, values: different.size };
}

/** @param {Value} a @param {Value} b @param {boolean} down @returns {number} As `sort` takes it: missing values come last, whichever way. */
export function compared(a, b, down) {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const sign = down ? -1 : 1;
  if (typeof a === "string" || typeof b === "string") return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  return sign * (Number(a) - Number(b));
}

/** @param {Row[]} rows @param {Sort | null} by @returns {Row[]} */
export function sorted(rows, by) {
  return by ? [...rows].sort((a, b) => compared(a[by.cell], b[by.cell], by.down)) : rows;
}

/**
 * The lines of the table from the top: groups with the runs of those that are open, or the runs alone.
 * @param {Row[]} rows @param {Sort | null} by @param {boolean} grouped @param {(arm: string) => boolean} isOpen @returns {Line[]}
 */
export function linesOf(rows, by, grouped, isOpen) {
  const line = /** @param {Row} row @returns {Line} */ (row) => ({ key: `run ${row[RUN]}`, row });
  if (!grouped) return sorted(rows, by).map(line);
  const groups = byArm(rows);
  if (by) {
    const ranks = new Map(groups.map((group) => [group.arm, by.cell === STATE ? group.counts[0]?.[0] ?? null : together(group.rows, by.cell).value]));
    groups.sort((a, b) => compared(ranks.get(a.arm) ?? null, ranks.get(b.arm) ?? null, by.down));
  }
  return groups.flatMap((group) => [{ key: `arm ${group.arm}`, group }, ...(isOpen(group.arm) ? sorted(group.rows, by).map(line) : [])]);
}

/** @param {Value} value Of a curve's cell. @returns {number[] | null} Heights, 0 to 1; null where it is no curve. */
export function heights(value) {
  if (typeof value !== "string" || !value.startsWith("~")) return null;
  return [...value.slice(1)].map((letter) => (letter.charCodeAt(0) - BOTTOM) / LEVELS);
}

/** @param {{runs: string[], arms: string[]}} hidden @returns {(row: Row) => boolean} Whether a run is not drawn. */
export function hider({ runs, arms }) {
  const [names, whole] = [new Set(runs), new Set(arms)];
  return (row) => names.has(row[RUN]) || whole.has(row[ARM]);
}
