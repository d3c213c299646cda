/**
 * Where the map is seen from. Pure: the same input gives the same camera.
 *
 * @typedef {{x: number, y: number, scale: number}} Camera Centre in cells, scale in CSS pixels a cell.
 * @typedef {{width: number, height: number}} Size
 * @typedef {Size & {map: Size}} View The size in CSS pixels of what shows a map, and the map's in cells.
 */
import { ceil, floor, max, min, within } from "../../page/js/maths.js";

export const MAX_SCALE = 96;
const MARGIN = 10;

/** @param {View} view @returns {Camera} The whole map, centred. */
export function fit({ width, height, map }) {
  const scale = min((width - 2 * MARGIN) / map.width, (height - 2 * MARGIN) / map.height);
  return { x: map.width / 2, y: map.height / 2, scale: within(scale, 0.05, MAX_SCALE) };
}

/** @param {Camera} camera @param {View} view @param {number} px @param {number} py CSS pixels. @returns {{x: number, y: number}} Cells. */
export const toWorld = (camera, view, px, py) => ({ x: (px - view.width / 2) / camera.scale + camera.x, y: (py - view.height / 2) / camera.scale + camera.y });

/** @param {Camera} camera @param {View} view @returns {Camera} With its centre on the map and its scale within limits. */
export function clamp({ x, y, scale }, view) {
  const all = fit(view);
  if (![x, y, scale].every(Number.isFinite)) return all;
  return { x: within(x, 0, view.map.width), y: within(y, 0, view.map.height), scale: within(scale, min(all.scale * 0.6, 8), MAX_SCALE) };
}

/**
 * Zoom by `factor`; the cell under the pointer stays under it.
 * @param {Camera} camera @param {View} view @param {number} factor @param {number} px @param {number} py
 * @returns {Camera}
 */
export function zoomAt(camera, view, factor, px, py) {
  const { scale } = clamp({ ...camera, scale: camera.scale * factor }, view);
  const { x, y } = toWorld(camera, view, px, py);
  return clamp({ x: x - (px - view.width / 2) / scale, y: y - (py - view.height / 2) / scale, scale }, view);
}

/** @param {Camera} camera @param {View} view @returns {{x0: number, y0: number, x1: number, y1: number}} Cells in view. */
export function visibleCells(camera, view) {
  const { width, height, map } = view;
  const low = toWorld(camera, view, 0, 0);
  const high = toWorld(camera, view, width, height);
  return { x0: max(0, floor(low.x)), y0: max(0, floor(low.y)), x1: min(map.width, ceil(high.x)), y1: min(map.height, ceil(high.y)) };
}
