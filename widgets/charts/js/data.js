/**
 * Rows, colours and the point that is meant. Pure.
 *
 * @typedef {Record<string, any[]>} Columns
 * @typedef {{x: number, y: number}} Place Pixels inside the plot.
 */

const NEAR_PX = 32;
const GAP_PX = 18;
const AXIS_PX = 40;
const AXES_PX = 44;
const LEGEND_PX = 30;

/** @param {any} spec @param {number} width Of the page's place for it. @returns {number} In how many columns small charts stand. */
export function columnsIn(spec, width) {
  const each = (spec.concat?.[0]?.width ?? 0) + AXIS_PX + GAP_PX;
  return width > 0 ? Math.max(1, Math.min(spec.columns, Math.floor((width + GAP_PX) / each))) : spec.columns;
}

/** @param {any} spec @returns {number} How high it will be, near enough that little moves when it is drawn. */
export function waitHeight(spec) {
  const small = spec.concat ?? [spec];
  const rows = Math.ceil(small.length / Math.max(1, spec.columns ?? 1));
  return Math.max(0, ...small.map((/** @type {any} */ each) => each.height ?? 0)) * rows + AXES_PX * rows + LEGEND_PX * new Set(legends(spec)).size;
}

/** @param {any} part Of a specification. @returns {string[]} Where legends stand. */
function legends({ encoding = {}, layer = [], concat = [] }) {
  const own = [encoding.color, encoding.shape].map((channel) => channel?.legend?.orient).filter(Boolean);
  return [...own, ...[...layer, ...concat].flatMap(legends)];
}

/** @param {Columns} columns @param {number} row @returns {Record<string, any>} */
export function rowOf(columns, row) {
  return Object.fromEntries(Object.keys(columns).map((name) => [name, columns[name][row]]));
}

/** @param {Columns} columns @returns {Record<string, any>[]} */
export function rowsOf(columns) {
  return (Object.values(columns)[0] ?? []).map((_, row) => rowOf(columns, row));
}

/**
 * What became of one dataset: other values in some columns, or stretches of rows that give way to others.
 *
 * @typedef {{columns: Columns, cuts?: [number, number, number][]}} Change See ../changes.py.
 */

/**
 * @template T
 * @param {T[]} values @param {T[]} come @param {[number, number, number][]} cuts @returns {T[]} Values with some in others' place.
 */
export function spliced(values, come, cuts) {
  /** @type {T[]} */
  const found = [];
  let [from, next] = [0, 0];
  for (const [at, gone, number] of cuts) {
    for (; from < at; from++) found.push(values[from]);
    for (const end = next + number; next < end; next++) found.push(come[next]);
    from += gone;
  }
  for (; from < values.length; from++) found.push(values[from]);
  return found;
}

/** @param {Record<string, Columns>} tables @param {{datasets: Record<string, Change>, gone: string[]}} piece @returns {Record<string, Columns>} The tables as they are now. */
export function changed(tables, { datasets, gone }) {
  const now = Object.fromEntries(Object.entries(tables).filter(([name]) => !gone.includes(name)));
  for (const [name, { columns, cuts }] of Object.entries(datasets)) {
    const whole = cuts ? Object.entries(columns).map(([column, come]) => [column, spliced(now[name][column], come, cuts)]) : Object.entries(columns);
    now[name] = { ...now[name], ...Object.fromEntries(whole) };
  }
  return now;
}

/** @param {any} value @param {Record<string, string>} colours @returns {any} The same with other colours. */
export function recoloured(value, colours) {
  return JSON.parse(JSON.stringify(value).replace(/#[0-9a-f]{6}/g, (colour) => colours[colour] ?? colour));
}

/**
 * @param {Columns} points @param {Place} at @param {(x: number) => number} toX @param {(y: number) => number} toY
 * @returns {number} Row of the nearest point within reach; -1 where there is none.
 */
export function nearest(points, at, toX, toY) {
  let [found, best] = [-1, NEAR_PX * NEAR_PX];
  const { x = [], y = [] } = points;
  for (let row = 0; row < x.length; row++) {
    const across = toX(x[row]) - at.x;
    if (Math.abs(across) > NEAR_PX) continue;
    const away = across ** 2 + (toY(y[row]) - at.y) ** 2;
    if (away < best) [found, best] = [row, away];
  }
  return found;
}
