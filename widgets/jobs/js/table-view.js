/**
 * The job table: one row a job, updated in place, so focus, scroll position, selection, sort and filter survive. Only the
 * rows in sight are in the page; where the row that has the focus scrolls away, the grid holds it till the row is back.
 *
 * @import { Key, Row, Sort } from "./rows.js"
 * @typedef {{rows: Row[], version: number, piece: {at?: number, rows?: [number, Partial<Row>][]}, as_of: number, sent_at: number, stale_after: number, ongoing: string[], problems: string[], actions: string[],
 *   notice: string, empty: string, selected: string[],
 *   request: {action?: string, runs?: string[], text?: string, nonce?: string}}} State See ../table.py.
 * @typedef {import("@anywidget/types").AnyModel<State>} Model
 */
import { copyName } from "../../page/js/clipboard.js";
import { make, movedTo, sayLines, setText } from "../../page/js/dom.js";
import { heldOf } from "../../page/js/live.js";
import { tellPython } from "../../page/js/model.js";
import { RowWindow } from "../../page/js/row-window.js";
import { Actions } from "./actions.js";
import { Freshness } from "./freshness.js";
import { RowView } from "./row-view.js";
import { COLUMNS, colouredArms, holds, sorted, summary, textOf, withNews } from "./rows.js";

const ROW_PX = 28;

export class TableView {
  /** @type {Map<string, RowView>} Those in the page. */
  views = new Map();
  /** @type {Row[]} The rows that the filter leaves, in the order shown. */
  shown = [];
  /** @type {string[]} */
  arms = [];
  /** @type {Sort | null} */
  by = null;
  active = ""; // the row that the keyboard is on
  anchor = ""; // the row from which a selection with Shift extends
  filter = make("input.jobs-filter.jobs-field", { type: "search", placeholder: "Filter jobs", label: "Filter jobs", oninput: () => this.update() });
  count = make("span.jobs-count", { "aria-live": "polite" });
  ongoing = make("ul.jobs-ongoing", { role: "status" });
  problems = make("ul.jobs-problems", { role: "status" });
  all = make("input", { type: "checkbox", label: "Select all jobs shown", onchange: () => this.select(this.all.checked ? this.order() : []) });
  body = make("tbody", { onclick: (/** @type {MouseEvent} */ event) => this.click(event) });
  heads = COLUMNS.map(([key, label]) => this.head(key, label));
  headRow = make("tr", { role: "row", "aria-rowindex": 1 }, make("th.jobs-pick", { role: "columnheader" }, this.all), ...this.heads);
  grid = make("table.jobs-grid", { role: "grid", label: "Jobs", "aria-multiselectable": "true", onkeydown: (/** @type {KeyboardEvent} */ event) => this.press(event) },
    make("thead", {}, this.headRow), this.body);
  scroll = make("div.jobs-scroll", {}, this.grid);
  nothing = make("p.jobs-empty");
  detail = make("p.jobs-detail", { role: "status" });

  /** @param {Model} model @param {HTMLElement} root */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.held = heldOf(model, "rows", withNews);
    this.freshness = new Freshness(model, root);
    this.actions = new Actions(model, () => this.held.value, "job", () => this.focus(this.active || this.order()[0]));
    this.top = make("div.jobs-top", {}, this.filter, this.count, this.actions.buttons, this.freshness.element);
    this.window = new RowWindow(this.scroll, this.body, this.headRow, ROW_PX, () => this.place());
    root.replaceChildren(this.top, this.ongoing, this.problems, this.actions.confirm, this.scroll, this.nothing, this.detail);
  }

  /** @param {Key} key @param {string} label */
  head(key, label) {
    const numeric = !["run", "state"].includes(key);
    const press = () => {
      // First the way one wants to look, then the other, then the order of launch again.
      if (this.by?.key !== key) this.by = { key, down: numeric };
      else this.by = this.by.down === numeric ? { key, down: !numeric } : null;
      for (const each of this.heads) each.setAttribute("aria-sort", "none");
      if (this.by) head.setAttribute("aria-sort", this.by.down ? "descending" : "ascending");
      this.update();
    };
    const head = make(`th.jobs-${key}`, { role: "columnheader", scope: "col", "aria-sort": "none" },
      make("button.jobs-sort", { type: "button", onclick: press }, label));
    return head;
  }

  order() {
    return this.shown.map((row) => row.run);
  }

  receive() {
    this.freshness.receive();
    this.tick();
  }

  /** Show what is known by now. @param {{rows: [number, unknown][]} | null} [piece] All of it where only some of the rows may be other. */
  update(piece) {
    const [rows, now, text] = [this.held.value, this.freshness.now(), this.filter.value.trim()];
    this.arms = colouredArms(rows);
    const known = new Set(rows.map((row) => row.run));
    for (const row of piece ? piece.rows.map(([at]) => rows[at]) : rows) this.views.get(row.run)?.update(row, this.arms.indexOf(row.arm), now);
    this.shown = sorted(text ? rows.filter((row) => holds(textOf(row), text)) : rows, this.by);
    this.grid.setAttribute("aria-rowcount", String(this.shown.length + 1));
    const selected = this.model.get("selected");
    if (selected.some((run) => !known.has(run))) this.select(selected.filter((run) => known.has(run)));
    this.top.hidden = this.scroll.hidden = this.detail.hidden = rows.length === 0;
    setText(this.nothing, rows.length ? `No job matches “${text}”. Change or clear the filter.` : this.model.get("empty"));
    this.nothing.hidden = this.shown.length > 0;
    this.place();
    setText(this.count, text ? `${this.shown.length} of ${summary(rows)}` : summary(rows));
    this.paint();
    this.tick();
  }

  /** Put the rows in sight in order; the focus stays on the row that it was on. */
  place() {
    const focus = /** @type {Document | ShadowRoot} */ (this.root.getRootNode()).activeElement;
    const [held, now] = [focus === this.grid || this.body.contains(focus), this.freshness.now()];
    /** @type {typeof this.views} */
    const views = new Map();
    this.window.place(this.shown.length, (at) => {
      const row = this.shown[at];
      const known = this.views.get(row.run);
      const view = known ?? new RowView(row.run);
      if (!known) view.update(row, this.arms.indexOf(row.arm), now);
      view.element.setAttribute("aria-rowindex", String(at + 2));
      views.set(row.run, view);
      return view.element;
    });
    this.views = views;
    this.paintRows();
    if (!held) return;
    const there = focus instanceof HTMLElement && focus !== this.grid && this.body.contains(focus);
    const place = there ? focus : this.views.get(this.active)?.element ?? this.grid;
    if (place === this.grid) this.grid.tabIndex = -1; // only as long as it holds the focus of a row
    else this.grid.removeAttribute("tabindex");
    place.focus({ preventScroll: true });
  }

  /** Show which rows are selected, and let the keyboard reach one of them. */
  paintRows() {
    const [selected, first] = [new Set(this.model.get("selected")), this.views.keys().next().value];
    for (const [run, view] of this.views) {
      view.element.setAttribute("aria-selected", String(selected.has(run)));
      view.element.tabIndex = run === (this.views.has(this.active) ? this.active : first) ? 0 : -1;
      view.box.checked = selected.has(run);
    }
  }

  /** Show the selection, the row that the keyboard is on, and what may be done with them. */
  paint() {
    const selected = new Set(this.model.get("selected"));
    const order = this.order();
    if (!order.includes(this.active)) this.active = "";
    this.paintRows();
    const count = order.filter((run) => selected.has(run)).length;
    this.all.checked = count > 0 && count === order.length;
    this.all.indeterminate = count > 0 && count < order.length;
    const row = this.shown.find((each) => each.run === this.active);
    const known = row ? [row.run, row.words, row.reason, row.history, row.cost] : [];
    setText(this.detail, known.filter(Boolean).join("  ·  "));
    this.actions.offer();
  }

  /** @param {string[]} runs */
  select(runs) {
    this.actions.close();
    tellPython(this.model, "selected", runs);
    this.paint();
  }

  /** @param {string} run @param {boolean} extend From the last one chosen. @param {boolean} add To what is selected. */
  choose(run, extend, add) {
    const [order, selected] = [this.order(), this.model.get("selected")];
    const [from, to] = [order.indexOf(this.anchor), order.indexOf(run)];
    if (extend && from >= 0) return this.select(order.slice(Math.min(from, to), Math.max(from, to) + 1));
    this.anchor = run;
    const others = selected.filter((each) => each !== run);
    if (add) return this.select(others.length < selected.length ? others : [...selected, run]);
    return this.select(selected.length === 1 && others.length === 0 ? [] : [run]);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const target = /** @type {Element} */ (event.target);
    const run = target.closest("tr")?.dataset.run ?? "";
    if (target.closest(".jobs-name")) return void this.copy(run);
    this.focus(run);
    this.choose(run, event.shiftKey, event.ctrlKey || event.metaKey || target === this.views.get(run)?.box);
  }

  /** @param {string} run */
  focus(run) {
    this.active = run;
    this.window.reveal(this.order().indexOf(run));
    this.place();
    this.paint();
    this.views.get(run)?.element.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const [order, { key, shiftKey: shift }, control] = [this.order(), event, event.ctrlKey || event.metaKey];
    const target = /** @type {Element} */ (event.target);
    if (target !== this.grid && !this.body.contains(target)) return;
    const run = target.closest("tr")?.dataset.run ?? (this.active || order[0]);
    const next = order[movedTo(key, order.indexOf(run), order.length)];
    if (next !== undefined) {
      this.focus(next);
      if (shift) this.choose(next, true, false);
    } else if (key === " ") this.choose(run, shift, true);
    else if (key === "Enter" || (key === "c" && control)) void this.copy(run);
    else if (key === "a" && control) this.select(order);
    else if (key === "Escape") this.select([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} run */
  async copy(run) {
    setText(this.detail, await copyName(run));
  }

  tick() {
    this.freshness.tick();
    const now = this.freshness.now();
    for (const row of this.shown.slice(this.window.from, this.window.to)) this.views.get(row.run)?.tick(row, now);
  }

  tell() {
    sayLines(this.ongoing, this.model.get("ongoing"));
    sayLines(this.problems, [this.model.get("notice"), ...this.model.get("problems")].filter(Boolean));
  }
}
