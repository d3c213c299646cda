/** The rows of jobs. Each is drawn whole once it was in sight: drawing all of a large fleet takes a second. */
import { RowView } from "../../jobs/js/row-view.js";
import { make, say, setText, setTitle } from "../../page/js/dom.js";
import { dollars } from "./rows.js";

/** @import { FleetRow } from "./rows.js" */

const AHEAD = "400px 0px";

export class Lines {
  /** @type {Map<string, FleetRowView>} */
  drawn = new Map();
  /** @type {Map<string, HTMLTableRowElement>} The others, by their names alone. */
  named = new Map();

  /** @param {Element} scroll Where they are seen. @param {number} columns @param {(run: string) => void} seen */
  constructor(scroll, columns, seen) {
    this.columns = columns;
    this.watcher = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) seen(/** @type {HTMLElement} */ (target).dataset.run ?? "");
      }
    }, { root: scroll, rootMargin: AHEAD });
  }

  /** @param {string} run @returns {HTMLTableRowElement | undefined} Its row as far as it is drawn. */
  find(run) {
    return this.drawn.get(run)?.element ?? this.named.get(run);
  }

  /** @param {string} run @returns {HTMLTableRowElement} The same, made where there is none. */
  of(run) {
    const known = this.find(run);
    if (known) return known;
    const name = make("td.jobs-run", { role: "gridcell", colspan: this.columns }, run);
    const line = make("tr.jobs-row", { role: "row", tabindex: -1, "aria-level": 2, "data-run": run }, name);
    this.named.set(run, line);
    this.watcher.observe(line);
    return line;
  }

  /** Draw a row whole. @param {FleetRow} row @param {number} arm @param {number} now */
  draw(row, arm, now) {
    const line = this.named.get(row.run);
    if (!line) return;
    this.watcher.unobserve(line);
    this.named.delete(row.run);
    const view = new FleetRowView(row.run);
    this.drawn.set(row.run, view);
    view.show(row, arm, now);
    for (const name of ["aria-selected", "tabindex"]) view.element.setAttribute(name, line.getAttribute(name) ?? "");
    line.replaceWith(view.element);
  }

  /** Take out the rows of all other jobs. @param {Map<string, FleetRow>} rows */
  keep(rows) {
    for (const lines of [this.drawn, this.named]) {
      for (const run of lines.keys()) {
        if (rows.has(run)) continue;
        this.find(run)?.remove();
        lines.delete(run);
      }
    }
  }

  /** @param {Map<string, FleetRow>} rows @param {number} now */
  tick(rows, now) {
    for (const [run, view] of this.drawn) {
      const row = rows.get(run);
      if (row && view.element.isConnected) view.tick(row, now);
    }
  }
}

class FleetRowView extends RowView {
  warning = make("span.fleet-alert");
  cost = make("td.jobs-cost", { role: "gridcell" });

  /** @param {string} run */
  constructor(run) {
    super(run);
    this.element.firstElementChild?.remove();
    this.cells.state.insertBefore(this.warning, this.reason);
    this.element.append(this.cost);
    this.element.setAttribute("aria-level", "2");
  }

  /** @param {FleetRow} row @param {number} arm @param {number} now */
  show(row, arm, now) {
    this.update({ ...row, cost: undefined }, arm, now);
    const more = row.alerts.find((text) => !text.startsWith(row.state)); // that it failed is said already
    setText(this.warning, more ? `! ${more}` : "");
    this.warning.hidden = !more;
    if (row.alerts.length) setTitle(this.cells.state, [...row.alerts, row.reason, row.words].filter(Boolean).join("\n"));
    say(this.cost, dollars(row.cost), row.cost === null ? "Nobody knows its price" : `${row.cost} USD so far`);
  }
}
