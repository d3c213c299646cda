/** The keyboard, heard only while the viewer has the focus. */
import { clampSpeed } from "./player.js";

/** @import { Viewer } from "./viewer.js" */

/** For the help in the menu. */
export const KEY_HELP = [
  ["Space", "play or pause"], ["[ ] or \u2190 \u2192", "one step (with Shift: ten)"], ["Home End", "first, last step"], ["- =", "half, double speed"],
  ["\u2191 \u2193", "previous, next agent"], [", .", "previous, next event"], ["F", "follow the selection"], ["0", "whole map"], ["/", "find"], ["Esc", "select nothing"],
];

/** @type {Record<string, (viewer: Viewer, event: KeyboardEvent) => void>} */
const KEYS = {
  " ": (viewer) => viewer.toggle(),
  "[": (viewer) => step(viewer, -1),
  "]": (viewer) => step(viewer, 1),
  ArrowLeft: (viewer, event) => step(viewer, event.shiftKey ? -10 : -1),
  ArrowRight: (viewer, event) => step(viewer, event.shiftKey ? 10 : 1),
  ArrowUp: (viewer) => viewer.selectNext(-1),
  ArrowDown: (viewer) => viewer.selectNext(1),
  Home: (viewer) => viewer.seek(0),
  End: (viewer) => viewer.seek(viewer.replay.steps - 1),
  "-": (viewer) => viewer.store.set({ speed: clampSpeed(viewer.store.state.speed / 2) }),
  "=": (viewer) => viewer.store.set({ speed: clampSpeed(viewer.store.state.speed * 2) }),
  "+": (viewer) => viewer.store.set({ speed: clampSpeed(viewer.store.state.speed * 2) }),
  f: (viewer) => viewer.toggleFollow(),
  F: (viewer) => viewer.toggleFollow(),
  0: (viewer) => viewer.fit(),
  ",": (viewer) => viewer.jumpChosen(-1),
  ".": (viewer) => viewer.jumpChosen(1),
  "/": (viewer) => viewer.searchBox.focus(),
  Escape: (viewer) => viewer.select(-1),
};

/** @param {Viewer} viewer @param {number} by */
function step(viewer, by) {
  viewer.seek(viewer.store.state.step + by);
}

/** @param {KeyboardEvent} event @param {Viewer} viewer */
export function handleKey(event, viewer) {
  const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
  if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
  if (target.matches?.("input, select, textarea")) return;
  if (event.key === " " && target.closest?.("button, a, summary")) return;
  if (["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key) && target.closest?.(".rv-scroll, .rv-trace-scroll")) return;
  event.preventDefault();
  event.stopPropagation();
  KEYS[event.key](viewer, event);
}
