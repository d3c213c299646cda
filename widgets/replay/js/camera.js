/**
 * Where the map is seen from. Pure: the same input gives the same camera.
 *
 * @typedef {{x: number, y: number, scale: number}} Camera Centre in cells, scale in CSS pixels a cell.
 * @typedef {{width: number, height: number}} Size
 */

export const MAX_SCALE = 96;
const MARGIN = 10;

/** @param {Size} map In cells. @param {Size} view In CSS pixels. @returns {Camera} The whole map, centred. */
export function fit(map, view) {
  const scale = Math.min((view.width - 2 * MARGIN) / map.width, (view.height - 2 * MARGIN) / map.height);
  return { x: map.width / 2, y: map.height / 2, scale: Math.min(MAX_SCALE, Math.max(0.05, scale)) };
}

/** @param {Size} map @param {Size} view @returns {number} The smallest scale one may zoom out to. */
export function minScale(map, view) {
  return Math.min(fit(map, view).scale * 0.6, 8);
}

/** @param {Camera} camera @param {Size} view @param {number} x @param {number} y Cells. */
export function toScreen(camera, view, x, y) {
  return {
    x: (x - camera.x) * camera.scale + view.width / 2,
    y: (y - camera.y) * camera.scale + view.height / 2,
  };
}

/** @param {Camera} camera @param {Size} view @param {number} px @param {number} py CSS pixels. */
export function toWorld(camera, view, px, py) {
  return {
    x: (px - view.width / 2) / camera.scale + camera.x,
    y: (py - view.height / 2) / camera.scale + camera.y,
  };
}

/**
 * Keep the centre on the map and the scale within its limits.
 * @param {Camera} camera @param {Size} map @param {Size} view @returns {Camera}
 */
export function clamp(camera, map, view) {
  const finite = Number.isFinite(camera.x) && Number.isFinite(camera.y) && Number.isFinite(camera.scale);
  if (!finite) return fit(map, view);
  return {
    x: Math.min(map.width, Math.max(0, camera.x)),
    y: Math.min(map.height, Math.max(0, camera.y)),
    scale: Math.min(MAX_SCALE, Math.max(minScale(map, view), camera.scale)),
  };
}

/**
 * Zoom by `factor`; the cell under the pointer stays under it.
 * @param {Camera} camera @param {Size} map @param {Size} view
 * @param {number} factor @param {number} px @param {number} py @returns {Camera}
 */
export function zoomAt(camera, map, view, factor, px, py) {
  const scale = Math.min(MAX_SCALE, Math.max(minScale(map, view), camera.scale * factor));
  const fixed = toWorld(camera, view, px, py);
  const moved = {
    x: fixed.x - (px - view.width / 2) / scale,
    y: fixed.y - (py - view.height / 2) / scale,
    scale,
  };
  return clamp(moved, map, view);
}

/** @param {Camera} camera @param {number} dx @param {number} dy CSS pixels. @returns {Camera} */
export function pan(camera, dx, dy) {
  return { x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale, scale: camera.scale };
}

/**
 * Return the half-open range of cells in view, inside the map.
 * @param {Camera} camera @param {Size} map @param {Size} view
 */
export function visibleCells(camera, map, view) {
  const topLeft = toWorld(camera, view, 0, 0);
  const bottomRight = toWorld(camera, view, view.width, view.height);
  return {
    x0: Math.max(0, Math.floor(topLeft.x)),
    y0: Math.max(0, Math.floor(topLeft.y)),
    x1: Math.min(map.width, Math.ceil(bottomRight.x)),
    y1: Math.min(map.height, Math.ceil(bottomRight.y)),
  };
}

/** @param {Camera} camera @param {Size} map @param {Size} view @returns {boolean} Whether the whole map is in view. */
export function seesAll(camera, map, view) {
  const seen = visibleCells(camera, map, view);
  return seen.x0 <= 0 && seen.y0 <= 0 && seen.x1 >= map.width && seen.y1 >= map.height;
}
