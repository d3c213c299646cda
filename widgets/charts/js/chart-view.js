/**
 * A Vega-Lite chart that is drawn once and then fed: new rows, and the ends of axes that come with them, go into the
 * drawing that is there, so zoom, brush and hidden arms survive.
 *
 * @import { Change, Columns } from "./data.js"
 * @typedef {{points: string, runs: string, x: string, y: string}} Pick
 * @typedef {{spec: any, datasets: Record<string, Columns>, version: number, piece: {at?: number, datasets?: Record<string, Change>, gone?: string[]}, params?: Record<string, any>, caption: string, summary: string, description: string, colours: Record<string, string>,
 *   can_select: boolean, zoom: number[], brush: {x?: number[], y?: number[]}, clicked: {run?: string, x?: number, nonce?: string}}} State See ../chart.py.
 * @typedef {import("@anywidget/types").AnyModel<State>} Model
 */
import { make, set, setText } from "../../page/js/dom.js";
import { heldOf } from "../../page/js/live.js";
import { isDark, watchTheme } from "../../page/js/theme.js";
import { changed, columnsIn, recoloured, rowsOf, spliced, waitHeight } from "./data.js";
import { Pointer } from "./pointer.js";
import { Tools } from "./tools.js";
import { vega } from "./vega.js";

export class ChartView {
  /** @type {any} Vega's view; null where nothing is drawn. */
  view = null;
  /** @type {Record<string, Change> | null} What has changed since the last feed; null where all may have. */
  news = null;
  /** @type {Map<string, Record<string, any>[]>} The rows in the drawing, by dataset: to take some out one has to name them. */
  rows = new Map();
  turn = 0;
  /** Of small charts, as they are drawn. */
  columns = 0;
  plot = make("div.chart-plot");
  stage = make("div.chart-stage", {}, this.plot);
  wait = make("p.chart-wait", {}, "Drawing the chart");
  line = make("summary");
  caption = make("p.chart-caption");
  folded = make("details.chart-words", {}, this.line);

  /** @param {Model} model @param {HTMLElement} root */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.held = heldOf(model, "datasets", changed);
    this.tools = new Tools(model, () => this.tell());
    this.pointer = new Pointer(this);
    root.append(this.tools.element, this.wait, this.stage, this.folded, this.caption);
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.stage);
    this.dark = isDark(root);
    this.stopTheme = watchTheme(() => this.retheme());
  }

  /** @returns {Pick | undefined} */
  get pick() {
    return this.model.get("spec").usermeta?.pick;
  }

  /** @returns {Record<string, Columns>} The rows by dataset and column. */
  get tables() {
    return this.held.value;
  }

  /** @param {{datasets: Record<string, Change>} | null} piece */
  note(piece) {
    const isFirst = this.news !== null && Object.keys(this.news).length === 0;
    this.news = piece && isFirst ? piece.datasets : null;
  }

  /** @returns {Record<string, string>} To put in the place of others. */
  get colours() {
    return this.dark ? this.model.get("colours") : {};
  }

  /** @returns {Promise<void>} */
  async draw() {
    const turn = ++this.turn;
    const spec = this.model.get("spec");
    this.tell();
    if (!this.view) this.wait.style.minHeight = `${waitHeight(spec)}px`;
    if (!spec.$schema) {
      this.view?.finalize();
      this.view = null;
      this.held.shown();
      return;
    }
    try {
      const embed = await vega(this.model);
      if (turn !== this.turn) return;
      const options = { mode: "vega-lite", actions: false, renderer: "canvas", ...(this.pick ? { tooltip: false } : {}) };
      const at = this.held.version;
      const { view } = await embed(this.plot, this.full(spec), options);
      if (turn !== this.turn) return void view.finalize();
      this.view?.finalize();
      this.view = view;
      this.rows.clear();
      this.news = null;
      this.wait.hidden = true;
      this.count("drawn");
      if (this.held.version !== at) return await this.feed();
    } catch (error) {
      if (turn !== this.turn) return;
      this.wait.hidden = false;
      this.wait.style.minHeight = "";
      setText(this.wait, `This chart could not be drawn here (${error instanceof Error ? error.message : error}).`);
    }
    this.held.shown();
  }

  /** @param {any} spec @returns {any} With rows, the colours of the page and the part of the x-axis that is looked at. */
  full(spec) {
    const full = recoloured({ ...spec, datasets: this.all() }, this.colours);
    const [from, to] = this.model.get("zoom");
    const given = this.model.get("params") ?? {};
    if (full.concat) this.columns = full.columns = columnsIn(spec, this.stage.clientWidth);
    for (const param of full.params ?? []) {
      if (param.name in given) param.value = given[param.name];
      if (param.name === "x_from" && from !== undefined) param.value = from;
      if (param.name === "x_to" && to !== undefined) param.value = to;
    }
    return full;
  }

  all() {
    return Object.fromEntries(Object.entries(this.tables).map(([name, columns]) => [name, rowsOf(columns)]));
  }

  /** @returns {Promise<void>} */
  async feed() {
    this.tell();
    const { view, turn } = this;
    if (!view) return;
    try {
      for (const [name, value] of Object.entries(this.model.get("params") ?? {})) view.signal(name, value);
      const news = this.news ?? Object.fromEntries(Object.keys(this.tables).map((name) => [name, null]));
      this.news = {};
      for (const [name, change] of Object.entries(news)) this.put(name, change);
      await view.runAsync();
      this.count("fed");
    } catch {
      // A dataset or param that this drawing does not have: its form is about to change, or did.
      if (turn === this.turn) return await this.draw();
    }
    this.held.shown();
  }

  /** @param {string} name Of a dataset. @param {Change | null} change Null where all of it may be other. */
  put(name, change) {
    const [{ view }, before] = [this, this.rows.get(name)];
    if (!change?.cuts || !before) {
      const rows = rowsOf(this.tables[name]);
      // Colours are in the small tables: who is who.
      view.data(name, name.includes("x") ? rows : recoloured(rows, this.colours));
      if (name.includes("x")) this.rows.set(name, rows);
      return;
    }
    const come = rowsOf(change.columns);
    const gone = change.cuts.flatMap(([at, number]) => before.slice(at, at + number));
    // The view's own: the script that is shipped defines no `vega` that has one.
    view.change(name, view.changeset().remove(gone).insert(come));
    this.rows.set(name, spliced(before, come, change.cuts));
  }

  /** Count how often something was done, for whoever looks from outside. @param {"drawn" | "fed"} what */
  count(what) {
    this.root.dataset[what] = String(Number(this.root.dataset[what] ?? 0) + 1);
  }

  tell() {
    this.root.hidden = !this.model.get("spec").$schema;
    this.tellWords(this.model.get("summary"), this.model.get("caption"));
    set(this.stage, { "data-pick": Boolean(this.pick), role: "img", label: this.model.get("description") || "Chart" });
    this.tools.show(Boolean(this.pick));
  }

  /** @param {string} line That the text folds into; empty where all of it stands there. @param {string} text */
  tellWords(line, text) {
    setText(this.line, line);
    setText(this.caption, text);
    this.folded.hidden = !line;
    const place = line ? this.folded : this.root;
    if (this.caption.parentNode !== place) place.append(this.caption);
  }

  retheme() {
    const dark = isDark(this.root);
    if (dark === this.dark) return;
    this.dark = dark;
    void this.draw();
  }

  resize() {
    const [width, spec] = [this.stage.clientWidth, this.model.get("spec")];
    if (!this.view || width <= 0) return;
    if (spec.width === "container") void this.view.width(width).runAsync();
    else if (spec.concat && columnsIn(spec, width) !== this.columns) void this.draw();
  }

  /** Show the part of the x-axis that the model says. */
  follow() {
    const [from, to] = this.model.get("zoom");
    if (this.view && this.pick) {
      this.view.signal("x_from", from ?? null).signal("x_to", to ?? null);
      void this.view.runAsync();
    }
    this.tell();
  }

  close() {
    this.turn++;
    this.tools.close();
    this.resizer.disconnect();
    this.stopTheme();
    this.view?.finalize();
  }
}
