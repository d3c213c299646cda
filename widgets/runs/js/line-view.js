/** The elements of one line of the table: an arm with what its runs come to, or a run. */
import { dollars } from "../../fleet/js/rows.js";
import { mark } from "../../jobs/js/mark.js";
import { fill, make, set } from "../../page/js/dom.js";
import { MISSING, plural, quantity } from "../../page/js/format.js";
import { duration } from "../../page/js/time.js";
import { COUNTS, RUN, SEED, STATE, heights, together } from "./rows.js";

/** @import { Column, Group, Line, Row, Value } from "./rows.js" */

const [WIDTH, HEIGHT, MOST_CURVES, MOST_WORDS] = [96, 20, 8, 2];
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Line} line @param {Column[]} columns Those that are shown. @param {number[]} cells Where their values are in a row.
 * @param {{colour: string | undefined, isHidden: (row: Row) => boolean, grouped: boolean, shelved: {archived: Set<string>, kept: Set<string>}}} look
 * @returns {HTMLTableRowElement}
 */
export function drawLine({ group, row }, columns, cells, { colour, isHidden, grouped, shelved }) {
  const rows = group ? group.rows : row ? [row] : [];
  const away = rows.filter(isHidden).length;
  const name = group ? group.arm : row?.[RUN] ?? "";
  const eye = make("button.runs-eye", {
    type: "button", tabindex: -1, label: `Draw ${name || "the runs without an arm"}`, "aria-pressed": String(away < rows.length),
    title: away === rows.length ? "Not drawn; it counts all the same. Draw it again" : away ? `${away} of ${rows.length} not drawn` : "Drawn in the charts. Hide it there; it counts all the same",
  }, sign(EYE));
  const dot = make("span.runs-swatch", { "aria-hidden": "true", ...(colour ? { style: `background:${colour}` } : {}) });
  const element = make(group ? "tr.runs-row.runs-arm" : "tr.runs-row", { role: "row" },
    make("td.runs-run", { role: "rowheader" }, make("span.runs-id", {}, eye, ...(group ? [make("span.runs-caret", { "aria-hidden": "true" })] : []), dot, group ? armName(group) : runName(name, grouped), ...shelfMarks(rows, shelved))),
    stateCell(rows, group?.counts),
    make("td.runs-seed", { role: "gridcell" }, group ? plural(rows.length, "run") : row?.[SEED] ?? ""),
    ...columns.map((column, at) => valueCell(column, rows, cells[at], colour)));
  element.dataset.eye = away === rows.length ? "shut" : away ? "half" : "open";
  if (group) element.dataset.arm = name;
  else element.dataset.run = name;
  if (grouped) element.setAttribute("aria-level", group ? "1" : "2");
  return element;
}

/** What is archived or protected of some runs, as signs with a name. @param {Row[]} rows @param {{archived: Set<string>, kept: Set<string>}} shelved */
function shelfMarks(rows, { archived, kept }) {
  return /** @type {[string, string, Set<string>][]} */ ([["archived", BOX, archived], ["protected", LOCK, kept]]).flatMap(([word, d, runs]) => {
    const count = rows.filter((row) => runs.has(row[RUN])).length;
    if (!count) return [];
    const said = rows.length > 1 ? `${count} of ${rows.length} ${word}` : word;
    return [make("span.runs-sign", { role: "img", label: said, title: said }, sign([["", d]]))];
  });
}

/** @param {Group} group */
const armName = ({ arm }) => make("span.runs-name", { title: arm }, arm || "(no arm)");

/** @param {string} name @param {boolean} grouped Then the arm is said above. */
function runName(name, grouped) {
  return make("button.jobs-name", { type: "button", tabindex: -1, label: `Copy ${name}`, title: `${name}\nClick to copy` }, make("bdi", { dir: "ltr" }, grouped ? name.split(".").slice(-2).join(".") : name));
}

/** @param {Row[]} rows @param {[string, number][] | undefined} counts Of a group. */
function stateCell(rows, counts) {
  if (!counts) {
    const state = rows[0]?.[STATE] ?? "unknown";
    return make("td.runs-state", { role: "gridcell", "data-state": state }, mark(state), make("span.jobs-word", {}, state), rows[0]?.[COUNTS] ? null : make("span.runs-of", {}, "no seed"));
  }
  return make("td.runs-state", { role: "gridcell" }, make("span.runs-states", {}, ...counts.map(([state, count]) => make("span", { "data-state": state, title: `${count} ${state}` },
    mark(state), `${count}`, counts.length > MOST_WORDS ? "" : make("span.runs-word", {}, ` ${state}`)))));
}

/** @param {Column} column @param {Row[]} rows @param {number} cell @param {string | undefined} colour */
function valueCell(column, rows, cell, colour) {
  const element = make(`td.runs-${column.kind}`, { role: "gridcell" });
  if (column.kind === "curve") return curveCell(element, rows.map((row) => row[cell]), colour);
  const { value, of, values } = rows.length > 1 ? together(rows, cell) : { value: rows[0]?.[cell] ?? null, of: 0, values: 1 };
  if (of) {
    fill(element, shown(column.kind, value), make("span.runs-of", { "aria-hidden": "true" }, "x\u0304"));
    element.title = `Mean of ${of === rows.length ? plural(of, "run") : `${of} of ${plural(rows.length, "run")}`}: ${value}`;
  } else if (values > 1) fill(element, make("span.runs-of", {}, plural(values, "value")));
  else {
    fill(element, shown(column.kind, value));
    element.title = value === null ? `No value of ${column.label}` : String(value);
  }
  return element;
}

/** @param {string} kind @param {Value} value @returns {string} */
export function shown(kind, value) {
  if (value === null) return MISSING;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  return kind === "time" ? duration(value) : kind === "cost" ? dollars(value) : quantity(value);
}

/** @param {HTMLElement} element @param {Value[]} values @param {string | undefined} colour */
function curveCell(element, values, colour) {
  const curves = values.map(heights).filter((points) => points !== null);
  if (!curves.length) return fill(element, make("span.runs-of", {}, String(values[0] ?? MISSING)));
  const svg = document.createElementNS(SVG, "svg");
  set(svg, { width: WIDTH, height: HEIGHT, viewBox: `-1 0 ${WIDTH + 4} ${HEIGHT}`, "aria-hidden": "true", class: curves.length > 1 ? "runs-curves" : "" });
  svg.style.stroke = colour ?? "";
  for (const points of curves.slice(0, MOST_CURVES)) {
    const across = WIDTH / Math.max(1, points.length - 1);
    const places = points.map((height, at) => `${(at * across).toFixed(1)},${(HEIGHT - 2 - (HEIGHT - 4) * height).toFixed(1)}`);
    svg.append(set(document.createElementNS(SVG, "polyline"), { points: (places.length > 1 ? places : [places[0], places[0]]).join(" ") }));
  }
  if (curves.length > MOST_CURVES) element.title = `The first ${MOST_CURVES} of ${curves.length} curves`;
  return fill(element, svg);
}

const EYE = /** @type {[string, string][]} */ ([["open", "M1.5 8C3.5 4.8 5.6 3.5 8 3.5S12.5 4.8 14.5 8C12.5 11.2 10.4 12.5 8 12.5S3.5 11.2 1.5 8z"], ["open", "M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z"], ["shut", "M2 13.5L14 2.5"]]);
const BOX = "M2 3h12v3.5H2zM3.2 6.5v6.5h9.6V6.5M6.5 9h3";
const LOCK = "M3.5 7.5h9V14h-9zM5.3 7.5V5.2a2.7 2.7 0 0 1 5.4 0v2.3";

/** @param {[string, string][]} paths Kind and shape of each. */
function sign(paths) {
  const svg = document.createElementNS(SVG, "svg");
  set(svg, { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" });
  for (const [kind, d] of paths) svg.append(set(document.createElementNS(SVG, "path"), { d, ...(kind ? { class: `runs-${kind}` } : {}) }));
  return svg;
}
