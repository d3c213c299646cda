/**
 * The job table: one row a job, updated in place, so focus, scroll position, selection, sort and filter survive every
 * update. All text is set as text, never as HTML. What the traits mean is said in ../table.py.
 *
 * @typedef {"run" | "state" | "progress" | "sps" | "reward" | "left" | "started"} Key
 * @typedef {{run: string, arm: string, seed: number, launcher: string, state: string, words: string, reason: string,
 *   step: number | null, total: number | null, sps: number | null, reward: number | null, left_s: number | null,
 *   started_at: number | null, ended_at: number | null, history?: string, cost?: string}} Row
 * @typedef {{rows: Row[], as_of: number, sent_at: number, stale_after: number, problems: string[], actions: string[],
 *   notice: string, empty: string, selected: string[],
 *   request: {action?: string, runs?: string[], text?: string, nonce?: string}}} State
 * @typedef {import("@anywidget/types").AnyModel<State>} Model
 * @typedef {{key: Key, down: boolean}} Sort
 */

export const MISSING = "–";
export const STATES = ["running", "recovering", "pending", "failed", "unknown", "cancelled", "succeeded"];
export const ALIVE = ["pending", "running", "recovering", "unknown"];
const ENDED = ["succeeded", "failed", "cancelled"];
// Made once: making a format takes longer than all else that is said of a row.
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const WHOLE = new Intl.NumberFormat("en");
const RING = 2 * Math.PI * 5;
/** @type {[number, string][]} */
const SUFFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
/** @type {[number, number, string][]} Seconds of a unit, of the next one, and their letters. */
const UNITS = [[86400, 3600, "dh"], [3600, 60, "hm"], [60, 1, "ms"]];

/** @type {Record<string, {verb: string, on: string[], asks?: string}>} What each action is called and applies to. */
const ACTIONS = {
  cancel: { verb: "Cancel", on: ALIVE },
  retry: { verb: "Retry", on: ENDED },
  note: { verb: "Note on", on: STATES, asks: "Note" },
  tag: { verb: "Tag", on: STATES, asks: "Tag" },
};

/** @type {[Key, string, (row: Row) => string | number | null][]} Key, heading, what rows are sorted by. */
const COLUMNS = [
  ["run", "Run", (row) => row.run],
  ["state", "State", (row) => STATES.indexOf(row.state)],
  ["progress", "Progress", fraction],
  ["sps", "Steps/s", (row) => row.sps],
  ["reward", "Reward", (row) => row.reward],
  ["left", "Time left", (row) => row.left_s ?? (took(row) ?? NaN) + 1e9],
  ["started", "Started", (row) => row.started_at],
];

/** @param {Row} row @returns {number | null} Share of the steps asked for that are done, 0 to 1. */
export function fraction(row) {
  return row.step === null || !row.total ? null : Math.min(1, Math.max(0, row.step / row.total));
}

/** @param {Row} row @returns {number | null} Seconds that an ended job took. */
export function took(row) {
  if (!ENDED.includes(row.state) || row.started_at === null || row.ended_at === null) return null;
  return Math.max(0, row.ended_at - row.started_at);
}

/** @param {number | null} value @param {boolean} [measured] Keep trailing zeros: they were measured. */
export function quantity(value, measured = false) {
  if (value === null || !Number.isFinite(value)) return MISSING;
  const [limit, suffix] = SUFFIXES.find(([unit]) => Math.abs(value) >= unit * 0.9995) ?? [1, ""];
  const scaled = value / limit;
  if (scaled !== 0 && Math.abs(scaled) < 1e-3) return scaled.toExponential(2).replaceAll("-", "−");
  const digits = scaled.toPrecision(3);
  return (measured && scaled !== 0 ? digits : String(Number(digits))).replace("-", "−") + suffix;
}

/** @param {number | null} seconds @returns {string} `12 s`, `3 m 05 s`, `2 h 14 m`, `3 d 04 h`. */
export function duration(seconds) {
  if (seconds === null || !(seconds >= 0 && seconds < Infinity)) return MISSING;
  const whole = Math.round(seconds);
  for (const [unit, part, [big, small]] of UNITS) {
    const rest = String(Math.floor((whole % unit) / part)).padStart(2, "0");
    if (whole >= unit) return `${Math.floor(whole / unit)} ${big} ${rest} ${small}`;
  }
  return `${whole} s`;
}

/** @param {number} seconds @returns {string} An age in one unit: `12 s`, `3 m`, `2 h`, `5 d`. */
export function age(seconds) {
  return duration(Math.max(0, Math.floor(seconds))).split(" ").slice(0, 2).join(" ");
}

/** @param {number} count @param {string} [verb] */
export function jobs(count, verb = "") {
  return `${verb} ${count.toLocaleString("en")} ${count === 1 ? "job" : "jobs"}`.trim();
}

/** @param {Row[]} rows @returns {string} `5 jobs: 2 running, 3 succeeded`. */
export function summary(rows) {
  const known = STATES.map((state) => ({ state, count: rows.filter((row) => row.state === state).length }));
  const parts = known.filter(({ count }) => count).map(({ state, count }) => `${count} ${state}`);
  return `${jobs(rows.length)}: ${parts.join(", ")}`;
}

/** @param {Row} row @param {string} filter @returns {boolean} Whether each word of the filter is in the row. */
export function matches(row, filter) {
  const text = [row.run, row.arm, `s${row.seed}`, row.state, row.launcher, row.words, row.reason].join(" ").toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** @param {Row[]} rows @param {Sort | null} by @returns {Row[]} Missing values come last, whichever way. */
export function sorted(rows, by) {
  const value = COLUMNS.find(([key]) => key === by?.key)?.[2];
  if (!by || !value) return rows;
  const sign = by.down ? -1 : 1;
  return [...rows].sort((first, second) => {
    const [a, b] = [value(first) ?? NaN, value(second) ?? NaN];
    if (typeof a === "string") return sign * a.localeCompare(String(b), "en", { numeric: true });
    const missing = Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return Number.isNaN(a) || Number.isNaN(b) ? missing : sign * (a - Number(b));
  });
}

/** @param {number} at @returns {string} A time in the reader's zone, which is named. */
export function moment(at) {
  return MOMENT.format(at * 1000);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {string} name @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, name, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = `jobs-${name}`;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** @param {HTMLElement} element @param {string} text @param {string} [title] Touch only what differs. */
export function say(element, text, title) {
  if (element.textContent !== text) element.textContent = text;
  if (title !== undefined) hint(element, title);
}

/** @param {HTMLElement} element @param {string} title */
export function hint(element, title) {
  if (element.title !== title) element.title = title;
}

/** @param {number | null} value @param {string} unit @returns {string} A number in full, or why there is none. */
export function known(value, unit) {
  return value === null ? "Not logged yet" : `${value} ${unit}`;
}

/** @param {string} state @returns {SVGSVGElement} The shape of a state; the style sheet has its colour. */
export function mark(state) {
  /** @param {string} tag @param {Record<string, string>} attributes */
  const draw = (tag, attributes) => {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    return shape;
  };
  const circle = { cx: "7", cy: "7", r: "5", class: "jobs-stroke" };
  /** @type {Record<string, Element[]>} */
  const shapes = {
    pending: [draw("circle", { ...circle, r: "4.5" })],
    running: [draw("circle", { cx: "7", cy: "7", r: "2.5" }), draw("circle", { ...circle, opacity: "0.3" }),
      draw("circle", { ...circle, class: "jobs-stroke jobs-ring", transform: "rotate(-90 7 7)" })],
    recovering: [draw("circle", { ...circle, r: "4.5" }), draw("path", { d: "M7 2.5a4.5 4.5 0 0 1 0 9z" })],
    succeeded: [draw("path", { d: "M2.5 7.5l3 3 6-6.5", class: "jobs-stroke jobs-thick" })],
    failed: [draw("path", { d: "M3 3l8 8M11 3l-8 8", class: "jobs-stroke jobs-thick" })],
    cancelled: [draw("path", { d: "M2.5 7h9", class: "jobs-stroke jobs-thick" })],
    unknown: [draw("path", { d: "M4.5 5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.6", class: "jobs-stroke" }),
      draw("circle", { cx: "7", cy: "11.6", r: "1.1" })],
  };
  const svg = draw("svg", { viewBox: "0 0 14 14", class: "jobs-mark", "aria-hidden": "true" });
  svg.append(...(shapes[state] ?? shapes.unknown));
  return /** @type {SVGSVGElement} */ (svg);
}

/** The elements of one row. */
export class RowView {
  swatch = make("span", "swatch", { "aria-hidden": "true" });
  mark = mark("");
  word = make("span", "word");
  reason = make("span", "reason");
  fill = make("span", "fill");
  steps = make("span", "steps");
  cells = /** @type {Record<Key, HTMLTableCellElement>} */ (
    Object.fromEntries(COLUMNS.map(([key]) => [key, make("td", key, { role: "gridcell" })]))
  );

  /** @param {string} run */
  constructor(run) {
    this.box = make("input", "", { type: "checkbox", tabindex: "-1", "aria-label": `Select ${run}` });
    // The button runs from right to left only so that a name too long for it loses its beginning, not its end.
    const name = make("button", "name", { type: "button", tabindex: "-1", title: `${run}\nClick to copy` });
    name.append(make("bdi", "", { dir: "ltr" }, run));
    this.cells.run.append(make("span", "id", {}, this.swatch, name));
    this.cells.state.append(this.mark, this.word, this.reason);
    this.cells.progress.append(make("span", "bar", { "aria-hidden": "true" }, this.fill), this.steps);
    this.element = make("tr", "row", { role: "row", tabindex: "-1", "data-run": run });
    this.element.append(make("td", "pick", { role: "gridcell" }, this.box), ...Object.values(this.cells));
  }

  /** @param {Row} row @param {number} arm Index of its colour; -1 for none. @param {number} now */
  update(row, arm, now) {
    const [done, past] = [fraction(row), took(row)];
    if (this.element.dataset.state !== row.state) {
      this.mark.replaceWith((this.mark = mark(row.state)));
      this.element.dataset.state = row.state;
    }
    this.mark.querySelector(".jobs-ring")?.setAttribute("stroke-dasharray", `${RING * (done ?? 0)} ${RING}`);
    this.swatch.hidden = arm < 0;
    this.swatch.style.background = `var(--jobs-arm-${arm})`;
    say(this.word, row.state);
    say(this.reason, row.reason);
    hint(this.cells.state, [row.reason, row.words, row.history, row.cost].filter(Boolean).join("\n"));
    this.fill.style.width = `${100 * (done ?? 0)}%`;
    const total = row.total === null ? "" : ` / ${quantity(row.total)}`;
    say(this.steps, row.step === null ? MISSING + total : quantity(row.step) + total);
    const [exact, asked] = [row.step, row.total].map((value) => (value === null ? undefined : WHOLE.format(value)));
    hint(this.cells.progress, exact ? `${exact} of ${asked ?? "unknown"} agent steps` : "No row logged yet");
    say(this.cells.sps, quantity(row.sps, true), known(row.sps, "agent steps per second"));
    say(this.cells.reward, quantity(row.reward, true), known(row.reward, "mean return per agent, latest"));
    if (past !== null) say(this.cells.left, `took ${duration(past)}`, `Ended ${moment(row.ended_at ?? 0)}`);
    else say(this.cells.left, duration(row.left_s), row.left_s === null ? "Not known yet" : "At its latest speed");
    this.tick(row, now);
  }

  /** @param {Row} row @param {number} now */
  tick(row, now) {
    if (row.started_at === null) say(this.cells.started, MISSING, "Not started yet");
    else say(this.cells.started, `${age(now - row.started_at)} ago`, moment(row.started_at));
  }
}

class TableView {
  skew = 0;
  /** @type {Map<string, RowView>} */
  views = new Map();
  /** @type {Row[]} The rows that the filter leaves, in the order shown. */
  shown = [];
  /** @type {Sort | null} */
  by = null;
  active = ""; // the row that the keyboard is on
  anchor = ""; // the row from which a selection with Shift extends
  filter = make("input", "filter", { type: "search", placeholder: "Filter jobs", "aria-label": "Filter jobs" });
  count = make("span", "count", { "aria-live": "polite" });
  buttons = make("span", "actions");
  age = make("span", "age");
  top = make("div", "top", {}, this.filter, this.count, this.buttons, this.age);
  problems = make("ul", "problems", { role: "status" });
  confirm = make("div", "confirm", { role: "alertdialog", "aria-label": "Confirm", hidden: "" });
  all = make("input", "", { type: "checkbox", "aria-label": "Select all jobs shown" });
  body = make("tbody", "");
  grid = make("table", "grid", { role: "grid", "aria-label": "Jobs", "aria-multiselectable": "true" });
  scroll = make("div", "scroll", {}, this.grid);
  nothing = make("p", "empty");
  detail = make("p", "detail", { role: "status" });

  /** @param {Model} model @param {HTMLElement} root */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.heads = COLUMNS.map(([key, label]) => this.head(key, label));
    const pick = make("th", "pick", { role: "columnheader" }, this.all);
    this.grid.append(make("thead", "", {}, make("tr", "", { role: "row" }, pick, ...this.heads)), this.body);
    root.replaceChildren(this.top, this.problems, this.confirm, this.scroll, this.nothing, this.detail);
    this.filter.addEventListener("input", () => this.update());
    this.all.addEventListener("change", () => this.select(this.all.checked ? this.order() : []));
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("keydown", (event) => this.press(event));
    this.confirm.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** @param {Key} key @param {string} label */
  head(key, label) {
    const button = make("button", "sort", { type: "button" }, label);
    const head = make("th", key, { role: "columnheader", scope: "col", "aria-sort": "none" }, button);
    const numeric = !["run", "state"].includes(key);
    button.addEventListener("click", () => {
      // First the way one wants to look, then the other, then the order of launch again.
      if (this.by?.key !== key) this.by = { key, down: numeric };
      else this.by = this.by.down === numeric ? { key, down: !numeric } : null;
      for (const each of this.heads) each.setAttribute("aria-sort", "none");
      if (this.by) head.setAttribute("aria-sort", this.by.down ? "descending" : "ascending");
      this.update();
    });
    return head;
  }

  order() {
    return this.shown.map((row) => row.run);
  }

  now() {
    return this.model.get("sent_at") ? Date.now() / 1000 - this.skew : this.model.get("as_of");
  }

  /** Take the difference of the two clocks, so that ages are right in a browser whose clock is not. */
  receive() {
    this.skew = Date.now() / 1000 - this.model.get("sent_at");
    this.tick();
  }

  update() {
    const [rows, now, text] = [this.model.get("rows"), this.now(), this.filter.value.trim()];
    const arms = [...new Set(rows.map((row) => row.arm))];
    const known = new Set(rows.map((row) => row.run));
    for (const run of this.views.keys()) if (!known.has(run)) this.views.delete(run);
    for (const row of rows) {
      const view = this.views.get(row.run) ?? new RowView(row.run);
      this.views.set(row.run, view);
      view.update(row, arms.length > 1 && arms.length <= 8 ? arms.indexOf(row.arm) : -1, now);
    }
    this.shown = sorted(rows.filter((row) => matches(row, text)), this.by);
    this.place();
    const selected = this.model.get("selected");
    if (selected.some((run) => !known.has(run))) this.select(selected.filter((run) => known.has(run)));
    this.top.hidden = this.scroll.hidden = this.detail.hidden = rows.length === 0;
    say(this.nothing, rows.length ? `No job matches “${text}”. Change or clear the filter.` : this.model.get("empty"));
    this.nothing.hidden = this.shown.length > 0;
    say(this.count, text ? `${this.shown.length} of ${summary(rows)}` : summary(rows));
    this.paint();
    this.tick();
  }

  /** Put the rows in order, moving only those that stand in the wrong place; the focus stays where it was. */
  place() {
    const focus = /** @type {Document | ShadowRoot} */ (this.root.getRootNode()).activeElement;
    const wanted = this.shown.map((row) => /** @type {RowView} */ (this.views.get(row.run)).element);
    const visible = new Set(/** @type {Element[]} */ (wanted));
    for (const element of [...this.body.children]) if (!visible.has(element)) element.remove();
    wanted.forEach((element, index) => {
      if (this.body.children[index] !== element) this.body.insertBefore(element, this.body.children[index] ?? null);
    });
    if (focus instanceof HTMLElement && this.body.contains(focus)) focus.focus({ preventScroll: true });
  }

  /** Show the selection, the row that the keyboard is on, and what may be done with them. */
  paint() {
    const selected = new Set(this.model.get("selected"));
    const order = this.order();
    if (!order.includes(this.active)) this.active = "";
    for (const [run, view] of this.views) {
      view.element.setAttribute("aria-selected", String(selected.has(run)));
      view.element.tabIndex = run === (this.active || order[0]) ? 0 : -1;
      view.box.checked = selected.has(run);
    }
    const count = order.filter((run) => selected.has(run)).length;
    this.all.checked = count > 0 && count === order.length;
    this.all.indeterminate = count > 0 && count < order.length;
    const row = this.shown.find((each) => each.run === this.active);
    const known = row ? [row.run, row.words, row.reason, row.history, row.cost] : [];
    say(this.detail, known.filter(Boolean).join("  ·  "));
    this.offer();
  }

  offer() {
    const names = this.model.get("actions");
    if (this.buttons.dataset.names !== names.join()) {
      this.buttons.dataset.names = names.join();
      this.buttons.replaceChildren(...names.map((name) => {
        const button = make("button", "action", { type: "button" });
        button.addEventListener("click", (event) => this.ask(name, event.timeStamp));
        return button;
      }));
    }
    names.forEach((name, index) => {
      const button = /** @type {HTMLButtonElement} */ (this.buttons.children[index]);
      const count = this.eligible(name).length;
      button.disabled = count === 0;
      say(button, count ? jobs(count, kind(name).verb) : `${kind(name).verb} jobs`);
    });
  }

  /** @param {string} name @returns {string[]} The selected runs whose state allows the action. */
  eligible(name) {
    const selected = new Set(this.model.get("selected"));
    const able = this.model.get("rows").filter((row) => selected.has(row.run) && kind(name).on.includes(row.state));
    return able.map((row) => row.run);
  }

  /** The first of two steps: name the jobs and wait. @param {string} action @param {number} asked */
  ask(action, asked) {
    const runs = this.eligible(action);
    const { verb, asks = "" } = kind(action);
    const what = jobs(runs.length, verb);
    const yes = make("button", "yes", { type: "button" }, what);
    const no = make("button", "no", { type: "button" }, "Go back");
    const text = make("input", "text", { type: "text", "aria-label": asks, placeholder: asks });
    text.hidden = !asks;
    const list = `${what}? ${runs.slice(0, 3).join(", ")}${runs.length > 3 ? ` and ${runs.length - 3} more` : ""}`;
    no.addEventListener("click", () => this.close());
    yes.addEventListener("click", (event) => {
      // The second half of a double click is not a second decision.
      if (event.timeStamp - asked < 500 || (asks && !text.value.trim())) return;
      const nonce = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
      this.model.set("request", { action, runs, text: text.value.trim(), nonce });
      this.model.save_changes();
      this.close();
    });
    this.confirm.replaceChildren(make("span", "list", {}, list), text, yes, no);
    this.confirm.hidden = false;
    (asks ? text : no).focus();
  }

  close() {
    this.confirm.hidden = true;
    this.confirm.replaceChildren();
  }

  /** @param {string[]} runs */
  select(runs) {
    this.close();
    this.model.set("selected", runs);
    this.model.save_changes();
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
    this.paint();
    this.views.get(run)?.element.focus();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const [order, { key, shiftKey: shift }, control] = [this.order(), event, event.ctrlKey || event.metaKey];
    const run = this.active || order[0];
    const far = order.length;
    const way = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -far, End: far }[key];
    if (way) {
      const next = order[Math.min(far - 1, Math.max(0, order.indexOf(run) + way))];
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
    const done = await copied(run);
    say(this.detail, done ? `Copied ${run}` : `This browser does not let the page copy. The name is ${run}`);
  }

  tick() {
    const [now, at, live, limit] = [this.now(), this.model.get("as_of"), this.model.get("sent_at") > 0, this.model.get("stale_after")];
    const stale = live && limit > 0 && now - at > limit;
    this.root.toggleAttribute("data-stale", stale && at > 0);
    if (!at) say(this.age, live ? "Waiting for the first answer" : "");
    else if (!live) say(this.age, `As of ${moment(at)}`);
    else if (!limit) say(this.age, "All jobs have ended", `As of ${moment(at)}`);
    else say(this.age, stale ? `? Data ${age(now - at)} old` : `Updated ${age(now - at)} ago`, moment(at));
    for (const row of this.shown) this.views.get(row.run)?.tick(row, now);
  }

  tell() {
    const lines = [this.model.get("notice"), ...this.model.get("problems")].filter(Boolean);
    this.problems.replaceChildren(...lines.map((line) => make("li", "", {}, line)));
    this.problems.hidden = lines.length === 0;
  }
}

/** @param {string} action */
function kind(action) {
  return ACTIONS[action] ?? { verb: action, on: STATES };
}

/** @param {string} text @returns {Promise<boolean>} */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that was not served securely has no clipboard; the old way still works there.
    const area = make("textarea", "", { style: "position:fixed;opacity:0" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = new TableView(model, el.appendChild(make("div", "table")));
  const handlers = /** @type {[keyof State, () => void][]} */ ([
    ["sent_at", () => view.receive()],
    ["problems", () => view.tell()],
    ["notice", () => view.tell()],
    ["rows", () => view.update()],
    ["empty", () => view.update()],
    ["actions", () => view.paint()],
    ["selected", () => view.paint()],
    ["as_of", () => view.tick()],
    ["stale_after", () => view.tick()],
  ]);
  for (const [, show] of handlers) show();
  for (const [trait, show] of handlers) model.on(`change:${trait}`, show);
  const timer = setInterval(() => view.tick(), 1000);
  return () => {
    clearInterval(timer);
    for (const [trait, show] of handlers) model.off(`change:${trait}`, show);
  };
}

export default { render };
