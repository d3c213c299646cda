/** Agents by steps: who did what when, what failed and what it earned. A click jumps there and selects. */
import { FAMILIES, drawGlyph, familyHue, familyWords } from "./actions.js";
import { lineAt } from "./activity.js";
import { h, iconButton, pixelRatio, prepareCanvas, setText } from "./dom.js";
import { count, signed } from "./format.js";
import { localPoint } from "./map-view.js";
import { series } from "./palette.js";
import { GUTTER } from "./timeline-view.js";

/**
 * @import { Family } from "./actions.js"
 * @import { Line } from "./activity.js"
 * @import { Context } from "./viewer.js"
 * @typedef {object} Row What one agent did at each step of the window.
 * @property {Int16Array} action @property {Int16Array} parameter @property {Int8Array} success
 * @property {Float32Array} reward @property {Int8Array} frozen @property {Int8Array} alive @property {Uint8Array} gain
 */

const ROW = 18;
const WIDTHS = [1, 2, 4, 8, 15];
const RIGHT = 12;
/** Cells at least this wide hold a glyph. */
const GLYPHS_FROM = 12;
const NO_DATA = -2;

export class TraceView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.canvas = h("canvas", { class: "rv-trace-canvas" });
    this.spacer = h("div", { class: "rv-trace-spacer" }, this.canvas);
    this.tip = h("div", { class: "rv-tip rv-preview", role: "presentation" });
    this.scroller = h("div", {
      class: "rv-trace-scroll", tabindex: 0, role: "img",
      "aria-label": "What each agent did at each step; click to go there",
    }, this.spacer);
    this.legend = h("div", { class: "rv-legend" });
    this.node = h("section", { class: "rv-trace", "aria-label": "Actions by agent" },
      h("div", { class: "rv-trace-head" }, h("span", { class: "rv-heading" }, "Actions"), this.legend, h("span", { class: "rv-grow" }),
        iconButton("minus", "Show more steps", () => this.#widen(-1)), iconButton("plus", "Show fewer steps", () => this.#widen(1))),
      this.scroller, this.tip);
    this.spacer.style.height = `${context.replay.agents.length * ROW}px`;
    this.width = 0;
    this.height = 0;
    this.zoom = WIDTHS.length - 1;
    this.start = 0;
    /** @type {HTMLCanvasElement | null} */
    this.backdrop = null;
    /** @type {Map<string, HTMLCanvasElement>} */
    this.glyphs = new Map();
    this.lastSelected = -1;
    this.#listen();
    this.restyle();
  }

  get cell() {
    return WIDTHS[this.zoom];
  }

  /** @returns {number} Steps in view. */
  get columns() {
    return Math.max(1, Math.floor((this.width - GUTTER - RIGHT) / this.cell));
  }

  /** @returns {[number, number]} Steps in view, the last exclusive. */
  get window() {
    return [this.start, Math.min(this.context.replay.steps, this.start + this.columns)];
  }

  /** @param {number} width @param {number} height Of the rows. */
  resize(width, height) {
    this.width = width;
    this.height = Math.min(height, Math.max(ROW, this.context.replay.agents.length * ROW));
    this.scroller.style.height = `${this.height}px`;
    this.backdrop = null;
  }

  refresh() {
    this.backdrop = null;
  }

  restyle() {
    this.backdrop = null;
    this.glyphs.clear();
    const palette = this.context.palette();
    const used = new Set(this.context.facts.actions.map((action) => action.family));
    const entries = FAMILIES.filter((family) => used.has(family)).map((family) => {
      const mark = h("span", { class: "rv-swatch" });
      mark.style.background = this.#colour(family);
      return h("span", { class: "rv-legend-entry" }, mark, familyWords(family));
    });
    const failed = h("span", { class: "rv-swatch rv-swatch-hollow" });
    failed.style.borderColor = palette.bad;
    const reward = h("span", { class: "rv-swatch rv-swatch-low" });
    reward.style.background = palette.good;
    this.legend.replaceChildren(...entries, h("span", { class: "rv-legend-entry" }, failed, "failed"), h("span", { class: "rv-legend-entry" }, reward, "reward"));
  }

  /** @param {Family} family */
  #colour(family) {
    const palette = this.context.palette();
    const hue = familyHue(family);
    return hue < 0 ? palette.quiet : series(palette, hue);
  }

  /** @param {number} by */
  #widen(by) {
    const { shown } = this.context.store.state;
    this.zoom = Math.min(WIDTHS.length - 1, Math.max(0, this.zoom + by));
    this.start = this.#startFor(shown);
    this.backdrop = null;
    this.context.invalidate("trace", "timeline");
  }

  /** @param {number} step @returns {number} A window with the step a third from its left. */
  #startFor(step) {
    const { steps } = this.context.replay;
    return Math.max(0, Math.min(steps - this.columns, step - Math.floor(this.columns / 3)));
  }

  draw() {
    const { shown, selected } = this.context.store.state;
    const [from, to] = this.window;
    if (shown < from || shown >= to) {
      this.start = this.#startFor(shown);
      this.backdrop = null;
      this.context.invalidate("timeline");
    }
    if (selected !== this.lastSelected) this.#reveal(selected);
    const pen = prepareCanvas(this.canvas, this.width, this.height);
    this.backdrop ??= this.#drawBackdrop();
    pen.clearRect(0, 0, this.width, this.height);
    pen.drawImage(this.backdrop, 0, 0, this.width, this.height);
    const palette = this.context.palette();
    pen.strokeStyle = palette.accent;
    pen.lineWidth = 1.5;
    pen.strokeRect(GUTTER + (shown - this.start) * this.cell - 0.75, 0.75, this.cell + 0.5, this.height - 1.5);
  }

  /** Scroll the selected agent's row into view. @param {number} selected */
  #reveal(selected) {
    this.lastSelected = selected;
    this.backdrop = null;
    const row = this.context.replay.agents.indexOf(selected);
    if (row < 0) return;
    const { scroller } = this;
    const top = row * ROW;
    if (top < scroller.scrollTop || top + ROW > scroller.scrollTop + this.height) {
      scroller.scrollTop = Math.max(0, top - this.height / 2);
    }
  }

  #drawBackdrop() {
    const canvas = document.createElement("canvas");
    const pen = prepareCanvas(canvas, this.width, this.height);
    const { agents } = this.context.replay;
    const top = this.scroller.scrollTop;
    const first = Math.floor(top / ROW);
    const last = Math.min(agents.length - 1, Math.floor((top + this.height - 1) / ROW));
    for (let row = first; row <= last; row++) this.#drawRow(pen, agents[row], row * ROW - top);
    return canvas;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} object @param {number} y */
  #drawRow(pen, object, y) {
    const palette = this.context.palette();
    const { replay, facts, store } = this.context;
    const chosen = store.state.selected === object;
    if (chosen) {
      pen.fillStyle = palette.raised;
      pen.fillRect(0, y, this.width, ROW);
      pen.fillStyle = palette.accent;
      pen.fillRect(0, y, 3, ROW);
    }
    pen.fillStyle = series(palette, facts.teams.hue(facts.teams.of(object, store.state.shown)));
    pen.beginPath();
    pen.arc(GUTTER - 13, y + ROW / 2, 3.5, 0, Math.PI * 2);
    pen.fill();
    pen.fillStyle = chosen ? palette.text : palette.muted;
    pen.font = `${chosen ? 600 : 400} 12px system-ui, -apple-system, "Segoe UI", sans-serif`;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(`agent ${replay.agentIds[object]}`, GUTTER - 22, y + ROW / 2 + 0.5);
    const cells = this.#read(object);
    for (let column = 0; column < cells.action.length; column++) this.#drawCell(pen, object, cells, column, y);
  }

  /** @param {number} object @returns {Row} */
  #read(object) {
    const { replay } = this.context;
    const [from, to] = this.window;
    const n = to - from;
    const fill = /** @param {string} name @param {any} out */ (name, out) => {
      replay.field(name).runs(object, from, to, (start, end, value) => out.fill(value, start - from, end - from));
      return out;
    };
    const row = {
      action: fill("action_id", new Int16Array(n).fill(NO_DATA)),
      parameter: fill("action_param", new Int16Array(n)),
      success: fill("action_success", new Int8Array(n)),
      reward: fill("current_reward", new Float32Array(n)),
      frozen: fill("is_frozen", new Int8Array(n)),
      alive: fill("alive", new Int8Array(n)),
      gain: new Uint8Array(n),
    };
    if (this.cell >= 4) this.#readGains(object, from, to, row.gain);
    return row;
  }

  /** @param {number} object @param {number} from @param {number} to @param {Uint8Array} gain */
  #readGains(object, from, to, gain) {
    const { replay } = this.context;
    const [first, end] = replay.pairsOf(object);
    for (let pair = first; pair < end; pair++) {
      let last = from > 0 ? replay.inventory.at(pair, from - 1) : NaN;
      replay.inventory.runs(pair, from, to, (start, _, value) => {
        if (value > last) gain[start - from] = 1;
        last = value;
      });
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} object @param {Row} cells @param {number} column @param {number} y */
  #drawCell(pen, object, cells, column, y) {
    const palette = this.context.palette();
    const { facts } = this.context;
    const x = GUTTER + column * this.cell;
    const gap = this.cell >= 4 ? 1 : 0;
    const width = this.cell - gap;
    if (cells.action[column] === NO_DATA || cells.alive[column] === 0) {
      pen.fillStyle = palette.hairline;
      pen.fillRect(x, y + ROW / 2, width, 1);
      return;
    }
    const action = facts.action(cells.action[column]);
    const family = action ? action.family : "wait";
    const failed = cells.success[column] === 0 && family !== "wait";
    if (this.cell >= GLYPHS_FROM) {
      const direction = action ? facts.direction(object, action, cells.parameter[column], this.start + column) : -1;
      pen.drawImage(this.#glyph(family, direction, failed), x, y + 1, width, ROW - 2);
    } else {
      pen.fillStyle = this.#colour(family);
      if (failed) pen.fillRect(x, y + ROW - 7, width, 3);
      else pen.fillRect(x, y + 3, width, ROW - 7);
    }
    if (cells.frozen[column]) {
      pen.fillStyle = palette.cold;
      pen.fillRect(x, y + 1, width, 2);
    }
    if (cells.gain[column]) {
      pen.fillStyle = palette.gain;
      pen.fillRect(x + Math.max(0, width - 4), y + 1, Math.min(4, width), 4);
    }
    if (cells.reward[column]) {
      pen.fillStyle = cells.reward[column] > 0 ? palette.good : palette.bad;
      pen.fillRect(x, y + ROW - 3, width, 3);
    }
  }

  /** @param {Family} family @param {number} direction @param {boolean} failed */
  #glyph(family, direction, failed) {
    const key = `${family}${direction}${failed}`;
    const ready = this.glyphs.get(key);
    if (ready) return ready;
    const palette = this.context.palette();
    const width = this.cell - 1;
    const height = ROW - 2;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * pixelRatio());
    canvas.height = Math.round(height * pixelRatio());
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    pen.scale(canvas.width / width, canvas.height / height);
    const colour = this.#colour(family);
    pen.beginPath();
    pen.roundRect(0.75, 0.75, width - 1.5, height - 1.5, 2.5);
    if (failed) {
      pen.strokeStyle = palette.bad;
      pen.lineWidth = 1.25;
      pen.stroke();
    } else {
      pen.fillStyle = colour;
      pen.fill();
    }
    pen.strokeStyle = failed ? palette.bad : family === "wait" ? palette.muted : palette.onMark;
    drawGlyph(pen, family, direction, (width - 12) / 2, (height - 12) / 2 - 0.5, 12);
    this.glyphs.set(key, canvas);
    return canvas;
  }

  /** @param {MouseEvent} event @returns {{object: number, step: number, x: number, y: number} | null} */
  #cellAt(event) {
    const { x, y } = localPoint(this.canvas, event);
    const row = Math.floor((y + this.scroller.scrollTop) / ROW);
    const { agents } = this.context.replay;
    if (row < 0 || row >= agents.length || y < 0 || y > this.height) return null;
    const [from, to] = this.window;
    const step = from + Math.floor((x - GUTTER) / this.cell);
    return { object: agents[row], step: x < GUTTER || step >= to ? -1 : step, x, y };
  }

  #listen() {
    const { scroller, context } = this;
    scroller.addEventListener("scroll", () => {
      this.backdrop = null;
      context.invalidate("trace");
    });
    this.canvas.addEventListener("click", (event) => {
      const hit = this.#cellAt(event);
      if (!hit) return;
      context.select(hit.object);
      if (hit.step >= 0) context.seek(hit.step);
    });
    this.canvas.addEventListener("pointermove", (event) => this.#showTip(this.#cellAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.#showTip(null));
    scroller.addEventListener("wheel", (event) => {
      if (!event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
      event.preventDefault();
      this.#slide(event.deltaX || event.deltaY);
    }, { passive: false });
  }

  /** @param {number} pixels */
  #slide(pixels) {
    const { steps } = this.context.replay;
    const { shown } = this.context.store.state;
    const start = Math.max(0, Math.min(steps - this.columns, this.start + Math.round(pixels / this.cell)));
    // The playhead stays in view, or the strip would jump back to it.
    this.start = Math.max(0, Math.max(shown - this.columns + 1, Math.min(shown, start)));
    this.backdrop = null;
    this.context.invalidate("trace", "timeline");
  }

  /** @param {{object: number, step: number, x: number, y: number} | null} hit */
  #showTip(hit) {
    this.tip.classList.toggle("rv-shown", hit !== null && hit.step >= 0);
    if (!hit || hit.step < 0) return;
    const { facts } = this.context;
    setText(this.tip, describeLine(facts.title(hit.object), lineAt(facts, hit.object, hit.step)));
    const left = Math.min(Math.max(4, hit.x + 12), this.width - this.tip.offsetWidth - 4);
    this.tip.style.transform = `translate(${left}px, ${hit.y + this.scroller.offsetTop - this.tip.offsetHeight - 10}px)`;
  }
}

/** @param {string} title @param {Line} line @returns {string} */
export function describeLine(title, line) {
  const parts = [`${title}, step ${count(line.from)}`, line.failed ? `${line.action}, failed` : line.action];
  if (line.reward) parts.push(`reward ${signed(line.reward)}`);
  return [...parts, ...line.notes].join("\n");
}
