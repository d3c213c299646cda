/** Keeps the model's traits and the viewer's state the same, without flooding Python while it plays. */
import { abs, within } from "../../page/js/maths.js";
import { listen } from "../../page/js/model.js";
import { clampSpeed } from "./player.js";

/**
 * @import { AnyModel } from "@anywidget/types"
 * @import { State } from "./store.js"
 * @import { Viewer } from "./viewer.js"
 * @typedef {object} Traits
 * @property {string} kind @property {unknown} data @property {unknown} data_b @property {string[]} labels
 * @property {number} step @property {number | null} selected @property {boolean} playing @property {number} speed
 * @property {string} view @property {string} url @property {number} height @property {string} theme
 * @property {unknown} sprites @property {string} message @property {boolean} drops
 */

const PLAY_MS = 200;
const SETTLE_MS = 60;
const NAMES = /** @type {const} */ (["step", "selected", "playing", "speed", "view"]);
/** @type {(keyof State)[]} */
const TOLD = ["step", "selected", "playing", "speed", "camera", "follow"];

/** @param {AnyModel<Traits>} model @param {Viewer} shown @returns {() => void} Stops keeping them the same. */
export function syncTraits(model, shown) {
  const { store, state } = shown;
  let [timer, writing] = [0, false];
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    const { playing, speed } = state;
    const now = { ...shown.place, playing, speed };
    const changed = NAMES.filter((name) => model.get(name) !== now[name]);
    writing = true;
    for (const name of changed) model.set(name, now[name]);
    writing = false;
    if (changed.length) model.save_changes();
  };
  const tell = /** @param {(keyof State)[]} changed */ (changed) => {
    if (changed.includes("playing") && !state.playing) write();
    else if (!timer && changed.some((key) => TOLD.includes(key))) timer = setTimeout(write, state.playing ? PLAY_MS : SETTLE_MS);
  };
  // What is written here is heard here too, while half of it is still as it was.
  const read = () => {
    if (!writing) readTraits(model, shown);
  };
  read();
  store.listeners.add(tell);
  const stop = listen(model, Object.fromEntries(NAMES.map((name) => [name, read])));
  return () => {
    clearTimeout(timer);
    stop();
  };
}

/** Take over what Python has set; what already holds is left alone. @param {AnyModel<Traits>} model @param {Viewer} shown */
function readTraits(model, shown) {
  const { store, stepNow } = shown;
  const { playing, speed } = store.state;
  store.set({ speed: clampSpeed(Number(model.get("speed"))) });
  const step = within(Number(model.get("step")) || 0, 0, shown.steps - 1);
  // While it plays, an echo of a step just left behind must not pull it back.
  shown.go({ selected: model.get("selected"), view: model.get("view"), step: playing && abs(step - stepNow) < speed ? stepNow : step });
  store.set({ playing: model.get("playing") === true });
}
