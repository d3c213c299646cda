/** One replay on the page: the parts, what ties them together, and the frames they are drawn in. */
import { AgentTable } from "./agent-table.js";
import { fill, set, setText } from "../../page/js/dom.js";
import { button, div, h, icon, iconButton, span } from "./dom.js";
import { nextStep } from "./events.js";
import { Facts } from "./facts.js";
import { count, plural } from "../../page/js/format.js";
import { handleKey } from "./keys.js";
import { MapView } from "./map-view.js";
import { max, min, round, within } from "../../page/js/maths.js";
import { layerMenu, shareMenu } from "./menus.js";
import { ObjectPanel } from "./object-panel.js";
import { palettes } from "./palette.js";
import { Player, clampSpeed } from "./player.js";
import { matching, names, search } from "./search.js";
import { viewText } from "./share.js";
import { SmallMap, minimap } from "./small-map.js";
import { SpriteCache } from "./sprites.js";
import { Store } from "./store.js";
import { AboutPanel, TextPanel } from "./text-panels.js";
import { Texts } from "./texts.js";
import { TimelineView } from "./timeline-view.js";
import { TraceView } from "./trace-view.js";
import { kindsIn, transport } from "./transport.js";

/**
 * @import { EventKind } from "./events.js"
 * @import { Replay } from "./replay.js"
 * @import { State } from "./store.js"
 * @import { Theme } from "../../page/js/theme.js"
 * @import { Line } from "./timeline-view.js"
 * @typedef {"map" | "timeline" | "trace" | "panel"} Piece
 * @typedef {{title: string, url: string, height: number, theme: Theme}} Options
 */

const PANEL_MS = 110;
const HINT_MS = 2600;
const FIND = "Find type, item, agent";
/** @type {Piece[]} */
const ALL = ["map", "timeline", "trace", "panel"];
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
  /** @type {Set<Piece>} */
  dirty = new Set();
  sprites = new SpriteCache();
  store = new Store();
  found = h("span.found.muted", { role: "status" });
  tabs = h("div.tabs", { role: "tablist", label: "Panels" });
  panel = h("div.panel", { role: "tabpanel" });

  /**
   * @param {Replay} replay @param {Options} options
   * @param {Replay[]} [all] Those that play together, if more than this one.
   */
  constructor(replay, options, all = [replay]) {
    this.replay = replay;
    this.options = options;
    this.theme = options.theme;
    this.facts = new Facts(replay, all);
    this.player = new Player(all);
    this.steps = this.player.steps;
    /** Viewers that show the same step. @type {Viewer[]} */
    this.sides = [this];
    this.texts = new Texts(replay, () => this.invalidate("panel"));
    this.small = new SmallMap(this);
    this.map = new MapView(this);
    this.minimap = minimap(this);
    this.timeline = new TimelineView(this, all.length === 1);
    this.transport = transport(this, all.length === 1 ? kindsIn(replay) : []);
    this.followButton = iconButton("follow", "Follow the selection (F)", () => this.toggleFollow());
    this.map.node.append(this.minimap.node, h("div.map-buttons", { role: "toolbar", label: "Map view" },
      iconButton("plus", "Zoom in", () => this.map.zoom(1.5)), iconButton("minus", "Zoom out", () => this.map.zoom(1 / 1.5)),
      iconButton("fit", "Show the whole map (0)", () => this.fit()), this.followButton));
    this.store.listeners.add((changed) => this.changed(changed));
    replay.onload = () => this.loaded();
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.map.node);
    this.observer.observe(this.timeline.node);
  }

  get state() {
    return this.store.state;
  }

  get place() {
    const { selected, camera, follow } = this.state;
    return { step: this.stepNow, selected: selected >= 0 ? this.replay.ids[selected] : null, view: viewText(follow ? this.map.camera : camera, follow) };
  }

  get palette() {
    return palettes[this.theme];
  }

  /** @returns {Line[] | null} Lines of the chart instead of this replay's own. */
  get lines() {
    return null;
  }

  /** Build all there is around the map. */
  mount() {
    const { options } = this;
    const { header } = this.replay;
    this.trace = new TraceView(this);
    this.panels = { agents: new AgentTable(this), selected: new ObjectPanel(this), text: new TextPanel(this), about: new AboutPanel(this) };
    const list = `rv-names-${header.hash}`;
    const box = h("input.search", { type: "search", placeholder: FIND, label: FIND, list,
      oninput: () => this.store.set({ found: search(this.facts, box.value) }), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#searchKey(event, box),
    });
    const facts = `${plural(header.agents, "agent")}, ${plural(header.steps, "step")}, ${header.width} x ${header.height}`;
    this.#drawTabs();
    return this.frameOf(`Replay viewer: ${options.title}`, h("header.head", {}, h("h2.title", { title: options.title }, options.title), span("muted.facts-line", facts), span("grow"), this.found,
      h("label.search-wrap", {}, icon("search"), box, h("datalist", { id: list }, ...names(this.facts).map((value) => h("option", { value })))), layerMenu(this), shareMenu(this)),
    div("body", div("main", this.map.node, this.transport.node, this.timeline.node, this.trace.node), h("aside.side", {}, this.tabs, this.panel)));
  }

  /** @param {string} label @param {...HTMLElement} content @returns {HTMLElement} The whole viewer, hearing the keyboard. */
  frameOf(label, ...content) {
    this.node = h("div.root", { tabindex: 0, role: "application", label, "data-theme": this.theme, style: `--rv-height:${this.options.height}px`,
      onkeydown: (/** @type {KeyboardEvent} */ event) => handleKey(event, this),
      // A pressed button keeps no focus, so that Space goes on to mean play.
      onclick: (/** @type {MouseEvent} */ event) => this.clicked(event),
    }, ...content);
    return this.node;
  }

  /** The keys are the map's again after a button, but for one of a menu: the menu stays open and shows what was done. @param {MouseEvent} event */
  clicked(event) {
    const button = /** @type {Element} */ (event.target).closest("button");
    if (event.detail > 0 && button && !button.closest("details")) this.focus();
  }

  focus() {
    this.node?.focus({ preventScroll: true });
  }

  #drawTabs() {
    const { tab } = this.state;
    const issues = this.replay.header.issues.length;
    const names = { agents: "Agents", selected: "Selected", text: "Talk and notes", about: issues ? `About (${plural(issues, "issue")})` : "About" };
    const keys = /** @type {State["tab"][]} */ (Object.keys(names)).filter((key) => key !== "text" || this.texts.parts.length > 0);
    fill(this.tabs, ...keys.map((key) => button(names[key], () => this.store.set({ tab: key }), "tab", { role: "tab", "aria-selected": String(key === tab) })));
    fill(this.panel, this.panels?.[tab].node ?? null);
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
    this.invalidate("timeline", "panel");
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
    this.store.set({ selected: object, follow: follow && object >= 0, tab: object < 0 || tab === "text" ? tab : "selected" });
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
    if (found >= 0) this.seek(found);
    else this.hint(`No ${way > 0 ? "later" : "earlier"} event of this kind`);
  }

  /** Escape ends the search, Enter goes from hit to hit. @param {KeyboardEvent} event @param {HTMLInputElement} box */
  #searchKey(event, box) {
    const { found, shown, selected, camera } = this.state;
    if (event.key === "Escape") {
      box.value = "";
      this.store.set({ found: null });
      this.focus();
    }
    if (event.key !== "Enter" || !found) return;
    const hits = matching(this.facts, found, shown);
    const next = hits[(hits.indexOf(selected) + (event.shiftKey ? hits.length - 1 : 1)) % hits.length];
    if (next === undefined) return;
    this.select(next);
    const { x, y } = this.map.place(next);
    if (camera) this.map.camera = { ...camera, x: x + 0.5, y: y + 0.5 };
  }

  /** @param {string} text Said over the map for a moment. */
  hint(text) {
    clearTimeout(this.hintTimer);
    this.map.hint = text;
    this.hintTimer = text ? window.setTimeout(() => this.hint(""), HINT_MS) : 0;
    this.invalidate("map");
  }

  /** @param {Theme} theme */
  setTheme(theme) {
    this.theme = theme;
    if (this.node) this.node.dataset.theme = theme;
    this.sprites.drawn.clear();
    this.map.still.refresh();
    this.loaded();
  }

  /** Draw anew with real sprites. @param {Uint8Array} bytes */
  async setSprites(bytes) {
    for (const side of this.sides) {
      await side.sprites.readImages(bytes).catch(() => {});
      side.map.still.refresh();
      side.invalidate("map");
    }
  }

  /** @param {(keyof State)[]} changed */
  changed(changed) {
    const { state } = this;
    if (changed.includes("playing")) this.player.seek(this.stepNow);
    if (changed.includes("selected")) this.timeline.refresh();
    if (changed.includes("tab")) this.#drawTabs();
    set(this.followButton, { "aria-pressed": String(state.follow) });
    this.invalidate(...(changed.every((key) => MAP_ONLY.test(key)) ? ALL.slice(0, 1) : ALL));
  }

  /** Draw all anew: more steps have arrived, or the colours have changed. */
  loaded() {
    const { step } = this.state;
    if (this.replay.ready(step)) this.store.set({ shown: step });
    this.timeline.refresh();
    this.trace?.restyle();
    this.panels?.agents.refresh();
    this.invalidate(...ALL);
  }

  /** Fit the canvases to their boxes; the first time, this is the first frame. */
  resized() {
    const { clientWidth, clientHeight } = this.map.node;
    if (clientWidth === 0) return;
    this.map.resize(clientWidth, clientHeight);
    this.timeline.resize(this.timeline.node.clientWidth);
    this.trace?.resize(this.timeline.width);
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
    if (dirty.delete("trace")) this.trace?.draw();
    if (dirty.delete("timeline") && this.timeline.width > 0) {
      this.timeline.window = this.trace?.window ?? [0, 0];
      this.timeline.draw(this.stepNow);
      this.transport.update(this.stepNow, state);
    }
    // The panel costs the most layout: a few times a second is as fast as one reads.
    if (now - this.panelAt > PANEL_MS && dirty.delete("panel")) {
      this.panelAt = now;
      this.drawPanel();
    }
    if (state.playing || dirty.size > 0) this.invalidate();
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
    if (ended) this.store.set({ playing: false });
  }

  drawPanel() {
    const { tab, found, shown } = this.state;
    this.panels?.[tab].update();
    const hits = found ? matching(this.facts, found, shown).length : 0;
    setText(this.found, hits ? `${count(hits)} found` : found ? "none found" : "");
  }

  stop() {
    this.running = false;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.hintTimer);
    this.observer.disconnect();
    this.store.listeners.clear();
  }
}
