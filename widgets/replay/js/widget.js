/**
 * The widget: opens what the model holds and shows it, or says in its place why it cannot.
 *
 * @import { AnyModel } from "@anywidget/types"
 * @import { Traits } from "./sync.js"
 */
import { Compare } from "./compare.js";
import { fill, h } from "./dom.js";
import { PROBLEM } from "./format.js";
import { Messages } from "./messages.js";
import { Replay } from "./replay.js";
import { syncTraits } from "./sync.js";
import { pageTheme, watchTheme } from "./theme.js";
import { Viewer } from "./viewer.js";
import { asBytes } from "./wire.js";

/** One mounted view of the model. */
class Mount {
  /** @param {AnyModel<Traits>} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.messages = new Messages(model);
    /** @type {Viewer | Compare | null} */
    this.shown = null;
    this.stopSync = () => {};
    this.generation = 0;
    this.retheme = () => this.shown?.setTheme(this.theme);
    this.reload = () => void this.load();
    this.stopTheme = watchTheme(() => this.retheme());
    for (const name of RELOADING) model.on(`change:${name}`, this.reload);
    model.on("change:theme", this.retheme);
  }

  get theme() {
    return pageTheme(String(this.model.get("theme") ?? "auto"));
  }

  /** Open what the model holds now; a later call overtakes an earlier one. */
  async load() {
    const generation = ++this.generation;
    try {
      const bytes = asBytes(this.model.get("data"));
      if (bytes.length === 0) {
        this.#say(String(this.model.get("message") || "No replay to show."));
        return;
      }
      const replay = await Replay.open(bytes, this.messages.asker("a"));
      const other = this.model.get("kind") === "compare" ? await Replay.open(asBytes(this.model.get("data_b")), this.messages.asker("b")) : null;
      if (generation !== this.generation) return;
      this.#show(replay, other);
    } catch (error) {
      if (generation === this.generation) this.#say(`This replay cannot be shown: ${error instanceof Error ? error.message : PROBLEM}.`);
    }
  }

  /** @param {Replay} replay @param {Replay | null} other */
  #show(replay, other) {
    const { model } = this;
    const labels = Array.isArray(model.get("labels")) ? model.get("labels") : [];
    const title = /** @param {number} i @param {Replay} r */ (i, r) => String(labels[i] || r.header.label || "Replay");
    const options = {
      title: title(0, replay), url: String(model.get("url") ?? ""), theme: this.theme, compact: false,
      height: Math.min(4000, Math.max(420, Number(model.get("height")) || 640)),
    };
    this.#clear();
    const viewer = other ? new Compare([replay, other], [title(0, replay), title(1, other)], options) : new Viewer(replay, options);
    this.shown = viewer;
    fill(this.el, viewer.node);
    const sprites = asBytes(model.get("sprites"));
    if (sprites.length > 0) void viewer.setSprites(sprites);
    this.stopSync = syncTraits(model, viewer);
    void loadRest(other ? [replay, other] : [replay]);
  }

  /** @param {string} text */
  #say(text) {
    this.#clear();
    const theme = this.theme;
    const box = h("div", { class: "rv-root rv-alone", "data-theme": theme, role: "status" }, h("p", { class: "rv-empty" }, text));
    fill(this.el, box);
  }

  #clear() {
    this.stopSync();
    this.stopSync = () => {};
    this.shown?.stop();
    this.shown = null;
  }

  stop() {
    this.generation++;
    this.#clear();
    this.stopTheme();
    this.messages.stop();
    for (const name of RELOADING) this.model.off(`change:${name}`, this.reload);
    this.model.off("change:theme", this.retheme);
    fill(this.el);
  }
}

const RELOADING = /** @type {const} */ (["data", "data_b", "message"]);

/** Load the embedded steps behind the first frame, one part after the other. @param {Replay[]} replays */
async function loadRest(replays) {
  for (const replay of replays) {
    // Of a long replay only what is looked at is loaded.
    const wanted = replay.isSmall ? replay.chunks : replay.chunks.slice(0, 1);
    for (const chunk of wanted) {
      if (chunk.info.offset === null) continue;
      await new Promise((resolve) => setTimeout(resolve, 0));
      await replay.load(Math.max(1, chunk.from));
    }
  }
}

/** @param {{model: AnyModel<Traits>, el: HTMLElement}} props @returns {() => void} */
function render({ model, el }) {
  const mount = new Mount(model, el);
  mount.reload();
  return () => mount.stop();
}

export default { render };
