/** The keyboard, heard only while the viewer has the focus. */

/** @import { Viewer } from "./viewer.js" */

/** For the help in the menu. */
export const KEY_HELP = /** @type {[string, string][]} */ ([
  ["Space", "play or pause"], ["[ ] \u2190 \u2192", "one step (with Shift: ten)"], ["Home End", "first, last step"], ["- =", "half, double speed"],
  ["\u2191 \u2193", "previous, next agent"], [", .", "previous, next event"], ["F", "follow the selection"], ["0", "whole map"], ["/", "find"], ["Esc", "select nothing"],
]);

/** What keys do: a method of the viewer, its argument, and the keys. @type {[string, number, ...string[]][]} */
const KEYS = [
  ["toggle", 0, " "], ["move", -1, "[", "ArrowLeft"], ["move", 1, "]", "ArrowRight"], ["seek", 0, "Home"], ["seek", Infinity, "End"], ["scaleSpeed", 0.5, "-"],
  ["scaleSpeed", 2, "=", "+"], ["selectNext", -1, "ArrowUp"], ["selectNext", 1, "ArrowDown"], ["jump", -1, ","], ["jump", 1, "."], ["toggleFollow", 0, "f", "F"], ["fit", 0, "0"],
  ["find", 0, "/"], ["select", -1, "Escape"],
];

/** @param {KeyboardEvent} event @param {Viewer} target */
export function handleKey(event, target) {
  const { key, shiftKey } = event;
  const from = /** @type {Element} */ (event.composedPath()[0]);
  const [method, argument] = KEYS.find(([, , ...keys]) => keys.includes(key)) ?? [];
  if (!method || event.ctrlKey || event.metaKey || event.altKey || from.matches("input, select, textarea") || (key === " " && from.closest("button, a, summary"))) return;
  if (/Up|Down|Home|End/.test(key) && from.closest(".rv-scroll, .rv-trace-scroll")) return;
  event.preventDefault();
  event.stopPropagation();
  /** @type {any} */ (target)[method](Number(argument) * (shiftKey && method === "move" ? 10 : 1));
}
