/**
 * The widget: opens what the model holds and shows it, or says in its place why it cannot.
 *
 * @import { AnyModel } from "@anywidget/types"
 * @import { Traits } from "./sync.js"
 * @import { Options } from "./viewer.js"
 */
import { Compare } from "./compare.js";
import { fill, h, note } from "./dom.js";
import { reason } from "./format.js";
import { max } from "./maths.js";
import { Messages } from "./messages.js";
import { Replay } from "./replay.js";
import { syncTraits } from "./sync.js";
import { pageTheme, watchTheme } from "./theme.js";
import { Viewer } from "./viewer.js";
import { asBytes } from "./wire.js";

/** One mounted view of the model. */
class Mount {
  generation = 0;
  /** @type {Viewer | null} */
  shown = null;
  stopSync = () => {};

  /** @param {AnyModel<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.messages = new Messages(model);
    const retheme = () => {
      if (this.shown && this.shown.theme !== this.theme) this.shown.setTheme(this.theme);
    };
    const reload = () => void this.load();
    this.stopTheme = watchTheme(retheme);
    /** @type {[string, () => void][]} */
    this.handlers = [["change:data", reload], ["change:data_b", reload], ["change:message", reload], ["change:theme", retheme]];
    for (const [event, act] of this.handlers) model.on(event, act);
    reload();
  }

  get theme() {
    return pageTheme(this.model.get("theme"));
  }

  /** Open what the model holds now; a later call overtakes an earlier one. */
  async load() {
    const { model } = this;
    const generation = ++this.generation;
    try {
      const parts = [model.get("data"), ...(model.get("kind") === "compare" ? [model.get("data_b")] : [])].map(asBytes);
      if (parts.some((bytes) => bytes.length === 0)) {
        this.#say(model.get("message") || "No replay to show.");
        return;
      }
      const replays = await Promise.all(parts.map((bytes, i) => Replay.open(bytes, this.messages.asker(i ? "b" : "a"))));
      if (generation === this.generation) this.#show(replays);
    } catch (error) {
      if (generation === this.generation) this.#say(`This replay cannot be shown: ${reason(error)}.`);
    }
  }

  /** @param {Replay[]} replays One, or two to compare. */
  #show(replays) {
    const { model } = this;
    const titles = replays.map((replay, i) => String(model.get("labels")?.[i] || replay.header.label || "Replay"));
    /** @type {Options} */
    const options = { title: titles[0], url: String(model.get("url") ?? ""), theme: this.theme, height: max(420, Number(model.get("height")) || 640) };
    this.#clear();
    this.shown = replays.length > 1 ? new Compare(replays, titles, options) : new Viewer(replays[0], options);
    const node = this.shown.mount();
    this.stopSync = syncTraits(model, this.shown);
    fill(this.el, node);
    this.shown.resized();
    const sprites = asBytes(model.get("sprites"));
    if (sprites.length > 0) void this.shown.setSprites(sprites);
    for (const replay of replays) void replay.loadAhead();
  }

  /** @param {string} text */
  #say(text) {
    this.#clear();
    fill(this.el, h("div.rv-root.rv-alone", { "data-theme": this.theme, role: "status" }, note(text)));
  }

  #clear() {
    this.stopSync();
    this.shown?.stop();
    this.shown = null;
    this.stopSync = () => {};
  }

  stop() {
    const { model } = this;
    this.generation++;
    this.#clear();
    this.stopTheme();
    this.messages.stop();
    for (const [event, act] of this.handlers) model.off(/** @type {any} */ (event), act);
    fill(this.el);
  }
}

/** @param {{model: AnyModel<Traits>, el: HTMLElement}} props @returns {() => void} */
function render({ model, el }) {
  const mount = new Mount(model, el);
  return () => mount.stop();
}

export default { render };
