/** One replay on the page: the parts, what ties them together, and the frames they are drawn in. */
import { AgentTable } from "./agent-table.js";
import { fill, h, icon, iconButton, setText } from "./dom.js";
import { findEvent } from "./events.js";
import { Facts } from "./facts.js";
import { clip, count, plural } from "./format.js";
import { handleKey } from "./keys.js";
import { MapView } from "./map-view.js";
import { layerMenu, shareMenu } from "./menus.js";
import { Minimap } from "./minimap.js";
import { ObjectPanel } from "./object-panel.js";
import { palettes } from "./palette.js";
import { Player, SMOOTH_UP_TO, clampSpeed } from "./player.js";
import { matching, search, suggestions } from "./search.js";
import { SmallMap } from "./small-map.js";
import { SpriteCache } from "./sprite-cache.js";
import { Store, initialState } from "./store.js";
import { AboutPanel, TextPanel } from "./text-panels.js";
import { Texts } from "./texts.js";
import { TimelineView } from "./timeline-view.js";
import { TraceView } from "./trace-view.js";
import { Transport, kindsIn } from "./transport.js";

/**
 * @import { EventKind } from "./events.js"
 * @import { Palette } from "./palette.js"
 * @import { Replay } from "./replay.js"
 * @import { State } from "./store.js"
 * @import { Theme } from "./theme.js"
 * @typedef {"map" | "timeline" | "trace" | "panel"} Part
 * @typedef {object} Context What the parts share.
 * @property {Replay} replay @property {Facts} facts @property {SpriteCache} sprites @property {Store} store
 * @property {() => Palette} palette @property {(...parts: Part[]) => void} invalidate
 * @property {(step: number) => void} seek @property {(object: number) => void} select
 * @property {(object: number) => void} followObject @property {() => boolean} hasFocus @property {(text: string) => void} hint
 * @typedef {{title: string, url: string, height: number, theme: Theme, compact: boolean}} Options
 */

/** All parts. @type {Part[]} */
const ALL = ["map", "timeline", "trace", "panel"];
const PANEL_MS = 110;
const HINT_MS = 2600;
const TRACE_ROWS = 6;

export class Viewer {
  /** @param {Replay} replay @param {Options} options */
  constructor(replay, options) {
    this.replay = replay;
    this.options = options;
    this.theme = options.theme;
    this.facts = new Facts(replay);
    this.sprites = new SpriteCache();
    this.store = new Store(initialState());
    this.player = new Player({ steps: replay.steps, ready: (step) => replay.ready(step), load: (step) => void replay.load(step) });
    /** @type {Set<Part>} */
    this.dirty = new Set();
    this.frame = 0;
    this.panelAt = 0;
    this.hintTimer = 0;
    this.stopped = false;
    /** @type {Context} */
    this.context = {
      replay, facts: this.facts, sprites: this.sprites, store: this.store,
      palette: () => palettes[this.theme], invalidate: (...parts) => this.invalidate(...parts),
      seek: (step) => this.seek(step), select: (object) => this.select(object), followObject: (object) => this.follow(object),
      hasFocus: () => this.node.matches(":focus-within"), hint: (text) => this.hint(text),
    };
    this.texts = new Texts(replay, () => this.invalidate("panel"));
    const small = new SmallMap(this.context);
    this.small = small;
    this.map = new MapView(this.context);
    this.minimap = new Minimap(this.context, this.map, small);
    this.hintNode = h("div", { class: "rv-hint", role: "status" });
    this.followButton = iconButton("follow", "Follow the selection (F)", () => this.toggleFollow());
    this.followButton.setAttribute("aria-pressed", "false");
    this.map.node.append(this.minimap.canvas, this.#mapButtons(), this.hintNode);
    this.timeline = new TimelineView(this.context, small);
    this.trace = new TraceView(this.context);
    this.transport = new Transport(replay.steps, this.#controls(), kindsIn(replay));
    this.panels = {
      agents: new AgentTable(this.context), selected: new ObjectPanel(this.context),
      text: new TextPanel(this.context, this.texts), about: new AboutPanel(this.context, options),
    };
    this.searchBox = h("input", {
      class: "rv-search", type: "search", placeholder: "Find a type, item or agent", "aria-label": "Find a type, item or agent", autocomplete: "off",
      oninput: () => this.search(this.searchBox.value), onkeydown: (event) => this.#searchKey(event),
    });
    this.found = h("span", { class: "rv-found rv-muted", role: "status" });
    this.tabs = h("div", { class: "rv-tabs", role: "tablist", "aria-label": "Panels" });
    this.panel = h("div", { class: "rv-panel", role: "tabpanel" });
    this.node = options.compact ? this.#compactLayout() : this.#layout();
    this.store.listen((changed) => this.#changed(changed));
    replay.onload = () => this.#loaded();
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(this.map.node);
    this.observer.observe(this.timeline.node);
    this.invalidate(...ALL);
  }

  #layout() {
    const { replay, options } = this;
    const { header } = replay;
    const list = h("datalist", {}, ...suggestions(this.facts).map((value) => h("option", { value })));
    list.id = `rv-${Math.random().toString(36).slice(2)}`;
    this.searchBox.setAttribute("list", list.id);
    const facts = `${plural(header.agents, "agent")}, ${plural(header.steps, "step")}, ${header.width} x ${header.height}`;
    const node = h("div", { class: "rv-root", tabindex: 0, role: "application", "aria-label": `Replay viewer: ${options.title}`, "data-theme": this.theme },
      h("header", { class: "rv-head" }, h("h2", { class: "rv-title", title: options.title }, clip(options.title, 80)), h("span", { class: "rv-muted rv-facts-line" }, facts),
        h("span", { class: "rv-grow" }), this.found, h("label", { class: "rv-search-wrap" }, icon("search"), this.searchBox, list)),
      h("div", { class: "rv-body" },
        h("div", { class: "rv-main" }, this.map.node, this.transport.node, this.timeline.node, this.trace.node),
        h("aside", { class: "rv-side" }, this.tabs, this.panel)));
    node.style.setProperty("--rv-height", `${options.height}px`);
    node.addEventListener("keydown", (event) => handleKey(event, this));
    // A pressed button keeps no focus, so that Space goes on to mean play.
    node.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (event.detail > 0 && button) node.focus({ preventScroll: true });
    });
    this.transport.node.append(layerMenu(this), shareMenu(this));
    this.#drawTabs();
    return node;
  }

  /** Only the map, for two side by side. */
  #compactLayout() {
    const { options } = this;
    return h("section", { class: "rv-half", "aria-label": options.title }, h("h3", { class: "rv-title", title: options.title }, clip(options.title, 60)), this.map.node);
  }

  #drawTabs() {
    const { tab } = this.store.state;
    const issues = this.replay.header.issues.length;
    const names = { agents: "Agents", selected: "Selected", text: "Talk and notes", about: issues ? `About (${plural(issues, "issue")})` : "About" };
    const keys = /** @type {State["tab"][]} */ (Object.keys(names)).filter((key) => key !== "text" || this.texts.present);
    fill(this.tabs, ...keys.map((key) => h("button", {
      type: "button", role: "tab", class: "rv-tab", "aria-selected": String(key === tab), onclick: () => this.store.set({ tab: key }),
    }, names[key])));
    const shown = this.panels[tab].node;
    if (this.panel.firstElementChild !== shown) fill(this.panel, shown);
  }

  #mapButtons() {
    return h("div", { class: "rv-map-buttons", role: "toolbar", "aria-label": "Map view" },
      iconButton("plus", "Zoom in", () => this.map.zoom(1.5)), iconButton("minus", "Zoom out", () => this.map.zoom(1 / 1.5)),
      iconButton("fit", "Show the whole map (0)", () => this.fit()), this.followButton);
  }

  get steps() {
    return this.replay.steps;
  }

  get stepNow() {
    return this.store.state.step;
  }

  /** @returns {import("./transport.js").Controls} */
  #controls() {
    return {
      toggle: () => this.toggle(), seek: (step) => this.seek(step), move: (by) => this.seek(this.store.state.step + by),
      speed: (speed) => this.store.set({ speed: clampSpeed(speed) }), jump: (kind, way) => this.jump(kind, way),
    };
  }

  /** @param {number} step */
  seek(step) {
    const goal = this.replay.clampStep(step);
    this.player.seek(goal);
    const ready = this.replay.ready(goal);
    this.store.set(ready ? { step: goal, shown: goal, fraction: 0 } : { step: goal });
    if (!ready) void this.replay.load(goal);
  }

  toggle() {
    const { playing, step } = this.store.state;
    if (!playing && step >= this.replay.steps - 1) this.seek(0);
    this.store.set({ playing: !playing });
  }

  /** @param {number} object Index, -1 for none. */
  select(object) {
    const { follow, tab } = this.store.state;
    const keep = tab === "text" || tab === "selected";
    this.store.set({ selected: object, follow: follow && object >= 0, tab: object < 0 || keep ? tab : "selected" });
  }

  /** @param {number} by */
  selectNext(by) {
    const { agents } = this.replay;
    if (agents.length === 0) return;
    const at = agents.indexOf(this.store.state.selected);
    const next = at < 0 ? (by > 0 ? 0 : agents.length - 1) : (at + by + agents.length) % agents.length;
    this.select(agents[next]);
  }

  /** @param {number} object */
  follow(object) {
    this.select(object);
    const { camera } = this.map;
    this.store.set({ follow: true, camera: { ...camera, scale: Math.max(26, camera.scale) } });
  }

  toggleFollow() {
    const { follow, selected } = this.store.state;
    if (follow) this.store.set({ follow: false, camera: this.map.camera });
    else if (selected >= 0) this.follow(selected);
    else this.hint("Select something to follow first");
  }

  fit() {
    this.store.set({ camera: null, follow: false });
  }

  /** @param {EventKind} kind @param {1 | -1} way */
  jump(kind, way) {
    const { step, selected } = this.store.state;
    const one = selected >= 0 && this.facts.isAgent[selected];
    const found = findEvent(this.replay, one ? [selected] : this.replay.agents, kind, step, way);
    if (found >= 0) this.seek(found);
    else this.hint(`No ${way > 0 ? "later" : "earlier"} event of this kind${one ? ` for ${this.facts.title(selected)}` : ""}`);
  }

  /** Jump to an event of the chosen kind. @param {1 | -1} way */
  jumpChosen(way) {
    const kind = /** @type {EventKind} */ (this.transport.kind.value);
    if (kind) this.jump(kind, way);
  }

  /** @param {string} query */
  search(query) {
    this.store.set({ query, found: search(this.facts, query) });
  }

  /** @param {KeyboardEvent} event */
  #searchKey(event) {
    if (event.key === "Escape") {
      this.searchBox.value = "";
      this.search("");
      this.node.focus({ preventScroll: true });
    }
    if (event.key === "Enter") this.nextHit(event.shiftKey ? -1 : 1);
  }

  /** Select the next of what the search found. @param {number} by */
  nextHit(by) {
    const { found, shown, selected } = this.store.state;
    if (!found) return;
    const hits = matching(this.facts, found, shown);
    if (hits.length === 0) return;
    const next = hits[(hits.indexOf(selected) + by + hits.length) % hits.length] ?? hits[0];
    this.select(next);
    const { camera } = this.store.state;
    const place = this.map.place(next);
    if (camera) this.map.setCamera({ ...camera, x: place.x + 0.5, y: place.y + 0.5 });
  }

  /** @param {string} text Said over the map for a moment. */
  hint(text) {
    clearTimeout(this.hintTimer);
    setText(this.hintNode, text);
    this.hintNode.classList.add("rv-shown");
    this.hintTimer = window.setTimeout(() => this.hintNode.classList.remove("rv-shown"), HINT_MS);
  }

  /** @param {Theme} theme */
  setTheme(theme) {
    if (theme === this.theme) return;
    this.theme = theme;
    this.node.dataset.theme = theme;
    this.sprites.clear();
    this.map.restyle();
    this.small.restyle();
    this.timeline.refresh();
    this.trace.restyle();
    this.invalidate(...ALL);
  }

  /** Draw anew with the real sprites of the author. @param {Uint8Array} bytes */
  async setSprites(bytes) {
    await this.sprites.readImages(bytes).catch(() => {});
    this.map.restyle();
    this.invalidate("map");
  }

  /** @param {Set<keyof State>} changed */
  #changed(changed) {
    if (["shown", "fraction", "selected", "hovered", "camera", "follow", "layers", "found"].some((key) => changed.has(/** @type {keyof State} */ (key)))) this.invalidate("map");
    if (["step", "shown", "playing", "speed"].some((key) => changed.has(/** @type {keyof State} */ (key)))) this.invalidate("timeline", "panel");
    if (changed.has("shown")) this.invalidate("trace");
    if (changed.has("selected")) this.invalidate("trace", "panel");
    if (changed.has("selected") || changed.has("chart")) {
      this.timeline.refresh();
      this.invalidate("timeline");
    }
    if (changed.has("tab")) {
      this.#drawTabs();
      this.invalidate("panel");
    }
    if (changed.has("found")) this.invalidate("panel");
    if (changed.has("follow")) this.followButton.setAttribute("aria-pressed", String(this.store.state.follow));
    if (changed.has("playing")) {
      this.player.seek(this.store.state.shown);
      this.invalidate("map");
    }
  }

  #loaded() {
    const { step, shown } = this.store.state;
    if (step !== shown && this.replay.ready(step)) this.store.set({ shown: step, fraction: 0 });
    this.timeline.refresh();
    this.trace.refresh();
    this.panels.agents.refresh();
    this.invalidate(...ALL);
  }

  #resized() {
    const { clientWidth, clientHeight } = this.map.node;
    this.map.resize(clientWidth, clientHeight);
    this.timeline.resize(this.timeline.node.clientWidth);
    this.trace.resize(this.timeline.node.clientWidth, TRACE_ROWS * 18);
    // Drawn at once: a resized canvas is empty until then.
    this.#draw(performance.now(), true);
  }

  /** @param {...Part} parts To draw in the next frame. */
  invalidate(...parts) {
    for (const part of parts) this.dirty.add(part);
    if (!this.frame && !this.stopped) this.frame = requestAnimationFrame((now) => this.#tick(now));
  }

  /** @param {number} now */
  #tick(now) {
    this.frame = 0;
    if (this.store.state.playing) this.#play(now);
    this.#draw(now, !this.store.state.playing);
    if (this.store.state.playing || this.dirty.size > 0) this.invalidate();
  }

  /** @param {number} now */
  #play(now) {
    const { speed } = this.store.state;
    const { step, fraction, ended } = this.player.tick(now, speed);
    const smooth = speed <= SMOOTH_UP_TO && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.store.set({ step, shown: step, fraction: smooth && !ended ? fraction : 0 });
    if (ended) this.store.set({ playing: false });
  }

  /** @param {number} now @param {boolean} atOnce Whether the panel may not wait. */
  #draw(now, atOnce) {
    if (this.map.size.width === 0) return;
    const { dirty } = this;
    if (dirty.delete("map")) {
      this.map.draw();
      this.minimap.draw();
    }
    if (dirty.delete("trace")) this.trace.draw();
    if (dirty.delete("timeline")) {
      this.timeline.window = this.trace.window;
      this.timeline.draw();
      this.transport.update(this.store.state);
    }
    if (dirty.has("panel") && (atOnce || now - this.panelAt > PANEL_MS)) {
      dirty.delete("panel");
      this.panelAt = now;
      this.#drawPanel();
    }
  }

  #drawPanel() {
    const { tab, found, shown } = this.store.state;
    this.panels[tab].update();
    if (!found) setText(this.found, "");
    else {
      const hits = matching(this.facts, found, shown).length;
      setText(this.found, hits ? `${count(hits)} found` : "none found");
      this.found.title = found.text;
    }
  }

  stop() {
    this.stopped = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.hintTimer);
    this.observer.disconnect();
    this.map.stop();
    this.store.listeners.clear();
    this.replay.onload = () => {};
  }
}
