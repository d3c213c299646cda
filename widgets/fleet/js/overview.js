/** What stands above the table: what all jobs come to, and the alerts. */
import { mark } from "../../jobs/js/mark.js";
import { fill, make, refill } from "../../page/js/dom.js";
import { plural, quantity } from "../../page/js/format.js";
import { age, moment } from "../../page/js/time.js";
import { dollars } from "./rows.js";

/**
 * @import { total } from "./rows.js"
 * @typedef {{key: string, rule: string, run: string, experiment: string, text: string, at: number}} Alert
 */

export class Overview {
  sums = make("ul.fleet-sums");
  alerts = make("details.fleet-alerts", { open: true });
  shown = "";

  /** @param {(experiment: string, run: string) => void} select */
  constructor(select) {
    this.select = select;
  }

  /** @param {ReturnType<typeof total>} sum */
  showSums({ counts, sps, cost, unknown }) {
    const items = counts.map(([state, count]) => make("li", { "data-state": state }, mark(state), make("b", {}, String(count)), state));
    if (sps !== null) items.push(make("li", { title: "All that run, together" }, make("b", {}, quantity(sps)), "steps/s"));
    if (cost !== null) items.push(make("li", { title: "Of all jobs whose price is known" }, make("b", {}, dollars(cost, unknown)), "so far"));
    fill(this.sums, ...items);
  }

  /** @param {Alert[]} alerts @param {number} now */
  showAlerts(alerts, now) {
    this.alerts.hidden = alerts.length === 0;
    const wanted = JSON.stringify(alerts);
    if (this.shown === wanted) return;
    this.shown = wanted;
    const items = alerts.map(({ run, experiment, text, at }) => make("li", {},
      make("button", { type: "button", onclick: () => this.select(experiment, run) }, `${run || experiment}: ${text}`),
      make("span.fleet-when", { title: moment(at) }, `${age(now - at)} ago`)));
    refill(this.alerts, make("summary", {}, plural(alerts.length, "alert")), make("ul", {}, ...items));
  }
}
