/** The buttons above a chart: what dragging does, and the way back from a zoom or a selection. */
import { make } from "../../page/js/dom.js";
import { tellPython } from "../../page/js/model.js";

/** @import { Model, State } from "./chart-view.js" */

const SETTLED_MS = 200;

export class Tools {
  mode = "zoom";
  zoom = button("Drag zooms", () => this.setMode("zoom"));
  select = button("Drag selects runs", () => this.setMode("select"));
  whole = button("Whole range", () => this.setZoom([]));
  all = button("All runs", () => this.setBrush({}));
  element = make("div.chart-tools", { role: "toolbar", label: "Chart" }, this.zoom, this.select, this.whole, this.all);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  saving = undefined;

  /** @param {Model} model @param {() => void} changed */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    this.setMode("zoom");
  }

  /** @param {boolean} shown */
  show(shown) {
    this.element.hidden = !shown;
    this.zoom.hidden = this.select.hidden = !this.model.get("can_select");
    this.whole.hidden = this.model.get("zoom").length === 0;
    this.all.hidden = !this.model.get("brush").x;
  }

  /** @param {"zoom" | "select"} mode What dragging does. */
  setMode(mode) {
    this.mode = mode;
    this.zoom.setAttribute("aria-pressed", String(mode === "zoom"));
    this.select.setAttribute("aria-pressed", String(mode === "select"));
  }

  /** @param {number[]} range */
  setZoom(range) {
    this.model.set("zoom", range);
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.model.save_changes(), SETTLED_MS);
  }

  /** @param {State["brush"]} brush */
  setBrush(brush) {
    tellPython(this.model, "brush", brush);
    this.changed();
  }

  close() {
    clearTimeout(this.saving);
  }
}

/** @param {string} text @param {() => void} press */
function button(text, press) {
  return make("button", { type: "button", onclick: press }, text);
}
