/**
 * The fleet table: experiments with their jobs, in one grid that is updated in place. The first state is sent whole,
 * then only what changed; a page that missed a change asks for the whole again.
 *
 * @import { Alert } from "./overview.js"
 * @import { FleetRow } from "./rows.js"
 * @typedef {{rows: FleetRow[], version: number, patch: {at?: number, rows?: FleetRow[], gone?: string[]},
 *   alerts: Alert[], as_of: number, sent_at: number, stale_after: number, ongoing: string[], problems: string[], all_open: boolean,
 *   selected: {experiment: string, run: string}, visible: boolean, wanted: number, seen: string}} FleetState See ../table.py.
 * @typedef {import("@anywidget/types").AnyModel<FleetState>} FleetModel
 */
import { Freshness } from "../../jobs/js/freshness.js";
import { colouredArms, holds, textOf } from "../../jobs/js/rows.js";
import { remember } from "../../page/js/address.js";
import { copyName } from "../../page/js/clipboard.js";
import { arrange, make, movedTo, sayLines, setText } from "../../page/js/dom.js";
import { plural } from "../../page/js/format.js";
import { tellPython } from "../../page/js/model.js";
import { GroupView } from "./group-view.js";
import { Lines } from "./lines.js";
import { Overview } from "./overview.js";
import { byExperiment, moreUrgent, patched, total } from "./rows.js";

const HEADS = [["run", "Experiment and run"], ["state", "State"], ["progress", "Progress"], ["sps", "Steps/s"],
  ["reward", "Reward"], ["left", "Time left"], ["started", "Started"], ["cost", "Cost"]];
const LONGEST_SEEN = 300;
const OWN_ESCAPE = "input, select, textarea, dialog, details[open], [role=dialog], [role=menu], [role=listbox]";

export class FleetView {
  version = 0;
  /** @type {Map<string, FleetRow>} */
  rows = new Map();
  /** @type {Map<string, GroupView>} */
  groups = new Map();
  /** @type {Set<string>} Experiments that a person opened or shut, against what they would be. */
  flipped = new Set();
  active = ""; // the row that the keyboard is on, by its key
  filter = make("input.jobs-filter.jobs-field", { type: "search", placeholder: "Filter jobs", label: "Filter jobs", oninput: () => this.place() });
  count = make("span.jobs-count", { "aria-live": "polite" });
  all = make("button.fleet-open.jobs-action", { type: "button", onclick: () => this.flipAll() }, "Open all");
  ongoing = make("ul.jobs-ongoing", { role: "status" });
  problems = make("ul.jobs-problems", { role: "status" });
  heads = make("thead", {}, make("tr", { role: "row" },
    ...HEADS.map(([key, label]) => make(`th.jobs-${key}`, { role: "columnheader", scope: "col" }, label))));
  grid = make("table.jobs-grid", {
    role: "treegrid", label: "Experiments and jobs",
    onclick: (/** @type {MouseEvent} */ event) => this.click(event), onkeydown: (/** @type {KeyboardEvent} */ event) => this.press(event),
  }, this.heads);
  scroll = make("div.jobs-scroll", {}, this.grid);
  nothing = make("p.jobs-empty");
  said = make("p.jobs-detail", { role: "status" });
  lines = new Lines(this.scroll, HEADS.length, (run) => this.draw(run));
  overview = new Overview((experiment, run) => this.select(experiment, run));

  /** @param {FleetModel} model @param {HTMLElement} root */
  constructor(model, root) {
    this.model = model;
    this.isOpen = model.get("all_open");
    this.freshness = new Freshness(model, root);
    this.top = make("div.jobs-top", {}, this.filter, this.all, this.count, this.freshness.element);
    root.replaceChildren(this.overview.sums, this.overview.alerts, this.ongoing, this.problems, this.top, this.scroll, this.nothing, this.said);
  }

  /** Take the whole state. */
  whole() {
    this.version = this.model.get("version");
    this.rows = new Map(this.model.get("rows").map((row) => [row.run, row]));
    this.show(new Set([...this.rows.values()].map((row) => row.experiment)));
  }

  /** Take what changed, or ask for the whole where something was missed. */
  patch() {
    const patch = this.model.get("patch");
    if (patch.at === undefined || patch.at <= this.version) return;
    if (patch.at > this.version + 1) return tellPython(this.model, "wanted", patch.at);
    this.version = patch.at;
    this.show(patched(this.rows, patch));
  }

  /** @param {Set<string>} touched Experiments whose jobs are not what they were. */
  show(touched) {
    const [now, found] = [this.freshness.now(), byExperiment(this.rows.values())];
    this.lines.keep(this.rows);
    for (const [name, group] of this.groups) {
      if (found.has(name)) continue;
      group.body.remove();
      this.groups.delete(name);
    }
    for (const name of touched) {
      const rows = found.get(name);
      if (!rows) continue;
      const [group, arms] = [this.groups.get(name) ?? new GroupView(name), colouredArms(rows)];
      this.groups.set(name, group);
      group.show(total(rows), rows.length, now);
      for (const row of rows) this.lines.drawn.get(row.run)?.show(row, arms.indexOf(row.arm), now);
    }
    this.place();
    this.tell();
  }

  /** @param {string} run Draw its row whole. */
  draw(run) {
    const row = this.rows.get(run);
    if (!row || this.lines.drawn.has(run)) return;
    const others = [...this.rows.values()].filter((each) => each.experiment === row.experiment);
    this.lines.draw(row, colouredArms(others).indexOf(row.arm), this.freshness.now());
  }

  /** Put groups and rows in order. */
  place() {
    const text = this.filter.value.trim();
    const found = [...byExperiment(this.rows.values())].map(([name, rows]) => ({ name, sum: total(rows), shown: rows.filter((row) => isFound(row, text)) }));
    const visible = found.filter(({ shown }) => shown.length).sort((a, b) => moreUrgent(a.sum, b.sum));
    const bodies = visible.map(({ name, shown }) => {
      const { element, body } = /** @type {GroupView} */ (this.groups.get(name));
      const open = text !== "" || this.isOpen !== this.flipped.has(name);
      element.setAttribute("aria-expanded", String(open));
      arrange(body, [element, ...(open ? shown.map((row) => this.lines.of(row.run)) : [])]);
      return body;
    });
    arrange(this.grid, [this.heads, ...bodies]);
    const jobs = visible.reduce((sum, { shown }) => sum + shown.length, 0);
    const many = `${plural(visible.length, "experiment")}, ${plural(jobs, "job")}`;
    setText(this.count, text ? `${many} of ${this.rows.size}` : many);
    setText(this.all, this.isOpen ? "Close all" : "Open all");
    this.top.hidden = this.scroll.hidden = this.said.hidden = this.rows.size === 0;
    this.nothing.hidden = jobs > 0;
    this.sayNothing(text);
    this.paint();
  }

  /** Show what is chosen and what the keyboard is on, and tell Python which data of it is on the page. */
  paint() {
    const { experiment, run } = this.model.get("selected");
    for (const [name, { element }] of this.groups) choose(element, name === experiment && !run);
    for (const name of this.rows.keys()) {
      const line = this.lines.find(name);
      if (line) choose(line, name === run);
    }
    const lines = this.inOrder();
    const active = lines.find((line) => key(line) === this.active) ?? lines[0];
    if (active) active.tabIndex = 0;
    const chosen = [...this.rows.values()].filter((row) => row.experiment === experiment);
    const seen = chosen.map((row) => row.data).join(".").slice(0, LONGEST_SEEN);
    if (seen !== this.model.get("seen")) tellPython(this.model, "seen", seen);
  }

  /** @returns {HTMLElement[]} The rows that are shown, from the top. */
  inOrder() {
    return [...this.grid.tBodies].flatMap((body) => [...body.rows]);
  }

  /** Choose an experiment or a job; what is chosen already is let go. @param {string} experiment @param {string} run */
  select(experiment, run) {
    const old = this.model.get("selected");
    const same = old.experiment === experiment && old.run === run;
    const selected = same ? { experiment: "", run: "" } : { experiment, run };
    tellPython(this.model, "selected", selected);
    remember(selected);
    this.paint();
  }

  /** @param {HTMLElement} line */
  selectLine({ dataset: { run = "", experiment = "" } }) {
    this.select(run ? this.rows.get(run)?.experiment ?? "" : experiment, run);
  }

  /** @param {string} experiment */
  flip(experiment) {
    if (!this.flipped.delete(experiment)) this.flipped.add(experiment);
    this.place();
  }

  flipAll() {
    this.isOpen = !this.isOpen;
    this.flipped.clear();
    this.place();
  }

  /** @param {MouseEvent} event */
  click(event) {
    const target = /** @type {Element} */ (event.target);
    const line = target.closest("tr");
    if (!line || line.parentElement === this.heads) return;
    this.active = key(line);
    if (target.closest(".fleet-caret")) this.flip(line.dataset.experiment ?? "");
    else if (target.closest(".jobs-name")) void this.copy(line.dataset.run ?? "");
    else this.selectLine(line);
    line.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const lines = this.inOrder();
    const at = Math.max(0, lines.findIndex((line) => key(line) === this.active));
    const [line, next] = [lines[at], lines[movedTo(event.key, at, lines.length)]];
    if (!line) return;
    const { experiment } = line.dataset;
    const turns = line.getAttribute("aria-expanded") === "true" ? "ArrowLeft" : "ArrowRight";
    if (next) this.focus(next);
    else if (event.key === "Enter" || event.key === " ") this.selectLine(line);
    else if (event.key === "c" && (event.ctrlKey || event.metaKey) && line.dataset.run) void this.copy(line.dataset.run);
    else if (event.key === turns && experiment !== undefined) this.flip(experiment);
    else if (event.key === "Escape") this.select("", "");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * Close what was chosen by Escape wherever the focus is, but in what has a use of its own for the key, and give the
   * focus back to the line that opened it.
   *
   * @param {KeyboardEvent} event
   */
  leave(event) {
    const { experiment, run } = this.model.get("selected");
    const isTaken = event.composedPath().some((at) => at instanceof Element && at.matches(OWN_ESCAPE));
    if (event.key !== "Escape" || event.defaultPrevented || isTaken || !(experiment || run)) return;
    const opened = run ? `run ${run}` : `experiment ${experiment}`;
    this.select("", "");
    this.draw(run);
    const line = this.inOrder().find((each) => key(each) === opened);
    if (line) this.focus(line);
  }

  /** @param {string} run */
  async copy(run) {
    setText(this.said, await copyName(run));
  }

  /** @param {HTMLElement} line */
  focus(line) {
    this.active = key(line);
    this.paint();
    this.draw(line.dataset.run ?? ""); // in the place of the line
    this.inOrder().find((each) => key(each) === this.active)?.focus();
  }

  /** Say why no job is shown. @param {string} text What they are filtered by. */
  sayNothing(text) {
    const without = this.model.get("problems").length ? "Which jobs there are is not known." : "No job yet. Launch a recipe, and its jobs appear here.";
    setText(this.nothing, this.rows.size ? `No job matches “${text}”. Change or clear the filter.` : without);
  }

  tell() {
    this.sayNothing(this.filter.value.trim());
    this.overview.showSums(total([...this.rows.values()]));
    this.overview.showAlerts(this.model.get("alerts"), this.freshness.now());
    sayLines(this.ongoing, this.model.get("ongoing"));
    sayLines(this.problems, this.model.get("problems"));
  }

  receive() {
    this.freshness.receive();
    this.tick();
  }

  tick() {
    this.freshness.tick();
    const now = this.freshness.now();
    this.lines.tick(this.rows, now);
    for (const group of this.groups.values()) group.tick(now);
  }
}

/** @param {FleetRow} row @param {string} text Of the filter. */
function isFound(row, text) {
  return text === "" || holds([textOf(row), row.experiment, ...row.alerts].join(" "), text);
}

/** @param {HTMLElement} line @param {boolean} chosen */
function choose(line, chosen) {
  line.setAttribute("aria-selected", String(chosen));
  line.tabIndex = -1;
}

/** @param {HTMLElement} line */
function key({ dataset: { run, experiment } }) {
  return run ? `run ${run}` : `experiment ${experiment}`;
}
