/** The keyboard, heard only while the viewer has the focus. */

/** @import { Viewer } from "./viewer.js" */

/** For the help in the menu. */
export const KEY_HELP = /** @type {[string, string][]} */ ([
  ["Space", "play or pause"], ["[ ] \u2190 \u2192", "one step (with Shift: ten)"], ["Home End", "first, last step"], ["- =", "half, double speed"],
  ["\u2191 \u2193", "previous, next agent"], [", .", "previous, next event"], ["F", "follow the selection"], ["0", "whole map"], ["/", "find"], ["Esc", "select nothing"],
]);

/** What each key does: a method of the viewer and its argument. @type {Record<string, [string, number?]>} */
const KEYS = {
  " ": ["toggle"], "[": ["move", -1], "]": ["move", 1], ArrowLeft: ["move", -1], ArrowRight: ["move", 1], Home: ["seek", 0], End: ["seek", Infinity],
  "-": ["scaleSpeed", 0.5], "=": ["scaleSpeed", 2], "+": ["scaleSpeed", 2], ArrowUp: ["selectNext", -1], ArrowDown: ["selectNext", 1], ",": ["jump", -1], ".": ["jump", 1],
  f: ["toggleFollow"], F: ["toggleFollow"], 0: ["fit"], "/": ["find"], Escape: ["select", -1],
};

/** @param {KeyboardEvent} event @param {Viewer} target */
export function handleKey(event, target) {
  const { key, shiftKey } = event;
  const from = /** @type {Element} */ (event.composedPath()[0]);
  const held = event.ctrlKey || event.metaKey || event.altKey || from.matches("input, select, textarea");
  if (held || !Object.hasOwn(KEYS, key) || (key === " " && from.closest("button, a, summary"))) return;
  if (/Up|Down|Home|End/.test(key) && from.closest(".rv-scroll, .rv-trace-scroll")) return;
  event.preventDefault();
  event.stopPropagation();
  const [method, argument = 0] = KEYS[key];
  /** @type {any} */ (target)[method](argument * (shiftKey && method === "move" ? 10 : 1));
}
