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
import { count, reason } from "../../page/js/format.js";
import { max } from "../../page/js/maths.js";
import { messages } from "./messages.js";
import { listen } from "../../page/js/model.js";
import { Replay } from "./replay.js";
import { syncTraits } from "./sync.js";
import { pageTheme, watchTheme } from "../../page/js/theme.js";
import { Viewer } from "./viewer.js";
import { asBytes } from "./wire.js";

/** Bytes of a file that can be dropped on the page; Python has the same bound. */
const MOST_DROPPED = 24 * 2 ** 20;

/** @param {{model: AnyModel<Traits>, el: HTMLElement}} props @returns {() => void} */
function render({ model, el }) {
  const theme = () => pageTheme(model.get("theme"));
  const place = h("div", { ondragover: drop, ondrop: drop });
  let generation = 0;
  /** @type {Viewer | null} */
  let shown = null;
  let stopSync = () => {};
  const { asker, stop } = messages(model, refuse);
  const stops = [stop, watchTheme(retheme), listen(model, { data: load, data_b: load, message: load, theme: retheme })];
  fill(el, place);
  if (asBytes(model.get("data")).length) say("Opening the replay", height()); // as high as the viewer will be
  load();

  function clear() {
    stopSync();
    shown?.stop();
    shown = null;
  }

  /** @returns {number} */
  function height() {
    return max(420, model.get("height"));
  }

  /** @param {string} text @param {number} [least] Of its height. */
  function say(text, least = 0) {
    clear();
    fill(place, h("div.root.alone", { "data-theme": theme(), role: "status", style: `min-height:${least}px` }, note(text)));
  }

  /** @param {Replay[]} replays One, or two to compare. */
  function show(replays) {
    const titles = replays.map((replay, i) => String(model.get("labels")?.[i] || replay.header.label || "Replay"));
    /** @type {Options} */
    const options = { title: titles[0], url: model.get("url"), theme: theme(), height: height() };
    clear();
    const viewer = replays.length > 1 ? new Compare(replays, titles, options) : new Viewer(replays[0], options);
    const node = viewer.mount();
    stopSync = syncTraits(model, viewer);
    fill(place, node);
    viewer.resized();
    const sprites = asBytes(model.get("sprites"));
    if (sprites.length) viewer.setSprites(sprites).catch(() => viewer.hint("Pictures cannot be read: symbols are shown"));
    for (const replay of replays) replay.loadAhead();
    shown = viewer;
  }

  /** Open what the model holds; a later call overtakes an earlier one. */
  async function load() {
    const mine = ++generation;
    try {
      const parts = [model.get("data"), ...(model.get("kind") === "compare" ? [model.get("data_b")] : [])].map(asBytes);
      if (parts.some((bytes) => !bytes.length)) return say(model.get("message") || "No replay to show.");
      const replays = await Promise.all(parts.map((bytes, i) => Replay.open(bytes, asker(i ? "b" : "a"))));
      if (mine === generation) show(replays);
    } catch (error) {
      if (mine === generation) say(`This replay cannot be shown: ${reason(error)}.`);
    }
  }

  /** @param {string} problem */
  function refuse(problem) {
    if (shown) shown.hint(problem);
    else say(problem);
  }

  /** Send a file that is dropped here to Python, which opens it. @param {DragEvent} event */
  function drop(event) {
    const { files, types } = event.dataTransfer ?? {};
    if (!model.get("drops") || !types?.includes("Files")) return;
    event.preventDefault();
    const file = event.type === "drop" && files?.[0];
    if (!file) return;
    if (file.size > MOST_DROPPED) return refuse(`${file.name} has ${count(file.size)} bytes, too many to drop: give its path`);
    const reader = new FileReader();
    reader.onload = () => model.send({ type: "file", name: file.name, data: String(reader.result).split(",")[1] });
    reader.readAsDataURL(file);
  }

  function retheme() {
    if (shown && shown.theme !== theme()) shown.setTheme(theme());
  }

  return () => {
    generation++;
    clear();
    for (const each of stops) each();
    fill(el);
  };
}

export default { render };
