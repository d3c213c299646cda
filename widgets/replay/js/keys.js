/** The keyboard, heard only while the viewer has the focus. */

/** @import { Viewer } from "./viewer.js" */

/** What keys do, as the codec's drawn.py tells people: a method of the viewer, its argument, and the keys. @type {[string, number, ...string[]][]} */
const KEYS = [
  ["toggle", 0, " "], ["move", -1, "[", "ArrowLeft"], ["move", 1, "]", "ArrowRight"], ["seek", 0, "Home"], ["seek", Infinity, "End"], ["scaleSpeed", 0.5, "-"],
  ["scaleSpeed", 2, "=", "+"], ["selectNext", -1, "ArrowUp"], ["selectNext", 1, "ArrowDown"], ["jump", -1, ","], ["jump", 1, "."], ["toggleFollow", 0, "f", "F"], ["fit", 0, "0"], ["toggleLoop", 0, "l", "L"],
  ["find", 0, "/"], ["leave", 0, "Escape"],
];

/** @param {KeyboardEvent} event @param {Viewer} target */
export function handleKey(event, target) {
  const { key, shiftKey } = event;
  const from = /** @type {Element} */ (event.composedPath()[0]);
  const [method, argument] = KEYS.find(([, , ...keys]) => keys.includes(key)) ?? [];
  if (!method || event.ctrlKey || event.metaKey || event.altKey || from.matches("input, select, textarea") || (key === " " && from.closest("button, a, summary"))) return;
  if (/Arrow|Home|End/.test(key) && from.closest(".rv-scroll, .rv-trace-scroll, .rv-tabs")) return;
  // What has nothing to close leaves its key to the page around it.
  if (/** @type {any} */ (target)[method](/** @type {number} */ (argument) * (shiftKey && method === "move" ? 10 : 1)) === false) return;
  event.preventDefault();
  event.stopPropagation();
}
