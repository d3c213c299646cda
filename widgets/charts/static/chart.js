/**
 * A Vega-Lite chart that is drawn once and then fed: new rows go into the drawing that is there, so zoom, brush and
 * hidden arms survive. Dragging zooms or selects runs, a click tells Python which run and where. All text is set as
 * text, never as HTML. What the traits mean is said in ../chart.py.
 *
 * @typedef {Record<string, any[]>} Columns
 * @typedef {{points: string, runs: string, x: string, y: string}} Pick
 * @typedef {{spec: any, datasets: Record<string, Columns>, caption: string, description: string, colours: Record<string, string>,
 *   can_select: boolean, zoom: number[], brush: {x?: number[], y?: number[]}, clicked: {run?: string, x?: number, nonce?: string}}} State
 * @typedef {import("@anywidget/types").AnyModel<State>} Model
 * @typedef {{x: number, y: number}} Place Pixels inside the plot.
 */

const NEAR_PX = 32;
const MOVED_PX = 4;
const PATIENCE_MS = 60_000;
const SETTLED_MS = 200;
/** @type {[number, string][]} */
const SUFFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** @param {Columns} columns @returns {Record<string, any>[]} */
export function rowsOf(columns) {
  const names = Object.keys(columns);
  return (columns[names[0]] ?? []).map((_, row) => Object.fromEntries(names.map((name) => [name, columns[name][row]])));
}

/** @param {any} value @param {Record<string, string>} colours @returns {any} The same with other colours. */
export function recoloured(value, colours) {
  return JSON.parse(JSON.stringify(value).replace(/#[0-9a-f]{6}/g, (colour) => colours[colour] ?? colour));
}

/** @param {number} value @returns {string} Four significant digits and an SI suffix. */
export function quantity(value) {
  if (!Number.isFinite(value)) return "–";
  const [unit, suffix] = SUFFIXES.find(([each]) => Math.abs(value) >= each) ?? [1, ""];
  return `${Number((value / unit).toPrecision(4))}${suffix}`;
}

/**
 * @param {Columns} points @param {Place} at @param {(x: number) => number} toX @param {(y: number) => number} toY
 * @returns {number} Row of the nearest point within reach; -1 where there is none.
 */
export function nearest(points, at, toX, toY) {
  let [found, best] = [-1, NEAR_PX * NEAR_PX];
  const { x = [], y = [] } = points;
  for (let row = 0; row < x.length; row++) {
    const across = toX(x[row]) - at.x;
    if (Math.abs(across) > NEAR_PX) continue;
    const away = across ** 2 + (toY(y[row]) - at.y) ** 2;
    if (away < best) [found, best] = [row, away];
  }
  return found;
}

/** @param {string} tag @param {string} name @param {Record<string, string>} [attributes] @param {string} [text] */
function make(tag, name, attributes = {}, text = "") {
  const element = document.createElement(tag);
  if (name) element.className = `chart-${name}`;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** @returns {boolean} Whether the page around an element is dark. @param {HTMLElement} element */
function isDark(element) {
  const probe = make("span", "", { style: "color: light-dark(#ffffff, #000000); display: none" });
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour === "rgb(0, 0, 0)";
}

/** @param {Model} model @returns {Promise<any>} Vega's embed function, loaded once a page. */
function vega(model) {
  const page = /** @type {any} */ (globalThis);
  if (page.vegaEmbed) return Promise.resolve(page.vegaEmbed);
  if (!page.experimentsVega) {
    page.experimentsVega = asked(model).then(() => page.vegaEmbed);
    page.experimentsVega.catch(() => { page.experimentsVega = undefined; });
  }
  return page.experimentsVega;
}

/** @param {Model} model @returns {Promise<void>} */
function asked(model) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), PATIENCE_MS);
    const receive = /** @param {any} message @param {DataView[]} buffers */ async (message, buffers) => {
      if (message?.type !== "vega" || !buffers?.[0]) return;
      clearTimeout(timer);
      model.off("msg:custom", receive);
      const { buffer, byteOffset, byteLength } = buffers[0];
      const packed = new Blob([new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength)]);
      const script = document.createElement("script");
      script.text = await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).text();
      document.head.append(script);
      resolve();
    };
    model.on("msg:custom", receive);
    model.send({ type: "vega" });
  });
}

class ChartView {
  /** @param {Model} model @param {HTMLElement} root */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    /** @type {any} */ this.view = null;
    this.turn = 0;
    this.mode = "zoom";
    this.hovered = -1;
    /** @type {{x: number, y: number} | null} */ this.start = null;
    this.tools = make("div", "tools", { role: "toolbar", "aria-label": "Chart" });
    this.stage = make("div", "stage");
    this.plot = make("div", "plot");
    this.drag = make("div", "drag");
    this.tip = make("div", "tip", { role: "status" });
    this.wait = make("p", "wait", {}, "Drawing the chart");
    this.caption = make("p", "caption");
    this.drag.hidden = this.tip.hidden = true;
    this.stage.append(this.plot, this.drag, this.tip);
    this.root.append(this.tools, this.wait, this.stage, this.caption);
    this.buttons = {
      zoom: this.button("Drag zooms", () => this.setMode("zoom")),
      select: this.button("Drag selects runs", () => this.setMode("select")),
      whole: this.button("Whole range", () => this.setZoom([])),
      all: this.button("All runs", () => this.setBrush({})),
    };
    this.listen();
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.stage);
    this.dark = isDark(root);
    this.themes = new MutationObserver(() => this.retheme());
    for (const node of [document.documentElement, document.body]) this.themes.observe(node, { attributes: true });
    this.setMode("zoom");
  }

  /** @param {string} text @param {() => void} act */
  button(text, act) {
    const button = make("button", "", { type: "button" }, text);
    button.addEventListener("click", act);
    this.tools.append(button);
    return button;
  }

  /** @returns {Pick | undefined} */
  get pick() {
    return this.model.get("spec").usermeta?.pick;
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
      const full = recoloured({ ...spec, datasets: this.rows() }, this.dark ? this.model.get("colours") : {});
      for (const param of full.params ?? []) {
        const [from, to] = this.model.get("zoom");
        if (param.name === "x_from" && from !== undefined) param.value = from;
        if (param.name === "x_to" && to !== undefined) param.value = to;
      }
      const { view } = await embed(this.plot, full, { mode: "vega-lite", actions: false, renderer: "canvas", ...(this.pick ? { tooltip: false } : {}) });
      if (turn !== this.turn) return void view.finalize();
      this.view?.finalize();
      this.view = view;
      this.wait.hidden = true;
      this.root.dataset.drawn = String(Number(this.root.dataset.drawn ?? 0) + 1);
    } catch (error) {
      if (turn !== this.turn) return;
      this.wait.hidden = false;
      this.wait.textContent = `This chart could not be drawn here (${error instanceof Error ? error.message : error}).`;
    }
  }

  rows() {
    const held = this.model.get("datasets");
    return Object.fromEntries(Object.entries(held).map(([name, columns]) => [name, rowsOf(columns)]));
  }

  async feed() {
    this.tell();
    const [view, turn] = [this.view, this.turn];
    if (!view) return;
    const colours = this.dark ? this.model.get("colours") : {};
    try {
      for (const [name, rows] of Object.entries(this.rows())) view.data(name, name.includes("x") ? rows : recoloured(rows, colours));
      await view.runAsync();
      this.root.dataset.fed = String(Number(this.root.dataset.fed ?? 0) + 1);
    } catch {
      // A dataset that this drawing does not have: its form is about to change, or did.
      if (turn === this.turn) await this.draw();
    }
  }

  tell() {
    const spec = this.model.get("spec");
    this.root.hidden = !spec.$schema;
    this.caption.textContent = this.model.get("caption");
    this.stage.toggleAttribute("data-pick", Boolean(this.pick));
    this.stage.setAttribute("role", "img");
    this.stage.setAttribute("aria-label", this.model.get("description") || "Chart");
    this.tools.hidden = !this.pick;
    this.buttons.zoom.hidden = this.buttons.select.hidden = !this.model.get("can_select");
    this.buttons.whole.hidden = this.model.get("zoom").length === 0;
    this.buttons.all.hidden = !this.model.get("brush").x;
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

  /** @param {string} mode */
  setMode(mode) {
    this.mode = mode;
    this.buttons.zoom.setAttribute("aria-pressed", String(mode === "zoom"));
    this.buttons.select.setAttribute("aria-pressed", String(mode === "select"));
  }

  /** @param {number[]} range */
  setZoom(range) {
    this.model.set("zoom", range);
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.model.save_changes(), SETTLED_MS);
  }

  /** Shows the part of the x-axis that the model says. */
  follow() {
    const [from, to] = this.model.get("zoom");
    if (this.view && this.pick) {
      this.view.signal("x_from", from ?? null).signal("x_to", to ?? null);
      void this.view.runAsync();
    }
    this.tell();
  }

  /** @param {State["brush"]} brush */
  setBrush(brush) {
    this.model.set("brush", brush);
    this.model.save_changes();
    this.tell();
  }

  /** @param {PointerEvent | MouseEvent} event @returns {Place} */
  place(event) {
    const canvas = this.plot.querySelector("canvas, svg") ?? this.plot;
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = this.view.origin();
    return { x: event.clientX - left - x, y: event.clientY - top - y };
  }

  /** @param {"x" | "y"} axis @param {number} from @param {number} to @returns {number[]} Pixels to values, in order. */
  range(axis, from, to) {
    const scale = this.view.scale(axis);
    const ends = scale.range().slice().sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
    const inside = [from, to].map((at) => scale.invert(Math.min(ends[1], Math.max(ends[0], at))));
    return inside.sort((a, b) => a - b);
  }

  listen() {
    this.stage.addEventListener("pointerdown", (event) => {
      if (!this.view || !this.pick || event.button !== 0) return;
      this.start = { x: event.clientX, y: event.clientY };
      this.stage.setPointerCapture(event.pointerId);
    });
    this.stage.addEventListener("pointermove", (event) => this.move(event));
    this.stage.addEventListener("pointerup", (event) => this.drop(event));
    this.stage.addEventListener("pointercancel", () => this.letGo());
    this.stage.addEventListener("pointerleave", () => this.point(-1));
    this.stage.addEventListener("dblclick", () => this.pick && this.setZoom([]));
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.view || !this.pick) return;
    if (!this.start) return this.point(this.under(event), event);
    const whole = this.stage.getBoundingClientRect();
    const [left, right] = [this.start.x, event.clientX].sort((a, b) => a - b);
    const [top, bottom] = [this.start.y, event.clientY].sort((a, b) => a - b);
    if (right - left < MOVED_PX && bottom - top < MOVED_PX) return;
    this.point(-1);
    this.drag.hidden = false;
    const flat = this.mode === "zoom";
    this.drag.style.left = `${left - whole.left + this.stage.scrollLeft}px`;
    this.drag.style.width = `${right - left}px`;
    this.drag.style.top = flat ? "0" : `${top - whole.top}px`;
    this.drag.style.height = flat ? "100%" : `${bottom - top}px`;
  }

  /** @param {PointerEvent} event */
  drop(event) {
    const start = this.start;
    this.letGo();
    if (!start || !this.view) return;
    const [from, to] = [this.place(new MouseEvent("up", { clientX: start.x, clientY: start.y })), this.place(event)];
    const wide = Math.abs(to.x - from.x) >= MOVED_PX;
    if (!wide && Math.abs(to.y - from.y) < MOVED_PX) return this.click(event);
    if (this.mode === "select") this.setBrush({ x: this.range("x", from.x, to.x), y: this.range("y", from.y, to.y) });
    else if (wide) {
      const range = this.range("x", from.x, to.x);
      if (range[1] > range[0]) this.setZoom(range);
    }
  }

  letGo() {
    this.start = null;
    this.drag.hidden = true;
  }

  /** @param {MouseEvent} event @returns {number} */
  under(event) {
    const points = this.model.get("datasets")[this.pick?.points ?? ""];
    return points ? nearest(points, this.place(event), this.view.scale("x"), this.view.scale("y")) : -1;
  }

  /** @param {number} number @returns {Record<string, any> | undefined} */
  run(number) {
    const runs = this.model.get("datasets")[this.pick?.runs ?? ""] ?? {};
    const row = (runs.k ?? []).indexOf(number);
    return row < 0 ? undefined : Object.fromEntries(Object.keys(runs).map((name) => [name, runs[name][row]]));
  }

  /** @param {number} row @param {MouseEvent} [event] */
  point(row, event) {
    const points = this.model.get("datasets")[this.pick?.points ?? ""];
    const number = row < 0 || !points ? -1 : points.k[row];
    if (number !== this.hovered && this.view) {
      this.hovered = number;
      void this.view.signal("hovered", number).runAsync();
    }
    this.tip.hidden = number < 0;
    if (number < 0 || !event || !this.pick) return;
    const run = this.run(number) ?? {};
    const lines = [`${this.pick.x} ${quantity(points.x[row])}`, `${this.pick.y} ${quantity(points.y[row])}`, run.state ?? ""];
    this.tip.replaceChildren(make("b", "", {}, run.label ?? run.run ?? ""), ...lines.map((line) => make("div", "", {}, line)));
    const whole = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - whole.left, event.clientY - whole.top];
    const right = x > whole.width - 240;
    this.tip.style.left = right ? "" : `${x + 14}px`;
    this.tip.style.right = right ? `${whole.width - x + 14}px` : "";
    this.tip.style.top = `${Math.max(0, Math.min(y + 10, whole.height - this.tip.offsetHeight))}px`;
  }

  /** @param {MouseEvent} event Beside every curve it takes the last click back. */
  click(event) {
    const row = this.under(event);
    const points = this.model.get("datasets")[this.pick?.points ?? ""];
    const run = row < 0 ? "" : this.run(points.k[row])?.run ?? "";
    if (!this.model.get("can_select") || run === (this.model.get("clicked").run ?? "") && !run) return;
    const nonce = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.model.set("clicked", { run, x: run ? points.x[row] : 0, nonce });
    this.model.save_changes();
  }

  /** @param {WheelEvent} event Zooms only with a key held: a wheel alone scrolls the page. */
  wheel(event) {
    if (!this.view || !this.pick || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const [low, high] = this.view.scale("x").range();
    const [at, factor] = [this.place(event).x, event.deltaY > 0 ? 1.25 : 0.8];
    const scale = this.view.scale("x");
    const range = [scale.invert(at - (at - low) * factor), scale.invert(at + (high - at) * factor)];
    if (range[0] < range[1]) this.setZoom(range);
  }

  close() {
    this.turn++;
    clearTimeout(this.saving);
    this.resizer.disconnect();
    this.themes.disconnect();
    this.view?.finalize();
  }
}

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const chart = new ChartView(model, el.appendChild(make("div", "root")));
  let due = "";
  // Several traits arrive in one message: the form decides, so it is looked at once all of them are there.
  const later = /** @param {"draw" | "feed"} what */ (what) => {
    if (!due) queueMicrotask(() => { const now = due; due = ""; void (now === "draw" ? chart.draw() : chart.feed()); });
    due = due === "draw" ? due : what;
  };
  const drawn = () => later("draw");
  const fed = () => later("feed");
  const told = () => chart.tell();
  const zoomed = () => chart.follow();
  model.on("change:spec", drawn);
  model.on("change:datasets", fed);
  model.on("change:caption", told);
  model.on("change:zoom", zoomed);
  model.on("change:brush", told);
  void chart.draw();
  return () => {
    model.off("change:spec", drawn);
    model.off("change:datasets", fed);
    model.off("change:caption", told);
    model.off("change:zoom", zoomed);
    model.off("change:brush", told);
    chart.close();
  };
}

export default { render };
