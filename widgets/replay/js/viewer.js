/** One replay on the page: the parts, what ties them together, and the frames they are drawn in. */
import { set } from "../../page/js/dom.js";
import { div, h, iconButton, legendEntry, span } from "./dom.js";
import { nextStep } from "./events.js";
import { Facts } from "./facts.js";
import { handleKey } from "./keys.js";
import { mapView } from "./map-view.js";
import { max, min, round, within } from "../../page/js/maths.js";
import { layerMenu, shareMenu } from "./menus.js";
import { panels } from "./panels.js";
import { series } from "./palette.js";
import { Player, clampSpeed } from "./player.js";
import { searchBox } from "./search-box.js";
import { readView, viewText } from "./share.js";
import { minimap, smallMap } from "./small-map.js";
import { SpriteCache } from "./sprites.js";
import { Store } from "./store.js";
import { Texts } from "./texts.js";
import { timelineView } from "./timeline-view.js";
import { traceView } from "./trace-view.js";
import { transport } from "./transport.js";

/**
 * @import { EventKind } from "./events.js"
 * @import { Replay } from "./replay.js"
 * @import { Place } from "./share.js"
 * @import { State } from "./store.js"
 * @import { Theme } from "../../page/js/theme.js"
 * @typedef {"map" | "strips" | "panel"} Piece
 * @typedef {{title: string, url: string, height: number, theme: Theme}} Options
 */

const PANEL_MS = 110;
const HINT_MS = 2600;
const PRINTING = ["beforeprint", "afterprint"];
/** @type {Piece[]} */
const ALL = ["map", "strips", "panel"];
/** What only the map shows; any other change is drawn everywhere. */
const MAP_ONLY = /fraction|camera|follow|layers/;

export class Viewer {
  frame = 0;
  panelAt = 0;
  hintTimer = 0;
  /** The step asked for; the state's own may lag behind while data loads, or end earlier than the other replay's. */
  stepNow = 0;
  /** Set by the first frame. */
  running = false;
  /** Whether the page is being printed: then all rows are there. */
  onPaper = false;
  /** @type {Set<Piece>} */
  dirty = new Set();
  /** The panel from which something was selected. @type {State["tab"]} */
  before = "agents";
  sprites = new SpriteCache();
  store = new Store();

  /**
   * @param {Replay} replay @param {Options} options
   * @param {Replay[]} [all] Those that play together, if more than this one.
   */
  constructor(replay, options, all = [replay]) {
    this.replay = replay;
    this.options = options;
    this.theme = options.theme;
    this.facts = new Facts(replay);
    this.player = new Player(all);
    this.steps = this.player.steps;
    /** Viewers that show the same step. @type {Viewer[]} */
    this.sides = [this];
    if (this.facts.teams.several) this.store.state.by = "team";
    this.texts = new Texts(replay);
    this.small = smallMap(this);
    this.map = mapView(this);
    this.minimap = minimap(this);
    this.timeline = timelineView(this, all.length === 1);
    this.transport = transport(this, replay.header.events.filter(([kind]) => all.length === 1 && kind !== "talk"));
    this.followButton = iconButton("follow", "Follow the selection (F)", () => this.toggleFollow());
    /** The map, with its buttons and the small map beside it: over it they would cover agents. */
    this.stage = div("stage", this.map.node, div("map-side", h("div.map-buttons", { role: "toolbar", label: "Map view" },
      iconButton("plus", "Zoom in", () => this.map.zoom(1.5)), iconButton("minus", "Zoom out", () => this.map.zoom(1 / 1.5)),
      iconButton("fit", "Show the whole map (0)", () => this.fit()), this.followButton), this.minimap.node));
    this.store.listeners.add((changed) => this.changed(changed));
    replay.onload = () => this.loaded();
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.map.node);
    this.observer.observe(this.timeline.node);
    for (const event of PRINTING) addEventListener(event, this.print);
  }

  /** @param {Event} event */
  print = ({ type }) => {
    this.onPaper = type === PRINTING[0];
    this.drawPanel();
  };

  get state() {
    return this.store.state;
  }

  /** @returns {Required<Place>} */
  get place() {
    const { selected, camera, follow } = this.state;
    return { step: this.stepNow, selected: selected >= 0 ? this.replay.ids[selected] : null, view: viewText(follow ? this.map.camera : camera, follow) };
  }

  /** Go to a place; what already holds is left alone. @param {Place} place */
  go({ step, selected, view }) {
    const now = this.place;
    if (selected !== undefined && selected !== now.selected) this.select(this.replay.ids.indexOf(selected ?? -1));
    if (view !== undefined && view !== now.view) this.store.set(readView(view));
    if (step !== undefined && step !== now.step) this.seek(step);
  }

  get inks() {
    return this.replay.header.palettes[this.theme];
  }

  /** @param {number} item @param {string} text @returns {HTMLElement} The item's picture or colour, and what is said of it. */
  itemEntry(item, text) {
    const style = this.sprites.style(`item:${this.replay.header.item_names[item]}`, 18);
    return legendEntry(style || `background:${series(this.inks, max(0, item))}`, text);
  }

  /** @param {number} object @param {number} [step] */
  colour(object, step = this.state.shown) {
    return this.facts.colour(object, step, this.inks);
  }

  /** Build all there is around the map. */
  mount() {
    const { options } = this;
    this.trace = traceView(this);
    this.panels = panels(this);
    this.search = searchBox(this);
    return this.frameOf(`Replay viewer: ${options.title}`, h("header.head", {}, h("h2.title", { title: options.title }, options.title), span("muted.facts-line", this.replay.header.summary), span("grow"), ...this.search.nodes, layerMenu(this), shareMenu(this)),
    div("body", div("main", this.stage, this.transport.node, this.timeline.node, this.trace.node), h("aside.side", {}, ...this.panels.nodes)));
  }

  /** @param {string} label @param {...HTMLElement} content @returns {HTMLElement} The whole viewer, hearing the keyboard. */
  frameOf(label, ...content) {
    const onkeydown = /** @param {KeyboardEvent} event */ (event) => handleKey(event, this);
    // A pressed button keeps no focus, so that Space goes on to mean play.
    const onclick = /** @param {MouseEvent} event */ (event) => this.clicked(event);
    this.node = h("div.root", { tabindex: 0, role: "application", label, "data-theme": this.theme, style: `--rv-height:${this.options.height}px`, onkeydown, onclick }, ...content);
    return this.node;
  }

  /** The keys are the map's again after a button or a row, but for one of a menu: the menu stays open and shows what was done. @param {MouseEvent} event */
  clicked(event) {
    const pressed = /** @type {Element} */ (event.target).closest("button, tr[data-object]");
    if (event.detail > 0 && pressed && !pressed.closest("details")) this.focus();
  }

  focus() {
    this.node?.focus({ preventScroll: true });
  }

  /** @param {number} step */
  seek(step) {
    this.stepNow = within(round(step) || 0, 0, this.steps - 1);
    this.player.seek(this.stepNow);
    for (const { replay, store } of this.sides) {
      const goal = replay.clampStep(this.stepNow);
      store.set(replay.ready(goal) ? { step: goal, shown: goal, fraction: 0 } : { step: goal });
      replay.load(goal);
    }
    this.invalidate("strips", "panel");
  }

  /** @param {number} by */
  move(by) {
    this.seek(this.stepNow + by);
  }

  toggle() {
    const { playing } = this.state;
    if (!playing && this.stepNow >= this.steps - 1) this.seek(0);
    this.store.set({ playing: !playing });
  }

  toggleLoop() {
    this.store.set({ loop: !this.state.loop });
  }

  /** @param {number} factor */
  scaleSpeed(factor) {
    this.store.set({ speed: clampSpeed(this.state.speed * factor) });
  }

  find() {
    this.node?.querySelector("input")?.focus();
  }

  /** @param {number} object Index, -1 for none. */
  select(object) {
    const { follow, tab } = this.state;
    if (object >= 0 && tab !== "selected") this.before = tab;
    this.store.set({ selected: object, follow: follow && object >= 0, tab: object < 0 || tab === "text" ? tab : "selected" });
  }

  /**
   * Close what is open, the last first: the selection with its panel, else the search. The panel is again that from which
   * something was selected.
   *
   * @returns {boolean} Whether there was something to close.
   */
  leave() {
    const { selected, tab } = this.state;
    if (selected < 0 && tab !== "selected") return this.search?.end() ?? false;
    this.select(-1);
    if (tab === "selected") this.store.set({ tab: this.before });
    this.focus();
    return true;
  }

  /** @param {number} by */
  selectNext(by) {
    const { agents } = this.replay;
    const at = agents.indexOf(this.state.selected);
    this.select(agents.at(at < 0 ? min(by, 0) : (at + by) % agents.length) ?? -1);
  }

  toggleFollow() {
    const { follow, selected } = this.state;
    if (!follow && selected < 0) return this.hint("Select something to follow first");
    for (const { store, map: { camera } } of this.sides) store.set({ follow: !follow, camera: { ...camera, scale: max(follow ? 0 : 26, camera.scale) } });
  }

  fit() {
    for (const { store } of this.sides) store.set({ camera: null, follow: false });
  }

  /** Go to the next event of the chosen kind. @param {1 | -1} way */
  jump(way) {
    const kind = /** @type {EventKind | ""} */ (this.transport.kind.value);
    if (!kind) return;
    const found = nextStep(this.timeline.stepsOf(kind), this.stepNow, way);
    if (found < 0) return this.hint(`No ${way > 0 ? "later" : "earlier"} event of this kind`);
    this.seek(found);
  }

  /** @param {string} text Said over the map for a moment. */
  hint(text) {
    clearTimeout(this.hintTimer);
    this.map.hint = text;
    this.hintTimer = text ? setTimeout(() => this.hint(""), HINT_MS) : 0;
    this.invalidate("map");
  }

  /** @param {Theme} theme */
  setTheme(theme) {
    this.theme = theme;
    if (this.node) this.node.dataset.theme = theme;
    this.sprites.drawn.clear();
    this.redraw();
  }

  /** Draw anew with the game's own pictures. @param {Uint8Array} bytes */
  async setSprites(bytes) {
    for (const side of this.sides) {
      await side.sprites.read(bytes);
      side.redraw();
    }
  }

  /** @param {(keyof State)[]} changed */
  changed(changed) {
    const { state } = this;
    if (changed.includes("playing")) this.player.seek(this.stepNow);
    if (changed.some((key) => /selected|measure|by|hidden/.test(key))) this.timeline.refresh();
    if (changed.includes("layers") && this.sprites.plain !== Boolean(state.layers.symbols)) {
      this.sprites.plain = !this.sprites.plain;
      this.redraw();
    }
    if (changed.includes("tab")) this.panels?.show();
    set(this.followButton, { "aria-pressed": String(state.follow) });
    this.invalidate(...(changed.every((key) => MAP_ONLY.test(key)) ? /** @type {Piece[]} */ (["map"]) : ALL));
  }

  /** Draw in other colours or with other symbols. */
  redraw() {
    this.map.still.refresh();
    this.loaded();
  }

  /** Draw all anew: more steps have arrived, or the colours have changed. */
  loaded() {
    const { step } = this.state;
    if (this.replay.ready(step)) this.store.set({ shown: step });
    this.timeline.refresh();
    this.trace?.restyle();
    this.invalidate(...ALL);
  }

  /** Fit the canvases to their boxes; the first time, this is the first frame. */
  resized() {
    const { clientWidth, clientHeight } = this.map.node;
    if (clientWidth === 0) return;
    this.map.resize(clientWidth, clientHeight);
    for (const part of [this.timeline, this.trace]) part?.resize(this.timeline.node.clientWidth);
    // Drawn at once: a resized canvas is empty until then. The rest follows behind the first map.
    this.map.draw();
    this.running = true;
    this.invalidate(...ALL);
  }

  /** @param {...Piece} pieces To draw in the next frame. */
  invalidate(...pieces) {
    for (const piece of pieces) this.dirty.add(piece);
    if (this.running && !this.frame) this.frame = requestAnimationFrame((now) => this.#tick(now));
  }

  /** @param {number} now */
  #tick(now) {
    const { dirty, state } = this;
    this.frame = 0;
    if (state.playing) this.#play(now);
    if (dirty.delete("map")) {
      this.map.draw();
      this.minimap.draw();
    }
    if (dirty.delete("strips")) {
      this.trace?.draw();
      this.timeline.draw(this.stepNow);
      this.transport.update(this.stepNow, state);
    }
    // The panel costs the most layout: a few times a second is as fast as one reads.
    if (now - this.panelAt > PANEL_MS && dirty.delete("panel")) {
      this.panelAt = now;
      this.drawPanel();
    }
    if (state.playing || dirty.size) this.invalidate();
  }

  /** @param {number} now */
  #play(now) {
    const { step, fraction, ended } = this.player.tick(now, this.state.speed);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stepNow = step;
    for (const { store, replay } of this.sides) {
      const shown = replay.clampStep(step);
      store.set({ step: shown, shown, fraction: still || shown < step ? 0 : fraction });
    }
    if (!ended) return;
    if (this.state.loop) this.seek(0);
    else this.store.set({ playing: false });
  }

  drawPanel() {
    this.panels?.update();
    this.search?.update();
  }

  stop() {
    this.running = false;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.hintTimer);
    this.observer.disconnect();
    for (const event of PRINTING) removeEventListener(event, this.print);
    this.store.listeners.clear();
    this.sprites.stop();
  }
}
