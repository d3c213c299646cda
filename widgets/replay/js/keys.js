/** The keyboard, heard only while the viewer has the focus. */

/** @import { Viewer } from "./viewer.js" */

/** For the help in the menu. */
export const KEY_HELP = /** @type {[string, string][]} */ ([
  ["Space", "play or pause"], ["[ ] \u2190 \u2192", "one step (with Shift: ten)"], ["Home End", "first, last step"], ["- =", "half, double speed"],
  ["\u2191 \u2193", "previous, next agent"], [", .", "previous, next event"], ["F", "follow the selection"], ["0", "whole map"], ["/", "find"], ["Esc", "select nothing"],
]);

/** @type {Record<string, (target: Viewer, event: KeyboardEvent) => void>} */
const KEYS = {
  " ": (target) => target.toggle(),
  "[": (target) => target.move(-1),
  "]": (target) => target.move(1),
  ArrowLeft: (target, event) => target.move(event.shiftKey ? -10 : -1),
  ArrowRight: (target, event) => target.move(event.shiftKey ? 10 : 1),
  ArrowUp: (target) => target.selectNext(-1),
  ArrowDown: (target) => target.selectNext(1),
  Home: (target) => target.seek(0),
  End: (target) => target.seek(target.steps - 1),
  "-": (target) => target.setSpeed(target.store.state.speed / 2),
  "=": (target) => target.setSpeed(target.store.state.speed * 2),
  "+": (target) => target.setSpeed(target.store.state.speed * 2),
  f: (target) => target.toggleFollow(),
  F: (target) => target.toggleFollow(),
  0: (target) => target.fit(),
  ",": (target) => target.jump(-1),
  ".": (target) => target.jump(1),
  "/": (target) => target.node?.querySelector("input")?.focus(),
  Escape: (target) => target.select(-1),
};

/** @param {KeyboardEvent} event @param {Viewer} target */
export function handleKey(event, target) {
  const from = /** @type {Element} */ (event.composedPath()[0]);
  const held = event.ctrlKey || event.metaKey || event.altKey || from.matches("input, select, textarea");
  if (held || !Object.hasOwn(KEYS, event.key) || (event.key === " " && from.closest("button, a, summary"))) return;
  if (/ArrowUp|ArrowDown|Home|End/.test(event.key) && from.closest(".rv-scroll, .rv-trace-scroll")) return;
  event.preventDefault();
  event.stopPropagation();
  KEYS[event.key](target, event);
}
