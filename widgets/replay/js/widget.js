/**
 * The widget: opens what the model holds and shows it, or says in its place why it cannot.
 *
 * @import { AnyModel } from "@anywidget/types"
 * @import { Traits } from "./sync.js"
 * @import { Options } from "./viewer.js"
 */
import { Compare } from "./compare.js";
import { fill } from "../../page/js/dom.js";
import { h, note } from "./dom.js";
import { reason } from "../../page/js/format.js";
import { max } from "../../page/js/maths.js";
import { messages } from "./messages.js";
import { Replay } from "./replay.js";
import { syncTraits } from "./sync.js";
import { pageTheme, watchTheme } from "../../page/js/theme.js";
import { Viewer } from "./viewer.js";
import { asBytes } from "./wire.js";

/** @param {{model: AnyModel<Traits>, el: HTMLElement}} props @returns {() => void} */
function render({ model, el }) {
  const { asker, stop } = messages(model);
  const theme = () => pageTheme(model.get("theme"));
  let generation = 0;
  /** @type {Viewer | null} */
  let shown = null;
  let stopSync = () => {};

  const clear = () => {
    stopSync();
    shown?.stop();
    shown = null;
  };
  /** @param {string} text */
  const say = (text) => {
    clear();
    fill(el, h("div.root.alone", { "data-theme": theme(), role: "status" }, note(text)));
  };
  /** @param {Replay[]} replays One, or two to compare. */
  const show = (replays) => {
    const titles = replays.map((replay, i) => String(model.get("labels")?.[i] || replay.header.label || "Replay"));
    /** @type {Options} */
    const options = { title: titles[0], url: String(model.get("url") ?? ""), theme: theme(), height: max(420, Number(model.get("height")) || 640) };
    clear();
    const viewer = replays.length > 1 ? new Compare(replays, titles, options) : new Viewer(replays[0], options);
    const node = viewer.mount();
    stopSync = syncTraits(model, viewer);
    fill(el, node);
    viewer.resized();
    const sprites = asBytes(model.get("sprites"));
    if (sprites.length > 0) viewer.setSprites(sprites);
    for (const replay of replays) replay.loadAhead();
    shown = viewer;
  };
  // A later call overtakes an earlier one.
  const load = async () => {
    const mine = ++generation;
    try {
      const parts = [model.get("data"), ...(model.get("kind") === "compare" ? [model.get("data_b")] : [])].map(asBytes);
      if (parts.some((bytes) => bytes.length === 0)) return say(model.get("message") || "No replay to show.");
      const replays = await Promise.all(parts.map((bytes, i) => Replay.open(bytes, asker(i ? "b" : "a"))));
      if (mine === generation) show(replays);
    } catch (error) {
      if (mine === generation) say(`This replay cannot be shown: ${reason(error)}.`);
    }
  };
  const retheme = () => {
    if (shown && shown.theme !== theme()) shown.setTheme(theme());
  };
  const stopTheme = watchTheme(retheme);
  const handlers = /** @type {const} */ ([["change:data", load], ["change:data_b", load], ["change:message", load], ["change:theme", retheme]]);
  for (const [event, act] of handlers) model.on(event, act);
  load();
  return () => {
    generation++;
    clear();
    stopTheme();
    stop();
    for (const [event, act] of handlers) model.off(event, act);
    fill(el);
  };
}

export default { render };
