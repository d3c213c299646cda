/**
 * The place in a replay as text that a colleague can paste. Pure.
 *
 * @import { Camera } from "./camera.js"
 * @typedef {{step: number | null, selected: number | null, view: string | null}} Place Null where the text says nothing.
 */

/** @param {Camera | null} camera @param {boolean} follow @returns {string} "x,y,scale" with ",follow"; "" for the whole map. */
export function viewText(camera, follow) {
  if (!camera) return "";
  const round = /** @param {number} value */ (value) => String(Number(value.toFixed(2)));
  return [camera.x, camera.y, camera.scale].map(round).join(",") + (follow ? ",follow" : "");
}

/** @param {string} text @returns {{camera: Camera | null, follow: boolean}} Unreadable text shows the whole map. */
export function readView(text) {
  const [x, y, scale, flag] = String(text ?? "").slice(0, 200).split(",");
  const camera = { x: Number(x), y: Number(y), scale: Number(scale) };
  const fine = [x, y, scale].every((part) => part !== undefined && part.trim() !== "" && Number.isFinite(Number(part)));
  return fine && camera.scale > 0 ? { camera, follow: flag === "follow" } : { camera: null, follow: false };
}

/** @param {number} step @param {number | null} id Of the selected object. @param {string} view @returns {string} */
export function shareText(step, id, view) {
  const parts = [`step=${step}`];
  if (id !== null) parts.push(`selected=${id}`);
  if (view) parts.push(`view=${encodeURIComponent(view)}`);
  return parts.join("&");
}

/** @param {string} text @returns {Place} Unknown keys and unreadable values are ignored. */
export function readShare(text) {
  const cleaned = String(text).slice(0, 2000).trim().replace(/^[^=?#]*[?#]/, "");
  const values = new URLSearchParams(cleaned);
  return { step: wholeOrNull(values.get("step")), selected: wholeOrNull(values.get("selected")), view: values.get("view") };
}

/** @param {string | null} text */
function wholeOrNull(text) {
  return text !== null && /^\d{1,15}$/.test(text.trim()) ? Number(text) : null;
}

/** @param {string} url Public address of a replay. @returns {string} A link that opens it in the hosted MettaScope. */
export function mettascopeLink(url) {
  return /^https?:\/\//i.test(url) ? `https://metta-ai.github.io/metta/mettascope/mettascope.html?replay=${encodeURIComponent(url)}` : "";
}
