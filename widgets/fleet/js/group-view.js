/** The elements of one experiment: its own row, above those of its jobs. */
import { mark } from "../../jobs/js/mark.js";
import { sayStart } from "../../jobs/js/row-view.js";
import { fill, make, say, setText } from "../../page/js/dom.js";
import { MISSING, plural, quantity } from "../../page/js/format.js";
import { dollars } from "./rows.js";

/** @import { total } from "./rows.js" */

const MOST_WORDS = 2;

export class GroupView {
  name = make("span.fleet-name");
  many = make("span.fleet-many");
  states = make("span.fleet-states");
  warning = make("span.fleet-alert");
  fill = make("span.jobs-fill");
  share = make("span.jobs-steps");
  sps = make("td.jobs-sps", { role: "gridcell" });
  started = make("td.jobs-started", { role: "gridcell" });
  cost = make("td.jobs-cost", { role: "gridcell" });
  shown = "";
  /** @type {number | null} */
  at = null;

  /** @param {string} experiment */
  constructor(experiment) {
    const caret = make("button.fleet-caret", { type: "button", tabindex: -1, label: "Show or hide its jobs" });
    const bar = make("span.jobs-bar", { "aria-hidden": "true" }, this.fill);
    this.element = make("tr.fleet-group", { role: "row", tabindex: -1, "aria-level": 1, "data-experiment": experiment, "data-state": "running" },
      make("td.jobs-run", { role: "gridcell" }, make("span.fleet-title", {}, caret, this.name, this.many)),
      make("td.jobs-state", { role: "gridcell" }, this.states, this.warning),
      make("td.jobs-progress", { role: "gridcell" }, bar, this.share),
      this.sps, make("td.jobs-reward", { role: "gridcell" }), make("td.jobs-left", { role: "gridcell" }), this.started, this.cost);
    this.body = make("tbody", {}, this.element);
    say(this.name, experiment || "(no experiment)", experiment);
  }

  /** @param {ReturnType<typeof total>} sum @param {number} jobs @param {number} now */
  show(sum, jobs, now) {
    setText(this.many, ` ${plural(jobs, "job")}`);
    this.#counts(sum.counts);
    say(this.warning, sum.alerts ? `! ${sum.alerts}` : "", sum.alerts ? `${sum.alerts} alerts` : "");
    this.fill.style.width = `${100 * (sum.done ?? 0)}%`;
    say(this.share, sum.done === null ? MISSING : `${Math.floor(100 * sum.done)} %`, "Mean over its jobs");
    say(this.sps, quantity(sum.sps), sum.sps === null ? "Nothing runs" : "All that run, together");
    say(this.cost, dollars(sum.cost, sum.unknown), sum.unknown ? "The price of some jobs is not known" : "All jobs together");
    this.at = sum.started;
    this.tick(now);
  }

  /** @param {[string, number][]} counts */
  #counts(counts) {
    if (this.shown === counts.join()) return;
    this.shown = counts.join();
    fill(this.states, ...counts.map(([state, count]) => {
      const word = counts.length > MOST_WORDS ? "" : make("span.fleet-word", {}, ` ${state}`);
      return make("span", { "data-state": state, title: `${count} ${state}` }, mark(state), `${count}`, word);
    }));
  }

  /** @param {number} now */
  tick(now) {
    sayStart(this.started, this.at, now);
  }
}
