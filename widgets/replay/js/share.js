/**
 * The place in a replay as text that a colleague can paste. Pure.
 *
 * @import { Camera } from "./camera.js"
 * @typedef {{step?: number, selected?: number | null, view?: string}} Place An object's id, null for none; what is left out stays as it is.
 */

/** @param {Camera | null} camera @param {boolean} follow @returns {string} "x,y,scale" with ",follow"; "" for the whole map. */
export function viewText(camera, follow) {
  if (!camera) return "";
  return [camera.x, camera.y, camera.scale].map((value) => Number(value.toFixed(2))).join(",") + (follow ? ",follow" : "");
}

/** @param {unknown} text @returns {{camera: Camera | null, follow: boolean}} Unreadable text shows the whole map. */
export function readView(text) {
  const [x, y, scale, follow] = String(text).split(",");
  const camera = { x: Number(x), y: Number(y), scale: Number(scale) };
  const readable = camera.scale > 0 && Number.isFinite(camera.x + camera.y);
  return { camera: readable ? camera : null, follow: readable && follow === "follow" };
}

/** @param {Place} place @returns {string} */
export function shareText(place) {
  return String(new URLSearchParams(/** @type {[string, string][]} */ (Object.entries(place).filter(([, value]) => value || value === 0))));
}

/** @param {string} text @returns {Place} Unknown keys and unreadable values are ignored. */
export function readShare(text) {
  const values = new URLSearchParams(text.slice(0, 2000).trim().replace(/^[^=?#]*[?#]/, ""));
  const whole = /** @param {string} key */ (key) => (/^\d{1,15}$/.test(values.get(key) ?? "") ? Number(values.get(key)) : undefined);
  return { step: whole("step"), selected: whole("selected"), view: values.get("view") ?? undefined };
}
