/** Which columns are shown: those of the table can be put away, and settings and metrics that Python finds be added. */
import { holds } from "../../jobs/js/rows.js";
import { make, refill, setText } from "../../page/js/dom.js";
import { count } from "../../page/js/format.js";
import { tellPython } from "../../page/js/model.js";

/**
 * @import { RunsModel } from "./runs-view.js"
 * @import { Column } from "./rows.js"
 */

const [MOST_LISTED, PATIENCE_MS] = [60, 250];

export class Columns {
  timer = 0;
  field = make("input.runs-field", { type: "search", placeholder: "losses/*, learning_rate", label: "Find settings and metrics", oninput: () => this.search() });
  list = make("ul.runs-choices");
  told = make("p.runs-told", { role: "status" });
  reset = make("button.runs-button", { type: "button", onclick: () => this.toDefault() }, "Usual columns");
  element = make("details.runs-columns", { ontoggle: () => this.show(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.press(event) }, make("summary.runs-button", {}, "Columns"),
    make("div.runs-panel", {}, this.field, this.list, this.told, this.reset));

  /** @param {RunsModel} model @param {() => Column[]} all Columns of the table. @param {(away: string[]) => void} putAway */
  constructor(model, all, putAway) {
    this.model = model;
    this.all = all;
    this.putAway = putAway;
  }

  /** @returns {Set<string>} Keys of columns that a person put away. */
  get away() {
    return new Set(this.model.get("layout").away);
  }

  /** @returns {Column[]} Those that are shown. */
  get shown() {
    const away = this.away;
    return this.all().filter(({ key }) => !away.has(key));
  }

  search() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => tellPython(this.model, "asked", this.field.value.trim() || "*"), PATIENCE_MS);
    this.show();
  }

  /** List what can be chosen, so much of it as a person reads. */
  show() {
    if (!this.element.open) return;
    if (!this.model.get("asked") && !this.model.get("found").total) tellPython(this.model, "asked", "*");
    const [text, columns, { names, total }] = [this.field.value.trim(), this.all(), this.model.get("found")];
    const [here, picked, away] = [new Set(columns.map(({ name }) => name)), this.model.get("picked"), this.away];
    const own = columns.filter(({ label, name }) => !text || holds(`${label} ${name}`, text.replaceAll("*", " ")));
    const items = [...own.map(({ key, label, name }) => this.item(key, label, name || label, !away.has(key))),
      ...names.filter((name) => !here.has(name)).map((name) => this.item(name, name, name, picked.includes(name)))];
    refill(this.list, ...items.slice(0, MOST_LISTED));
    setText(this.told, total > names.length ? `The first ${count(names.length)} of ${count(total)} settings and metrics. Type to find others.` : "");
    this.reset.disabled = !away.size && !this.model.get("picked").length;
  }

  /** @param {string} key @param {string} label @param {string} title @param {boolean} on */
  item(key, label, title, on) {
    const box = make("input", { type: "checkbox", checked: on, onchange: () => this.choose(key, box.checked) });
    return make("li", {}, make("label", { title }, box, make("span", {}, label)));
  }

  /** @param {string} key Of a column, or the name of a setting or metric. @param {boolean} on */
  choose(key, on) {
    const away = this.away;
    if (!on) away.add(key);
    else if (!away.delete(key)) {
      const kept = this.shown.map(({ name }) => name).filter(Boolean);
      tellPython(this.model, "picked", [...new Set([...kept, key])]);
    }
    this.putAway([...away]);
  }

  toDefault() {
    if (this.model.get("picked").length) tellPython(this.model, "picked", []);
    this.putAway([]);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.key !== "Escape" || !this.element.open) return;
    this.element.open = false;
    this.element.querySelector("summary")?.focus();
    event.stopPropagation();
  }
}
