/**
 * The table of runs. Only the rows in sight are in the page, so that ten thousand scroll as twenty do; the focus stays on
 * the grid, which says which of its rows is meant, and no row that scrolls away takes it along.
 *
 * @import { Line, Order, Row, Sort, Table } from "./rows.js"
 * @typedef {{table: Table, version: number, piece: {at?: number, rows?: [number, [number, any][]][]}, colours: Record<string, string>, notes: string[],
 *   empty: string, found: {text: string, names: string[], total: number}, selected: string[], hidden: {runs: string[], arms: string[]},
 *   asked: string, picked: string[], layout: Layout, archived: string[], with_archived: boolean, protected: string[], actions: string[], notice: string,
 *   request: {action?: string, runs?: string[], text?: string, nonce?: string}, undo: {action?: string, runs?: string[]}}} RunsState See ../table.py.
 * @typedef {{grouped: boolean, open: boolean | null, flipped: string[], away: string[], sort: Order | null}} Layout `flipped` are arms
 *   that a person opened or shut, against what they would be; `open` is null until somebody folds one.
 * @typedef {import("@anywidget/types").AnyModel<RunsState>} RunsModel
 */
import { Actions } from "../../jobs/js/actions.js";
import { copyName } from "../../page/js/clipboard.js";
import { make, movedTo, refill, sayLines, setText } from "../../page/js/dom.js";
import { plural } from "../../page/js/format.js";
import { heldOf } from "../../page/js/live.js";
import { nonce, tellPython } from "../../page/js/model.js";
import { RowWindow } from "../../page/js/row-window.js";
import { Columns } from "./columns.js";
import { drawLine } from "./line-view.js";
import { ARM, FIRST, RUN, SEED, STATE, byArm, found, hider, linesOf, withNews } from "./rows.js";

const [ROW_PX, OPEN_UP_TO, FOUND_OPEN_UP_TO] = [28, 20, 50];
const HEADS = /** @type {[string, number, string, number][]} */ ([["runs-run", RUN, "Run", 250], ["runs-state", STATE, "State", 124], ["runs-seed", SEED, "Seed", 64]]);
const WIDTHS = /** @type {Record<string, number>} */ ({ curve: 112, text: 104, number: 84, switch: 84, time: 104, cost: 72 });
const KEYS = "Arrows move. Space hides a line in the charts or draws it again. Enter opens an arm, or brings a run to the front; Shift+Enter brings an arm to the front.";
let tables = 0;

export class RunsView {
  /** @type {Line[]} */
  lines = [];
  /** @type {Map<string, {element: HTMLTableRowElement, rows: Row[], look: number}>} Those in the page, by their keys. */
  drawn = new Map();
  look = 0; // counts up when all lines look otherwise
  /** @type {boolean | null} Whether arms are open until somebody folds one; null until there are runs. */
  openAtFirst = null;
  at = 0; // the line that the keyboard is on
  id = `runs-${++tables}`;
  filter = make("input.runs-search.runs-field", { type: "search", placeholder: "Search runs", label: "Search runs", oninput: () => this.update() });
  group = make("button.runs-button", { type: "button", "aria-pressed": "true", onclick: () => this.arrange({ grouped: !this.layout.grouped }) }, "By arm");
  all = make("button.runs-button", { type: "button", onclick: () => this.arrange({ open: !this.isOpen, flipped: [] }) }, "Open all");
  count = make("span.runs-count", { "aria-live": "polite" });
  away = make("span.runs-away", { role: "status" });
  back = make("button.runs-button", { type: "button", onclick: () => this.hide({ runs: [], arms: [] }) }, "Show all");
  shelf = make("button.runs-button", { type: "button", onclick: () => tellPython(this.model, "with_archived", !this.model.get("with_archived")) });
  undo = make("button.runs-button", { type: "button", onclick: () => this.takeBack() }, "Undo");
  notice = make("span.runs-came");
  notes = make("ul.runs-notes", { role: "status" });
  head = make("tr", { role: "row", "aria-rowindex": 1 });
  body = make("tbody", { role: "rowgroup" });
  grid = make("table.runs-grid", { tabindex: 0, label: "Runs", "aria-multiselectable": "true", "aria-description": KEYS, onkeydown: (/** @type {KeyboardEvent} */ event) => this.press(event) },
    make("thead", { role: "rowgroup" }, this.head), this.body);
  scroll = make("div.runs-scroll", { onclick: (/** @type {MouseEvent} */ event) => this.click(event) }, this.grid);
  nothing = make("p.runs-empty");
  said = make("p.runs-said", { role: "status" });

  /** @param {RunsModel} model @param {HTMLElement} root */
  constructor(model, root) {
    this.model = model;
    this.held = heldOf(model, "table", withNews);
    this.columns = new Columns(model, () => this.held.value.columns, (away) => this.arrange({ away }));
    this.actions = new Actions(model, () => this.subjects(), "run", () => this.grid.focus({ preventScroll: true }));
    this.top = make("div.runs-top", {}, this.filter, this.group, this.all, this.columns.element, this.shelf, this.actions.buttons, this.count, this.away, this.back);
    this.came = make("p.runs-notice", { role: "status" }, this.notice, this.undo);
    root.replaceChildren(this.top, this.actions.confirm, this.came, this.notes, this.scroll, this.nothing, this.said);
    this.window = new RowWindow(this.scroll, this.body, this.head, ROW_PX, () => this.place());
  }

  get layout() {
    return this.model.get("layout");
  }

  /** @returns {boolean} Whether arms are open unless they were flipped. */
  get isOpen() {
    return this.layout.open ?? Boolean(this.openAtFirst);
  }

  /** @returns {Sort | null} None where the column is put away or gone. */
  get by() {
    const sort = this.layout.sort;
    const [, cell] = sort ? this.places.find(([key]) => key === sort.key) ?? [] : [];
    return sort && cell !== undefined ? { cell, down: sort.down } : null;
  }

  /** @returns {[string, number][]} Keys of what is shown, and where its values are in a row. */
  get places() {
    const all = this.held.value.columns;
    return [...HEADS.map(([key, cell]) => /** @type {[string, number]} */ ([key, cell])),
      ...this.columns.shown.map(({ key }) => /** @type {[string, number]} */ ([key, FIRST + all.findIndex((each) => each.key === key)]))];
  }

  /** Fold, sort or put away otherwise; Python keeps it. @param {Partial<Layout>} change */
  arrange(change) {
    tellPython(this.model, "layout", { ...this.layout, ...change });
    this.show();
  }

  /** Show what is known by now: other values, rows, columns or another layout. */
  show() {
    this.heads();
    this.update();
    this.columns.show();
  }

  heads() {
    const columns = this.columns.shown;
    this.cells = this.places.slice(HEADS.length).map(([, cell]) => cell);
    this.look++;
    const heads = [...HEADS.map(([name, , label, width]) => this.sorter(name, name, label, "", width)),
      ...columns.map(({ key, kind, label, title }) => this.sorter(key, `runs-${kind}`, label, title, WIDTHS[kind] ?? WIDTHS.text))];
    refill(this.head, ...heads);
    const width = [...HEADS.map(([, , , each]) => each), ...columns.map(({ kind }) => WIDTHS[kind] ?? WIDTHS.text)].reduce((sum, each) => sum + each, 0);
    this.grid.style.minWidth = `${width}px`;
  }

  /** @param {string} key @param {string} name @param {string} label @param {string} title @param {number} width */
  sorter(key, name, label, title, width) {
    const by = this.layout.sort;
    const sort = by?.key === key ? (by.down ? "descending" : "ascending") : "none";
    const button = name === "runs-curve" ? make("span.jobs-sort", { title }, label) : make("button.jobs-sort", { type: "button", label: `Sort by ${label}`, title, onclick: () => this.sort(key, name) }, label);
    return make(`th.${name}`, { role: "columnheader", scope: "col", "aria-sort": sort, style: `width:${width}px` }, button);
  }

  /** First the way one wants to look, then the other, then the order of launch again. @param {string} key @param {string} kind */
  sort(key, kind) {
    const [by, down] = [this.layout.sort, ["runs-number", "runs-cost", "runs-time"].includes(kind)];
    this.arrange({ sort: by?.key !== key ? { key, down } : by.down === down ? { key, down: !down } : null });
  }

  /** Put the lines together anew. */
  update() {
    const { rows } = this.held.value;
    if (this.openAtFirst === null && rows.length) this.openAtFirst = rows.length <= OPEN_UP_TO;
    const text = this.filter.value.trim();
    const shown = found(this.held.value, text);
    const arms = byArm(shown).length;
    const key = this.lines[this.at]?.key;
    const { grouped, flipped } = this.layout;
    const [groups, turned, open] = [grouped && byArm(rows).length > 1, new Set(flipped), this.isOpen];
    const opened = text !== "" && shown.length <= FOUND_OPEN_UP_TO;
    this.lines = linesOf(shown, this.by, groups, (arm) => opened || open !== turned.has(arm));
    this.at = Math.max(0, this.lines.findIndex((line) => line.key === key));
    this.grid.setAttribute("role", groups ? "treegrid" : "grid");
    this.grid.setAttribute("aria-rowcount", String(this.lines.length + 1));
    this.group.setAttribute("aria-pressed", String(grouped));
    this.group.hidden = byArm(rows).length < 2;
    this.all.hidden = !groups;
    setText(this.all, open ? "Close all" : "Open all");
    const many = `${plural(arms, "arm")}, ${plural(shown.length, "run")}`;
    setText(this.count, text ? `${many} of ${plural(rows.length, "run")}` : many);
    this.top.hidden = this.scroll.hidden = this.said.hidden = rows.length === 0;
    setText(this.nothing, rows.length ? `No run matches “${text}”. Change or clear the search.` : this.model.get("empty"));
    this.nothing.hidden = shown.length > 0;
    sayLines(this.notes, this.model.get("notes"));
    this.tellAway();
    this.offer();
    this.place();
  }

  /** @returns {import("../../jobs/js/actions.js").Subject[]} The runs that are there, for what may be done with them. */
  subjects() {
    const [archived, kept] = [new Set(this.model.get("archived")), new Set(this.model.get("protected"))];
    return this.held.value.rows.map((row) => ({ run: row[RUN], state: row[STATE], archived: archived.has(row[RUN]), protected: kept.has(row[RUN]) }));
  }

  /** Show what may be done, what came of the last of it, and whether archived runs are there. */
  offer() {
    this.actions.offer();
    const [archived, notice, undo] = [this.model.get("archived").length, this.model.get("notice"), this.model.get("undo")];
    setText(this.shelf, this.model.get("with_archived") ? "Leave out archived" : `Show ${archived} archived`);
    this.shelf.hidden = archived === 0;
    setText(this.notice, notice);
    this.came.hidden = notice === "";
    this.undo.hidden = !undo.action;
  }

  takeBack() {
    tellPython(this.model, "request", { ...this.model.get("undo"), text: "", nonce: nonce() });
    this.grid.focus({ preventScroll: true });
  }

  tellAway() {
    const isHidden = hider(this.model.get("hidden"));
    const away = this.held.value.rows.filter(isHidden).length;
    setText(this.away, away ? `${plural(away, "run")} not drawn in the charts; scores and verdicts count ${away === 1 ? "it" : "them"}` : "");
    this.away.hidden = this.back.hidden = away === 0;
  }

  /** Put the lines in sight into the page, and take out the others. */
  place() {
    const [columns, colours, selected] = [this.columns.shown, this.model.get("colours"), new Set(this.model.get("selected"))];
    const [isHidden, grouped] = [hider(this.model.get("hidden")), this.grid.getAttribute("role") === "treegrid"];
    const shelved = { archived: new Set(this.model.get("archived")), kept: new Set(this.model.get("protected")) };
    /** @type {typeof this.drawn} */
    const drawn = new Map();
    this.window.place(this.lines.length, (at) => {
      const line = this.lines[at];
      const [rows, was] = [this.rowsOf(line), this.drawn.get(line.key)];
      const same = was?.look === this.look && was.rows.length === rows.length && rows.every((row, number) => row === was.rows[number]);
      const made = same ? was.element : drawLine(line, columns, this.cells ?? [], { isHidden, grouped, shelved, colour: colours[rows[0]?.[ARM] ?? ""] });
      // A row with other values stays the elements that it is: a button of the mouse may be down on one.
      const element = was?.look === this.look ? was.element : made;
      if (element !== made) renew(element, made);
      element.id = `${this.id}-${at}`;
      element.setAttribute("aria-rowindex", String(at + 2));
      element.setAttribute("aria-selected", String(rows.every((row) => selected.has(row[RUN]))));
      element.toggleAttribute("data-at", at === this.at);
      if (line.group) element.setAttribute("aria-expanded", String(this.lines[at + 1]?.row?.[ARM] === line.group.arm));
      drawn.set(line.key, { element, rows, look: this.look });
      return element;
    });
    this.drawn = drawn;
    const { from, to } = this.window;
    if (this.at >= from && this.at < to) this.grid.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  /** Draw the lines in sight anew: other eyes or colours. */
  redraw() {
    this.look++;
    this.tellAway();
    this.offer();
    this.place();
  }

  /** @param {string} arm */
  flip(arm) {
    const flipped = new Set(this.layout.flipped);
    if (!flipped.delete(arm)) flipped.add(arm);
    this.arrange({ open: this.isOpen, flipped: [...flipped] });
  }

  /** @param {Line} line @returns {Row[]} */
  rowsOf({ group, row }) {
    return group ? group.rows : row ? [row] : [];
  }

  /** Bring runs to the front in the charts; what is there already goes back. @param {Line} line @param {boolean} add To what is there. */
  choose(line, add) {
    const [runs, before] = [this.rowsOf(line).map((row) => row[RUN]), this.model.get("selected")];
    const others = before.filter((run) => !runs.includes(run));
    const had = before.length - others.length === runs.length;
    this.select(had && (add || !others.length) ? others : add ? [...others, ...runs] : runs);
  }

  /** @param {string[]} runs */
  select(runs) {
    this.actions.close();
    tellPython(this.model, "selected", runs);
    this.offer();
    this.place();
  }

  /** @param {RunsState["hidden"]} hidden */
  hide(hidden) {
    tellPython(this.model, "hidden", hidden);
    this.redraw();
  }

  /** Draw what no line of the charts shows, or hide what is drawn. @param {Line} line */
  blink(line) {
    const hidden = this.model.get("hidden");
    const isHidden = hider(hidden);
    const [rows, runs, arms] = [this.rowsOf(line), new Set(hidden.runs), new Set(hidden.arms)];
    const show = rows.every(isHidden);
    const arm = rows[0]?.[ARM] ?? "";
    if (line.group && rows.length === this.held.value.rows.filter((row) => row[ARM] === arm).length) {
      for (const row of rows) runs.delete(row[RUN]);
      if (show) arms.delete(arm);
      else arms.add(arm);
    } else {
      // Of an arm that is hidden as a whole the others stay hidden, by name.
      if (arms.delete(arm)) for (const row of this.held.value.rows) if (row[ARM] === arm) runs.add(row[RUN]);
      for (const row of rows) {
        if (show) runs.delete(row[RUN]);
        else runs.add(row[RUN]);
      }
    }
    this.hide({ runs: [...runs], arms: [...arms] });
  }

  /** @param {MouseEvent} event */
  click(event) {
    const target = /** @type {Element} */ (event.target);
    const element = target.closest("tr");
    const at = element && element.parentElement === this.body ? Number(element.getAttribute("aria-rowindex")) - 2 : -1;
    const line = this.lines[at];
    if (!line) return;
    this.at = at;
    this.grid.focus({ preventScroll: true });
    if (target.closest(".runs-eye")) this.blink(line);
    else if (target.closest(".runs-caret") && line.group) this.flip(line.group.arm);
    else if (target.closest(".jobs-name") && line.row) void this.copy(line.row[RUN]);
    else this.choose(line, event.shiftKey || event.ctrlKey || event.metaKey);
    this.place();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const line = this.lines[this.at];
    if (event.target !== this.grid || !line) return;
    const next = movedTo(event.key, this.at, this.lines.length);
    const open = line.group && this.lines[this.at + 1]?.row?.[ARM] === line.group.arm;
    if (next >= 0) this.moveTo(next);
    else if (event.key === " ") this.blink(line);
    else if (event.key === "Enter" && line.group && !event.shiftKey) this.flip(line.group.arm);
    else if (event.key === "Enter") this.choose(line, event.shiftKey && !line.group);
    else if ((event.key === "ArrowRight" && line.group && !open) || (event.key === "ArrowLeft" && open)) this.flip(line.group?.arm ?? "");
    else if (event.key === "ArrowLeft" && line.row) this.moveTo(Math.max(0, this.lines.findLastIndex(({ group }, at) => at < this.at && group !== undefined)));
    else if (event.key === "c" && (event.ctrlKey || event.metaKey) && line.row) void this.copy(line.row[RUN]);
    else if (event.key === "Escape") this.select([]);
    else return;
    this.place();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} at */
  moveTo(at) {
    this.at = at;
    this.window.reveal(at);
  }

  /** @param {string} run */
  async copy(run) {
    setText(this.said, await copyName(run));
  }
}

/** @param {HTMLTableRowElement} element @param {HTMLTableRowElement} made How it looks from now on. */
function renew(element, made) {
  element.dataset.eye = made.dataset.eye;
  [...made.cells].forEach((cell, at) => {
    const old = element.cells[at];
    if (old.innerHTML !== cell.innerHTML) old.replaceChildren(...cell.childNodes);
    for (const name of ["title", "data-state"]) {
      const value = cell.getAttribute(name);
      if (value === null) old.removeAttribute(name);
      else old.setAttribute(name, value);
    }
  });
}
