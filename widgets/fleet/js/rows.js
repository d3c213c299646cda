/**
 * What is known of the jobs of all experiments, and what it comes to. Pure.
 *
 * @typedef {Omit<import("../../jobs/js/rows.js").Row, "cost"> & {experiment: string, cost: number | null, data: string,
 *   alerts: string[]}} FleetRow See ../table.py.
 */
import { MISSING, quantity } from "../../page/js/format.js";
import { ALIVE, counted, fraction } from "../../jobs/js/rows.js";

/** @param {number | null} value @param {boolean} [more] Whether there is more whose cost nobody knows. */
export function dollars(value, more = false) {
  if (value === null) return MISSING;
  const text = value >= 1000 ? `$${quantity(value)}` : `$${value.toFixed(value > 0 && value < 10 ? 2 : 0)}`;
  return more ? `${text} + ?` : text;
}

/**
 * @param {FleetRow[]} rows Jobs of one experiment, or of all.
 * @returns {{counts: [string, number][], done: number | null, sps: number | null, cost: number | null, open: boolean,
 *   unknown: boolean, started: number | null, alerts: number}} Null where nobody knows any part.
 */
export function total(rows) {
  const parts = rows.map((row) => (row.state === "succeeded" ? 1 : fraction(row))).filter((part) => part !== null);
  const costs = rows.map((row) => row.cost).filter((cost) => cost !== null);
  const starts = rows.map((row) => row.started_at).filter((start) => start !== null);
  const done = sum(parts);
  return {
    counts: counted(rows),
    done: done === null ? null : done / rows.length,
    sps: sum(rows.filter((row) => row.state === "running").map((row) => row.sps).filter((speed) => speed !== null)),
    cost: sum(costs),
    unknown: costs.length < rows.length,
    open: rows.some((row) => ALIVE.includes(row.state) && row.state !== "unknown"),
    started: starts.length ? Math.max(...starts) : null,
    alerts: rows.reduce((found, row) => found + row.alerts.length, 0),
  };
}

/** @param {number[]} values @returns {number | null} Null for none. */
function sum(values) {
  return values.length ? values.reduce((before, value) => before + value, 0) : null;
}

/** @param {Iterable<FleetRow>} rows @returns {Map<string, FleetRow[]>} */
export function byExperiment(rows) {
  /** @type {Map<string, FleetRow[]>} */
  const found = new Map();
  for (const row of rows) {
    const others = found.get(row.experiment);
    if (others) others.push(row);
    else found.set(row.experiment, [row]);
  }
  return found;
}

/**
 * @param {Map<string, FleetRow>} rows Changed in place.
 * @param {{rows?: FleetRow[], gone?: string[]}} patch
 * @returns {Set<string>} The experiments that it touched.
 */
export function patched(rows, patch) {
  const touched = new Set();
  for (const run of patch.gone ?? []) {
    touched.add(rows.get(run)?.experiment ?? "");
    rows.delete(run);
  }
  for (const row of patch.rows ?? []) {
    touched.add(row.experiment);
    rows.set(row.run, row);
  }
  return touched;
}

/**
 * What needs somebody comes first, then what runs, then what is newest.
 * @param {ReturnType<typeof total>} a @param {ReturnType<typeof total>} b @returns {number} As `sort` takes it.
 */
export function moreUrgent(a, b) {
  return Number(b.alerts > 0) - Number(a.alerts > 0) || Number(b.open) - Number(a.open) || (b.started ?? 0) - (a.started ?? 0);
}
