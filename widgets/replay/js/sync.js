/** Keeps the model's traits and the viewer's state the same, without flooding Python while it plays. */
import { clampSpeed } from "./player.js";
import { readView, viewText } from "./share.js";

/**
 * @import { AnyModel } from "@anywidget/types"
 * @import { Camera } from "./camera.js"
 * @import { Replay } from "./replay.js"
 * @import { Store } from "./store.js"
 * @typedef {object} Traits
 * @property {string} kind @property {unknown} data @property {unknown} data_b @property {string[]} labels
 * @property {number} step @property {number | null} selected @property {boolean} playing @property {number} speed
 * @property {string} view @property {string} url @property {number} height @property {string} theme
 * @property {unknown} sprites @property {string} message
 * @typedef {object} Shown A viewer of one replay, or of two.
 * @property {Store} store @property {Replay} replay @property {{camera: Camera}} map
 * @property {number} stepNow @property {number} steps
 * @property {(step: number) => void} seek @property {(object: number) => void} select
 */

const PLAY_MS = 200;
const SETTLE_MS = 60;

/**
 * @param {AnyModel<Traits>} model @param {Shown} viewer
 * @returns {() => void} Stops keeping them the same.
 */
export function syncTraits(model, viewer) {
  const { store, replay } = viewer;
  let timer = 0;
  const current = () => {
    const { selected, playing, speed, camera, follow } = store.state;
    return { step: viewer.stepNow, selected: selected >= 0 ? replay.ids[selected] : null, playing, speed, view: viewText(follow ? viewer.map.camera : camera, follow) };
  };
  const write = () => {
    timer = 0;
    let dirty = false;
    for (const [key, value] of Object.entries(current())) {
      if (model.get(/** @type {keyof Traits} */ (key)) === value) continue;
      model.set(/** @type {keyof Traits} */ (key), value);
      dirty = true;
    }
    if (dirty) model.save_changes();
  };
  const stopListening = store.listen((changed) => {
    if (!["step", "selected", "playing", "speed", "camera", "follow"].some((key) => changed.has(/** @type {any} */ (key)))) return;
    if (changed.has("playing") && !store.state.playing) {
      clearTimeout(timer);
      write();
    } else if (!timer) {
      timer = window.setTimeout(write, store.state.playing ? PLAY_MS : SETTLE_MS);
    }
  });
  const read = () => readTraits(model, viewer);
  for (const key of NAMES) model.on(`change:${key}`, read);
  read();
  return () => {
    clearTimeout(timer);
    stopListening();
    for (const key of NAMES) model.off(`change:${key}`, read);
  };
}

const NAMES = /** @type {const} */ (["step", "selected", "playing", "speed", "view"]);

/** Take over what Python has set; what already holds is left alone. @param {AnyModel<Traits>} model @param {Shown} viewer */
function readTraits(model, viewer) {
  const { store, replay } = viewer;
  const { state } = store;
  const id = model.get("selected");
  const object = typeof id === "number" ? replay.indexOfId(id) : -1;
  if (object !== state.selected) viewer.select(object);
  const view = String(model.get("view") ?? "");
  if (view !== viewText(state.follow ? viewer.map.camera : state.camera, state.follow)) store.set(readView(view));
  const speed = clampSpeed(Number(model.get("speed")));
  if (speed !== state.speed) store.set({ speed });
  const step = Math.min(viewer.steps - 1, Math.max(0, Math.round(Number(model.get("step")) || 0)));
  // While it plays, an echo of a step just left behind must not pull it back.
  if (step !== viewer.stepNow && !(state.playing && Math.abs(step - viewer.stepNow) < state.speed)) viewer.seek(step);
  const playing = model.get("playing") === true;
  if (playing !== state.playing) store.set({ playing });
}
