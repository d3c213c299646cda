/** The elements of one job's row. */
import { make, say, setText, setTitle } from "../../page/js/dom.js";
import { MISSING, quantity } from "../../page/js/format.js";
import { duration, moment, since } from "../../page/js/time.js";
import { drawShare, mark } from "./mark.js";
import { COLUMNS, fraction, took } from "./rows.js";

/** @import { Key, Row } from "./rows.js" */

// Made once: making a format takes longer than all else that is said of a row.
const WHOLE = new Intl.NumberFormat("en");

export class RowView {
  swatch = make("span.jobs-swatch", { "aria-hidden": "true" });
  mark = mark("");
  word = make("span.jobs-word");
  reason = make("span.jobs-reason");
  fill = make("span.jobs-fill");
  steps = make("span.jobs-steps");
  cells = /** @type {Record<Key, HTMLTableCellElement>} */ (
    Object.fromEntries(COLUMNS.map(([key]) => [key, make(`td.jobs-${key}`, { role: "gridcell" })]))
  );

  /** @param {string} run */
  constructor(run) {
    this.box = make("input", { type: "checkbox", tabindex: -1, label: `Select ${run}` });
    // The button runs from right to left only so that a name too long for it loses its beginning, not its end.
    const name = make("button.jobs-name", { type: "button", tabindex: -1, title: `${run}\nClick to copy` }, make("bdi", { dir: "ltr" }, run));
    // On a phone a name has room for what tells its run from the others of its experiment: arm and seed.
    const parts = run.split(".");
    if (parts.length === 5) name.dataset.short = `${parts[2]}.${parts[3]}`;
    this.cells.run.append(make("span.jobs-id", {}, this.swatch, name));
    this.cells.state.append(this.mark, this.word, this.reason);
    this.cells.progress.append(make("span.jobs-bar", { "aria-hidden": "true" }, this.fill), this.steps);
    this.element = make("tr.jobs-row", { role: "row", tabindex: -1, "data-run": run },
      make("td.jobs-pick", { role: "gridcell" }, this.box), ...Object.values(this.cells));
  }

  /** @param {Row} row @param {number} arm Index of its colour; -1 for none. @param {number} now */
  update(row, arm, now) {
    const past = took(row);
    this.swatch.hidden = arm < 0;
    this.swatch.style.background = `var(--jobs-arm-${arm})`;
    this.#state(row);
    this.#progress(row);
    say(this.cells.sps, quantity(row.sps), known(row.sps, "agent steps per second"));
    say(this.cells.reward, quantity(row.reward), known(row.reward, "mean return per agent, latest"));
    if (past !== null) say(this.cells.left, `took ${duration(past)}`, `Ended ${moment(row.ended_at ?? 0)}`);
    else say(this.cells.left, duration(row.left_s), row.left_s === null ? "Not known yet" : "At its latest speed");
    this.tick(row, now);
  }

  /** @param {Row} row */
  #state(row) {
    if (this.element.dataset.state !== row.state) {
      const shape = mark(row.state);
      this.mark.replaceWith(shape);
      this.mark = shape;
      this.element.dataset.state = row.state;
    }
    setText(this.word, row.state);
    setText(this.reason, row.reason);
    setTitle(this.cells.state, [row.reason, row.words, row.history, row.cost].filter(Boolean).join("\n"));
  }

  /** @param {Row} row */
  #progress(row) {
    const done = fraction(row) ?? 0;
    drawShare(this.mark, done);
    this.fill.style.width = `${100 * done}%`;
    setText(this.steps, quantity(row.step) + (row.total === null ? "" : ` / ${quantity(row.total)}`));
    const [exact, asked] = [row.step, row.total].map((value) => (value === null ? undefined : WHOLE.format(value)));
    setTitle(this.cells.progress, exact ? `${exact} of ${asked ?? "unknown"} agent steps` : "No row logged yet");
  }

  /** @param {Pick<Row, "started_at">} row @param {number} now */
  tick(row, now) {
    sayStart(this.cells.started, row.started_at, now);
  }
}

/** @param {HTMLElement} cell @param {number | null} at Unix seconds. @param {number} now */
export function sayStart(cell, at, now) {
  if (at === null) say(cell, MISSING, "Not started yet");
  else say(cell, since(at, now), moment(at));
}

/** @param {number | null} value @param {string} unit @returns {string} A number in full, or why there is none. */
function known(value, unit) {
  return value === null ? "Not logged yet" : `${value} ${unit}`;
}
