/**
 * The fleet table: experiments with their jobs, in one grid that is updated in place. The first state is sent whole,
 * then only what changed; a page that missed a change asks for the whole again. All text is set as text, never as
 * HTML. What the traits mean is said in ../table.py.
 *
 * @typedef {import("../../jobs/static/jobs.js").Row & {experiment: string, cost: number | null, data: string,
 *   alerts: string[]}} FleetRow
 * @typedef {{key: string, rule: string, run: string, experiment: string, text: string, at: number}} Alert
 * @typedef {{rows: FleetRow[], version: number, patch: {at?: number, rows?: FleetRow[], gone?: string[]},
 *   alerts: Alert[], as_of: number, sent_at: number, stale_after: number, problems: string[], all_open: boolean,
 *   selected: {experiment: string, run: string}, visible: boolean, wanted: number, seen: string}} FleetState
 * @typedef {import("@anywidget/types").AnyModel<FleetState>} FleetModel
 */

import { ALIVE, MISSING, RowView, STATES, age, fraction, hint, jobs, make, mark, matches, moment, quantity, say } from "../../jobs/static/jobs.js";

const HEADS = [["run", "Experiment and run"], ["state", "State"], ["progress", "Progress"], ["sps", "Steps/s"],
  ["reward", "Reward"], ["left", "Time left"], ["started", "Started"], ["cost", "Cost"]];
/** @type {(keyof FleetState)[]} What only changes the line above the table. */
const SIGNS = ["as_of", "sent_at", "stale_after"];

/** @param {number | null} value @param {boolean} [more] Whether there is more whose cost nobody knows. */
export function dollars(value, more = false) {
  if (value === null) return MISSING;
  const text = value >= 1000 ? `$${quantity(value)}` : `$${value.toFixed(value > 0 && value < 10 ? 2 : 0)}`;
  return more ? `${text} + ?` : text;
}

/**
 * @param {FleetRow[]} rows Jobs of one experiment.
 * @returns {{counts: [string, number][], done: number | null, sps: number | null, cost: number | null, open: boolean,
 *   unknown: boolean, started: number | null, alerts: number}}
 */
export function total(rows) {
  const counted = STATES.map((state) => /** @type {[string, number]} */ ([state, rows.filter((row) => row.state === state).length]));
  const parts = rows.map((row) => (row.state === "succeeded" ? 1 : fraction(row))).filter((part) => part !== null);
  const speeds = rows.filter((row) => row.state === "running" && row.sps !== null).map((row) => row.sps ?? 0);
  const costs = rows.map((row) => row.cost).filter((cost) => cost !== null);
  const starts = rows.map((row) => row.started_at).filter((start) => start !== null);
  return {
    counts: counted.filter(([, count]) => count),
    done: parts.length ? parts.reduce((sum, part) => sum + part, 0) / rows.length : null,
    sps: speeds.length ? speeds.reduce((sum, speed) => sum + speed, 0) : null,
    cost: costs.length ? costs.reduce((sum, cost) => sum + cost, 0) : null,
    unknown: costs.length < rows.length,
    open: rows.some((row) => ALIVE.includes(row.state) && row.state !== "unknown"),
    started: starts.length ? Math.max(...starts) : null,
    alerts: rows.reduce((sum, row) => sum + row.alerts.length, 0),
  };
}

/**
 * @param {Map<string, FleetRow>} rows Changed in place.
 * @param {{rows?: FleetRow[], gone?: string[]}} patch
 * @returns {Set<string>} The experiments that it touched.
 */
export function patched(rows, patch) {
  const touched = new Set();
  for (const run of patch.gone ?? []) {
    touched.add(rows.get(run)?.experiment ?? "");
    rows.delete(run);
  }
  for (const row of patch.rows ?? []) {
    touched.add(row.experiment);
    rows.set(row.run, row);
  }
  return touched;
}

class FleetRowView extends RowView {
  warning = make("span", "");
  cost = make("td", "cost", { role: "gridcell" });

  /** @param {string} run */
  constructor(run) {
    super(run);
    this.element.firstElementChild?.remove();
    this.warning.className = "fleet-alert";
    this.cells.state.insertBefore(this.warning, this.reason);
    this.element.append(this.cost);
    this.element.setAttribute("aria-level", "2");
  }

  /** @param {FleetRow} row @param {number} arm @param {number} now */
  show(row, arm, now) {
    this.update(row, arm, now);
    const more = row.alerts.find((text) => !text.startsWith(row.state)); // that it failed is said already
    say(this.warning, more ? `! ${more}` : "");
    this.warning.hidden = !more;
    if (row.alerts.length) hint(this.cells.state, [...row.alerts, row.reason, row.words].filter(Boolean).join("\n"));
    say(this.cost, dollars(row.cost), row.cost === null ? "Nobody knows its price" : `${row.cost} USD so far`);
  }
}

class GroupView {
  caret = make("button", "", { type: "button", tabindex: "-1", "aria-label": "Show or hide its jobs" });
  name = make("span", "");
  many = make("span", "");
  states = make("span", "");
  warning = make("span", "");
  fill = make("span", "fill");
  share = make("span", "steps");
  sps = make("td", "sps", { role: "gridcell" });
  started = make("td", "started", { role: "gridcell" });
  cost = make("td", "cost", { role: "gridcell" });
  body = make("tbody", "");
  /** @type {number | null} */
  at = null;

  /** @param {string} experiment */
  constructor(experiment) {
    for (const [element, name] of /** @type {[HTMLElement, string][]} */ ([[this.caret, "caret"], [this.name, "name"],
      [this.many, "many"], [this.states, "states"], [this.warning, "alert"]])) element.className = `fleet-${name}`;
    const title = make("span", "", {}, this.caret, this.name, this.many);
    title.className = "fleet-title";
    this.element = make("tr", "", { role: "row", tabindex: "-1", "aria-level": "1", "data-experiment": experiment },
      make("td", "run", { role: "gridcell" }, title), make("td", "state", { role: "gridcell" }, this.states, this.warning),
      make("td", "progress", { role: "gridcell" }, make("span", "bar", { "aria-hidden": "true" }, this.fill), this.share),
      this.sps, make("td", "reward", { role: "gridcell" }), make("td", "left", { role: "gridcell" }), this.started, this.cost);
    this.element.className = "fleet-group";
    this.element.dataset.state = "running";
    this.body.append(this.element);
    say(this.name, experiment || "(no experiment)", experiment);
  }

  /** @param {FleetRow[]} rows @param {number} now */
  show(rows, now) {
    const sum = total(rows);
    say(this.many, ` ${jobs(rows.length)}`);
    const wanted = sum.counts.map(([state, count]) => `${state} ${count}`).join();
    if (this.states.dataset.shown !== wanted) {
      this.states.dataset.shown = wanted;
      this.states.replaceChildren(...sum.counts.map(([state, count]) => {
        const word = sum.counts.length > 2 ? `${count}` : `${count} ${state}`;
        return make("span", "", { "data-state": state, title: `${count} ${state}` }, mark(state), word);
      }));
    }
    say(this.warning, sum.alerts ? `! ${sum.alerts}` : "", sum.alerts ? `${sum.alerts} alerts` : "");
    this.fill.style.width = `${100 * (sum.done ?? 0)}%`;
    say(this.share, sum.done === null ? MISSING : `${Math.floor(100 * sum.done)} %`, "Mean over its jobs");
    say(this.sps, quantity(sum.sps, true), sum.sps === null ? "Nothing runs" : "All that run, together");
    say(this.cost, dollars(sum.cost, sum.unknown), sum.unknown ? "The price of some jobs is not known" : "All jobs together");
    this.at = sum.started;
    this.tick(now);
  }

  /** @param {number} now */
  tick(now) {
    if (this.at === null) say(this.started, MISSING, "Not started yet");
    else say(this.started, `${age(now - this.at)} ago`, moment(this.at));
  }
}

class FleetView {
  skew = 0;
  version = 0;
  /** @type {Map<string, FleetRow>} */
  rows = new Map();
  /** @type {Map<string, FleetRowView>} Rows that were in sight once; drawing all of a large fleet takes a second. */
  views = new Map();
  /** @type {Map<string, HTMLElement>} The others, by their names alone. */
  later = new Map();
  /** @type {Map<string, GroupView>} */
  groups = new Map();
  /** @type {Set<string>} Experiments that a person opened or shut, against what they would be. */
  flipped = new Set();
  active = ""; // the element that the keyboard is on: "experiment" or "experiment/run"
  sums = make("ul", "");
  alerts = make("details", "");
  filter = make("input", "filter", { type: "search", placeholder: "Filter jobs", "aria-label": "Filter jobs" });
  count = make("span", "count", { "aria-live": "polite" });
  all = make("button", "", { type: "button" }, "Open all");
  age = make("span", "age");
  top = make("div", "top", {}, this.filter, this.all, this.count, this.age);
  problems = make("ul", "problems", { role: "status" });
  grid = make("table", "grid", { role: "treegrid", "aria-label": "Experiments and jobs" });
  scroll = make("div", "scroll", {}, this.grid);
  nothing = make("p", "empty");

  /** @param {FleetModel} model @param {HTMLElement} root */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.isOpen = model.get("all_open");
    root.classList.add("fleet");
    this.sums.className = "fleet-sums";
    this.alerts.className = "fleet-alerts";
    this.all.className = "fleet-open";
    const heads = HEADS.map(([key, label]) => make("th", key, { role: "columnheader", scope: "col" }, label));
    this.grid.append(make("thead", "", {}, make("tr", "", { role: "row" }, ...heads)));
    root.replaceChildren(this.sums, this.alerts, this.problems, this.top, this.scroll, this.nothing);
    this.filter.addEventListener("input", () => this.place());
    this.all.addEventListener("click", () => {
      this.isOpen = !this.isOpen;
      this.flipped.clear();
      this.place();
    });
    this.watcher = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) this.draw(/** @type {HTMLElement} */ (target).dataset.run ?? "");
      }
    }, { root: this.scroll, rootMargin: "400px 0px" });
    this.grid.addEventListener("click", (event) => this.click(event));
    this.grid.addEventListener("keydown", (event) => this.press(event));
  }

  now() {
    return this.model.get("sent_at") ? Date.now() / 1000 - this.skew : this.model.get("as_of");
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
    if (patch.at > this.version + 1) {
      this.model.set("wanted", patch.at);
      this.model.save_changes();
      return;
    }
    this.version = patch.at;
    this.show(patched(this.rows, patch));
  }

  /** @param {Set<string>} touched Experiments whose jobs are not what they were. */
  show(touched) {
    const now = this.now();
    for (const lines of [this.views, this.later]) {
      for (const run of lines.keys()) {
        if (!this.rows.has(run)) {
          this.line(run).remove();
          lines.delete(run);
        }
      }
    }
    const jobsOf = this.byExperiment();
    for (const [name, group] of this.groups) {
      if (!jobsOf.has(name)) {
        group.body.remove();
        this.groups.delete(name);
      }
    }
    for (const name of touched) {
      const rows = jobsOf.get(name);
      if (!rows) continue;
      const group = this.groups.get(name) ?? new GroupView(name);
      this.groups.set(name, group);
      group.show(rows, now);
      for (const row of rows) this.views.get(row.run)?.show(row, armOf(row, rows), now);
    }
    this.place();
    this.tell();
  }

  /** @param {string} run @returns {HTMLElement} Its row as far as it is drawn. */
  line(run) {
    const known = this.views.get(run)?.element ?? this.later.get(run);
    if (known) return known;
    const name = make("td", "run", { role: "gridcell", colspan: String(HEADS.length) }, run);
    const line = make("tr", "row", { role: "row", tabindex: "-1", "aria-level": "2", "data-run": run }, name);
    this.later.set(run, line);
    this.watcher.observe(line);
    return line;
  }

  /** @param {string} run Draw its row whole. */
  draw(run) {
    const [row, line] = [this.rows.get(run), this.later.get(run)];
    if (!row || !line) return;
    this.watcher.unobserve(line);
    this.later.delete(run);
    const view = new FleetRowView(run);
    this.views.set(run, view);
    view.show(row, armOf(row, this.byExperiment().get(row.experiment) ?? []), this.now());
    for (const name of ["aria-selected", "tabindex"]) view.element.setAttribute(name, line.getAttribute(name) ?? "");
    line.replaceWith(view.element);
  }

  byExperiment() {
    /** @type {Map<string, FleetRow[]>} */
    const found = new Map();
    for (const row of this.rows.values()) {
      const rows = found.get(row.experiment);
      if (rows) rows.push(row);
      else found.set(row.experiment, [row]);
    }
    return found;
  }

  /** Put groups and rows in order, moving only those that stand in the wrong place. */
  place() {
    const text = this.filter.value.trim();
    const found = [...this.byExperiment()].map(([name, rows]) => ({ name, rows, sum: total(rows),
      shown: text ? rows.filter((row) => matches({ ...row, reason: `${row.reason} ${row.experiment} ${row.alerts.join(" ")}` }, text)) : rows }));
    // What needs somebody comes first, then what runs, then what is newest.
    found.sort((a, b) => Number(b.sum.alerts > 0) - Number(a.sum.alerts > 0) || Number(b.sum.open) - Number(a.sum.open)
      || (b.sum.started ?? 0) - (a.sum.started ?? 0));
    const visible = found.filter(({ shown }) => shown.length);
    const bodies = visible.map(({ name, shown }) => {
      const group = /** @type {GroupView} */ (this.groups.get(name));
      const open = text !== "" || this.isOpen !== this.flipped.has(name);
      group.element.setAttribute("aria-expanded", String(open));
      const rows = open ? shown.map((row) => this.line(row.run)) : [];
      arrange(group.body, [group.element, ...rows]);
      return group.body;
    });
    arrange(this.grid, [/** @type {Element} */ (this.grid.tHead), ...bodies]);
    const rows = visible.reduce((sum, { shown }) => sum + shown.length, 0);
    const many = `${visible.length} ${visible.length === 1 ? "experiment" : "experiments"}, ${jobs(rows)}`;
    say(this.count, text ? `${many} of ${this.rows.size}` : many);
    say(this.all, this.isOpen ? "Close all" : "Open all");
    this.top.hidden = this.scroll.hidden = this.rows.size === 0;
    say(this.nothing, this.rows.size ? `No job matches “${text}”. Change or clear the filter.`
      : "No job yet. Launch a recipe, and its jobs appear here: ./experiments/recipes/arena_experiment.py");
    this.nothing.hidden = rows > 0;
    this.paint();
  }

  /** Show what is chosen and what the keyboard is on, and tell Python which data of it is on the page. */
  paint() {
    const { experiment, run } = this.model.get("selected");
    for (const [name, group] of this.groups) {
      group.element.setAttribute("aria-selected", String(name === experiment && !run));
      group.element.tabIndex = -1;
    }
    for (const name of this.rows.keys()) {
      const line = this.views.get(name)?.element ?? this.later.get(name);
      line?.setAttribute("aria-selected", String(name === run));
      if (line) line.tabIndex = -1;
    }
    const lines = this.lines();
    const active = lines.find((line) => key(line) === this.active) ?? lines[0];
    if (active) active.tabIndex = 0;
    const chosen = [...this.rows.values()].filter((row) => row.experiment === experiment);
    const seen = chosen.map((row) => row.data).join(".").slice(0, 300);
    if (seen !== this.model.get("seen")) {
      this.model.set("seen", seen);
      this.model.save_changes();
    }
  }

  /** @returns {HTMLElement[]} The rows that are shown, from the top. */
  lines() {
    return [...this.grid.tBodies].flatMap((body) => /** @type {HTMLElement[]} */ ([...body.rows]));
  }

  /** @param {string} experiment @param {string} run */
  select(experiment, run) {
    const old = this.model.get("selected");
    const same = old.experiment === experiment && old.run === run;
    const selected = same ? { experiment: "", run: "" } : { experiment, run };
    this.model.set("selected", selected);
    this.model.save_changes();
    remember(selected);
    this.paint();
  }

  /** @param {string} experiment */
  flip(experiment) {
    if (!this.flipped.delete(experiment)) this.flipped.add(experiment);
    this.place();
  }

  /** @param {MouseEvent} event */
  click(event) {
    const target = /** @type {Element} */ (event.target);
    const line = target.closest("tr");
    if (!line || line.parentElement === this.grid.tHead) return;
    this.active = key(line);
    if (target.closest(".fleet-caret")) this.flip(line.dataset.experiment ?? "");
    else this.choose(line);
    line.focus({ preventScroll: true });
  }

  /** @param {HTMLElement} line */
  choose(line) {
    const run = line.dataset.run ?? "";
    this.select(run ? this.rows.get(run)?.experiment ?? "" : line.dataset.experiment ?? "", run);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const lines = this.lines();
    const at = Math.max(0, lines.findIndex((line) => key(line) === this.active));
    const line = lines[at];
    if (!line) return;
    const far = lines.length;
    const way = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -far, End: far }[event.key];
    const open = line.getAttribute("aria-expanded") === "true";
    if (way) {
      const next = lines[Math.min(far - 1, Math.max(0, at + way))];
      this.active = key(next);
      this.paint();
      this.draw(next.dataset.run ?? "");
      this.lines().find((each) => key(each) === this.active)?.focus();
    } else if (event.key === "Enter" || event.key === " ") this.choose(line);
    else if (event.key === "ArrowRight" && line.dataset.experiment !== undefined && !open) this.flip(line.dataset.experiment);
    else if (event.key === "ArrowLeft" && line.dataset.experiment !== undefined && open) this.flip(line.dataset.experiment);
    else if (event.key === "Escape") this.select("", "");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  tell() {
    const rows = [...this.rows.values()];
    const sum = total(rows);
    const items = sum.counts.map(([state, count]) => make("li", "", { "data-state": state }, mark(state), make("b", "", {}, String(count)), state));
    if (sum.sps !== null) items.push(make("li", "", { title: "All that run, together" }, make("b", "", {}, quantity(sum.sps, true)), "steps/s"));
    if (sum.cost !== null) items.push(make("li", "", { title: "Of all jobs whose price is known" }, make("b", "", {}, dollars(sum.cost, sum.unknown)), "so far"));
    this.sums.replaceChildren(...items);
    const alerts = this.model.get("alerts");
    const wanted = JSON.stringify(alerts);
    if (this.alerts.dataset.shown !== wanted) {
      this.alerts.dataset.shown = wanted;
      const list = make("ul", "", {}, ...alerts.map((alert) => {
        const when = make("span", "", { title: moment(alert.at) }, `${age(this.now() - alert.at)} ago`);
        when.className = "fleet-when";
        const button = make("button", "", { type: "button" }, `${alert.run || alert.experiment}: ${alert.text}`);
        button.addEventListener("click", () => this.select(alert.experiment, alert.run));
        return make("li", "", {}, button, when);
      }));
      const title = make("summary", "", {}, `${alerts.length} ${alerts.length === 1 ? "alert" : "alerts"}`);
      this.alerts.replaceChildren(title, list);
      if (!this.alerts.dataset.once) this.alerts.open = true;
      this.alerts.dataset.once = "1";
    }
    this.alerts.hidden = alerts.length === 0;
    const lines = this.model.get("problems");
    this.problems.replaceChildren(...lines.map((line) => make("li", "", {}, line)));
    this.problems.hidden = lines.length === 0;
  }

  /** Take the difference of the two clocks, so that ages are right in a browser whose clock is not. */
  receive() {
    this.skew = Date.now() / 1000 - this.model.get("sent_at");
    this.tick();
  }

  tick() {
    const [now, at, live, limit] = [this.now(), this.model.get("as_of"), this.model.get("sent_at") > 0, this.model.get("stale_after")];
    const stale = live && limit > 0 && now - at > limit;
    this.root.toggleAttribute("data-stale", stale && at > 0);
    if (!at) say(this.age, live ? "Waiting for the first answer" : "");
    else if (!live) say(this.age, `As of ${moment(at)}`);
    else if (!limit) say(this.age, "All jobs have ended", `As of ${moment(at)}`);
    else say(this.age, stale ? `? Data ${age(now - at)} old` : `Updated ${age(now - at)} ago`, moment(at));
    for (const [run, view] of this.views) {
      const row = this.rows.get(run);
      if (row && view.element.isConnected) view.tick(row, now);
    }
    for (const group of this.groups.values()) group.tick(now);
  }
}

/** @param {FleetRow} row @param {FleetRow[]} rows Of its experiment. @returns {number} Index of its colour; -1 for none. */
function armOf(row, rows) {
  const arms = [...new Set(rows.map((each) => each.arm))];
  return arms.length > 1 && arms.length <= 8 ? arms.indexOf(row.arm) : -1;
}

/** @param {HTMLElement} line */
function key(line) {
  return line.dataset.run ? `run ${line.dataset.run}` : `experiment ${line.dataset.experiment}`;
}

/** @param {Element} parent @param {Element[]} wanted Its children, in order. */
function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}

/** Keep what is chosen in the address, so that it can be sent. @param {{experiment: string, run: string}} selected */
function remember(selected) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(selected)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  history.replaceState(history.state, "", address);
}

/** @param {{model: FleetModel, el: HTMLElement}} context */
function render({ model, el }) {
  const view = new FleetView(model, el.appendChild(make("div", "table")));
  const handlers = /** @type {[keyof FleetState, () => void][]} */ ([
    ["version", () => view.whole()],
    ["patch", () => view.patch()],
    ["alerts", () => view.tell()],
    ["problems", () => view.tell()],
    ["selected", () => view.paint()],
    ["sent_at", () => view.receive()],
    ...SIGNS.filter((name) => name !== "sent_at").map((name) => [name, () => view.tick()]),
  ]);
  view.receive();
  view.whole();
  view.patch();
  for (const [trait, show] of handlers) model.on(`change:${trait}`, show);
  const timer = setInterval(() => document.hidden || view.tick(), 1000);
  const look = () => {
    model.set("visible", !document.hidden);
    model.save_changes();
  };
  document.addEventListener("visibilitychange", look);
  return () => {
    clearInterval(timer);
    view.watcher.disconnect();
    document.removeEventListener("visibilitychange", look);
    for (const [trait, show] of handlers) model.off(`change:${trait}`, show);
  };
}

export default { render };
