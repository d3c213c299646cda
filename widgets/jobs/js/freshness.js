/**
 * How old the data is, by Python's clock: the browser's own may be wrong.
 *
 * @typedef {{as_of: number, sent_at: number, stale_after: number}} Dates See ../table.py.
 */
import { make, say, setText } from "../../page/js/dom.js";
import { age, moment } from "../../page/js/time.js";

export class Freshness {
  skew = 0;
  element = make("span.jobs-age");

  /** @param {{get(name: keyof Dates): number}} model @param {HTMLElement} root Told when the data is stale. */
  constructor(model, root) {
    this.model = model;
    this.root = root;
  }

  /** @returns {number} Unix seconds; in a page that stays, those of its data. */
  now() {
    return this.model.get("sent_at") ? Date.now() / 1000 - this.skew : this.model.get("as_of");
  }

  /** Take the difference of the two clocks: Python has just written. */
  receive() {
    this.skew = Date.now() / 1000 - this.model.get("sent_at");
  }

  tick() {
    const [now, at, live, limit] = [this.now(), this.model.get("as_of"), this.model.get("sent_at") > 0, this.model.get("stale_after")];
    const stale = live && limit > 0 && now - at > limit;
    this.root.toggleAttribute("data-stale", stale && at > 0);
    if (!at) setText(this.element, live ? "Waiting for the first answer" : "");
    else if (!live) setText(this.element, `As of ${moment(at)}`);
    else if (!limit) say(this.element, "All jobs have ended", `As of ${moment(at)}`);
    else say(this.element, stale ? `? Data ${age(now - at)} old` : `Updated ${age(now - at)} ago`, moment(at));
  }
}
