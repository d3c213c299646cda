/**
 * The place in a replay as text that a colleague can paste. Pure.
 *
 * @import { Camera } from "./camera.js"
 * @typedef {{step: number | null, selected: number | null, view: string | null}} Place Null where the text says nothing.
 */

/** @param {Camera | null} camera @param {boolean} follow @returns {string} "x,y,scale" with ",follow"; "" for the whole map. */
export function viewText(camera, follow) {
  if (!camera) return "";
  return [camera.x, camera.y, camera.scale].map((value) => Number(value.toFixed(2))).join(",") + (follow ? ",follow" : "");
}

/** @param {unknown} text @returns {{camera: Camera | null, follow: boolean}} Unreadable text shows the whole map. */
export function readView(text) {
  const match = /^(-?[\d.]+),(-?[\d.]+),([\d.]+)(,follow)?$/.exec(String(text).slice(0, 200));
  const [x, y, scale] = (match ?? []).slice(1, 4).map(Number);
  return scale > 0 && Number.isFinite(x + y) ? { camera: { x, y, scale }, follow: Boolean(match?.[4]) } : { camera: null, follow: false };
}

/** @param {Place} place @returns {string} */
export function shareText({ step, selected, view }) {
  return `step=${step}${selected === null ? "" : `&selected=${selected}`}${view ? `&view=${encodeURIComponent(view)}` : ""}`;
}

/** @param {string} text @returns {Place} Unknown keys and unreadable values are ignored. */
export function readShare(text) {
  const values = new URLSearchParams(text.slice(0, 2000).trim().replace(/^[^=?#]*[?#]/, ""));
  const whole = /** @param {string} key */ (key) => (/^\d{1,15}$/.test(values.get(key) ?? "") ? Number(values.get(key)) : null);
  return { step: whole("step"), selected: whole("selected"), view: values.get("view") };
}

/** @param {string} url Public address of a replay. @returns {string} A link that opens it in the hosted MettaScope. */
export function mettascopeLink(url) {
  return /^https?:\/\//i.test(url) ? `https://metta-ai.github.io/metta/mettascope/mettascope.html?replay=${encodeURIComponent(url)}` : "";
}
