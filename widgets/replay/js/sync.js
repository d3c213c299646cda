/** Keeps the model's traits and the viewer's state the same, without flooding Python while it plays. */
import { abs, max, min } from "./maths.js";
import { clampSpeed } from "./player.js";
import { readView, viewText } from "./share.js";

/**
 * @import { AnyModel } from "@anywidget/types"
 * @import { State } from "./store.js"
 * @import { Viewer } from "./viewer.js"
 * @typedef {object} Traits
 * @property {string} kind @property {unknown} data @property {unknown} data_b @property {string[]} labels
 * @property {number} step @property {number | null} selected @property {boolean} playing @property {number} speed
 * @property {string} view @property {string} url @property {number} height @property {string} theme
 * @property {unknown} sprites @property {string} message
 */

const PLAY_MS = 200;
const SETTLE_MS = 60;
const NAMES = /** @type {const} */ (["step", "selected", "playing", "speed", "view"]);
/** @type {(keyof State)[]} */
const TOLD = ["step", "selected", "playing", "speed", "camera", "follow"];

/** @param {Viewer} shown @returns {Pick<Traits, (typeof NAMES)[number]>} */
function traitsOf({ store, replay, map, stepNow }) {
  const { selected, playing, speed, camera, follow } = store.state;
  return { step: stepNow, selected: selected >= 0 ? replay.ids[selected] : null, playing, speed, view: viewText(follow ? map.camera : camera, follow) };
}

/** @param {AnyModel<Traits>} model @param {Viewer} shown @returns {() => void} Stops keeping them the same. */
export function syncTraits(model, shown) {
  let timer = 0;
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    const now = traitsOf(shown);
    const changed = NAMES.filter((name) => model.get(name) !== now[name]);
    for (const name of changed) model.set(name, now[name]);
    if (changed.length > 0) model.save_changes();
  };
  const { store } = shown;
  const tell = /** @param {(keyof State)[]} changed */ (changed) => {
    if (changed.includes("playing") && !store.state.playing) write();
    else if (!timer && changed.some((key) => TOLD.includes(key))) timer = window.setTimeout(write, store.state.playing ? PLAY_MS : SETTLE_MS);
  };
  const read = () => readTraits(model, shown);
  read();
  store.listeners.add(tell);
  for (const name of NAMES) model.on(`change:${name}`, read);
  return () => {
    clearTimeout(timer);
    store.listeners.delete(tell);
    for (const name of NAMES) model.off(`change:${name}`, read);
  };
}

/** Take over what Python has set; what already holds is left alone. @param {AnyModel<Traits>} model @param {Viewer} shown */
function readTraits(model, shown) {
  const { store, replay } = shown;
  const now = traitsOf(shown);
  const [selected, view] = [model.get("selected"), model.get("view")];
  if (selected !== now.selected) shown.select(replay.indexOfId(selected ?? -1));
  if (view !== now.view) store.set(readView(view));
  store.set({ speed: clampSpeed(Number(model.get("speed"))) });
  const step = min(shown.steps - 1, max(0, Number(model.get("step")) || 0));
  // While it plays, an echo of a step just left behind must not pull it back.
  if (step !== now.step && !(now.playing && abs(step - now.step) < now.speed)) shown.seek(step);
  store.set({ playing: model.get("playing") === true });
}
