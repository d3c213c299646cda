/**
 * A Vega-Lite chart that is drawn once and then fed: new rows, and the ends of axes that come with them, go into the
 * drawing that is there, so zoom, brush and hidden arms survive.
 *
 * @import { Columns } from "./data.js"
 * @typedef {{points: string, runs: string, x: string, y: string}} Pick
 * @typedef {{spec: any, datasets: Record<string, Columns>, params?: Record<string, any>, caption: string, summary: string, description: string, colours: Record<string, string>,
 *   can_select: boolean, zoom: number[], brush: {x?: number[], y?: number[]}, clicked: {run?: string, x?: number, nonce?: string}}} State See ../chart.py.
 * @typedef {import("@anywidget/types").AnyModel<State>} Model
 */
import { make, set, setText } from "../../page/js/dom.js";
import { isDark, watchTheme } from "../../page/js/theme.js";
import { recoloured, rowsOf } from "./data.js";
import { Pointer } from "./pointer.js";
import { Tools } from "./tools.js";
import { vega } from "./vega.js";

export class ChartView {
  /** @type {any} Vega's view; null where nothing is drawn. */
  view = null;
  turn = 0;
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

  /** @returns {Record<string, string>} To put in the place of others. */
  get colours() {
    return this.dark ? this.model.get("colours") : {};
  }

  async draw() {
    const turn = ++this.turn;
    const spec = this.model.get("spec");
    this.tell();
    if (!spec.$schema) {
      this.view?.finalize();
      this.view = null;
      return;
    }
    try {
      const embed = await vega(this.model);
      if (turn !== this.turn) return;
      const options = { mode: "vega-lite", actions: false, renderer: "canvas", ...(this.pick ? { tooltip: false } : {}) };
      const { view } = await embed(this.plot, this.full(spec), options);
      if (turn !== this.turn) return void view.finalize();
      this.view?.finalize();
      this.view = view;
      this.wait.hidden = true;
      this.note("drawn");
    } catch (error) {
      if (turn !== this.turn) return;
      this.wait.hidden = false;
      setText(this.wait, `This chart could not be drawn here (${error instanceof Error ? error.message : error}).`);
    }
  }

  /** @param {any} spec @returns {any} With rows, the colours of the page and the part of the x-axis that is looked at. */
  full(spec) {
    const full = recoloured({ ...spec, datasets: this.rows() }, this.colours);
    const [from, to] = this.model.get("zoom");
    const given = this.model.get("params") ?? {};
    for (const param of full.params ?? []) {
      if (param.name in given) param.value = given[param.name];
      if (param.name === "x_from" && from !== undefined) param.value = from;
      if (param.name === "x_to" && to !== undefined) param.value = to;
    }
    return full;
  }

  rows() {
    const held = this.model.get("datasets");
    return Object.fromEntries(Object.entries(held).map(([name, columns]) => [name, rowsOf(columns)]));
  }

  async feed() {
    this.tell();
    const { view, turn, colours } = this;
    if (!view) return;
    try {
      for (const [name, value] of Object.entries(this.model.get("params") ?? {})) view.signal(name, value);
      for (const [name, rows] of Object.entries(this.rows())) view.data(name, name.includes("x") ? rows : recoloured(rows, colours));
      await view.runAsync();
      this.note("fed");
    } catch {
      // A dataset or param that this drawing does not have: its form is about to change, or did.
      if (turn === this.turn) await this.draw();
    }
  }

  /** Count how often something was done, for whoever looks from outside. @param {"drawn" | "fed"} what */
  note(what) {
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
    const width = this.stage.clientWidth;
    if (this.view && width > 0 && this.model.get("spec").width === "container") void this.view.width(width).runAsync();
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
