/** What a user may ask for: a button for each action, and the second step in which it is confirmed. */
import { fill, make, setText } from "../../page/js/dom.js";
import { plural } from "../../page/js/format.js";
import { nonce, tellPython } from "../../page/js/model.js";
import { ALIVE, ENDED, STATES } from "./rows.js";

/**
 * @import { Model } from "./table-view.js"
 * @import { Row } from "./rows.js"
 */

const NAMED = 3;
const TWICE_MS = 500;
/** @type {Record<string, {verb: string, on: string[], asks?: string}>} What each action is called and applies to. */
const ACTIONS = {
  cancel: { verb: "Cancel", on: ALIVE },
  retry: { verb: "Retry", on: ENDED },
  note: { verb: "Note on", on: STATES, asks: "Note" },
  tag: { verb: "Tag", on: STATES, asks: "Tag" },
  untag: { verb: "Untag", on: STATES, asks: "Tag" },
};

export class Actions {
  buttons = make("span.jobs-actions");
  confirm = make("div.jobs-confirm", { role: "alertdialog", label: "Confirm", hidden: true });
  names = "";

  /** @param {Model} model @param {() => Row[]} rows */
  constructor(model, rows) {
    this.model = model;
    this.rows = rows;
    this.confirm.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** Show what may be done with the selected jobs. */
  offer() {
    const names = this.model.get("actions");
    if (this.names !== names.join()) {
      this.names = names.join();
      fill(this.buttons, ...names.map((name) => make("button.jobs-action", {
        type: "button", onclick: (/** @type {MouseEvent} */ event) => this.#ask(name, event.timeStamp),
      })));
    }
    names.forEach((name, index) => {
      const button = /** @type {HTMLButtonElement} */ (this.buttons.children[index]);
      const count = this.#eligible(name).length;
      button.disabled = count === 0;
      setText(button, `${kind(name).verb} ${count ? plural(count, "job") : "jobs"}`);
    });
  }

  /** @param {string} name @returns {string[]} The selected runs whose state allows the action. */
  #eligible(name) {
    const selected = new Set(this.model.get("selected"));
    const able = this.rows().filter((row) => selected.has(row.run) && kind(name).on.includes(row.state));
    return able.map((row) => row.run);
  }

  /** The first of two steps: name the jobs and wait. @param {string} action @param {number} asked */
  #ask(action, asked) {
    const runs = this.#eligible(action);
    const { verb, asks = "" } = kind(action);
    const what = `${verb} ${plural(runs.length, "job")}`;
    const more = runs.length > NAMED ? ` and ${runs.length - NAMED} more` : "";
    const text = make("input.jobs-text.jobs-field", { type: "text", label: asks, placeholder: asks, hidden: !asks });
    const confirmed = /** @param {MouseEvent} event */ (event) => {
      // The second half of a double click is not a second decision.
      if (event.timeStamp - asked < TWICE_MS || (asks && !text.value.trim())) return;
      tellPython(this.model, "request", { action, runs, text: text.value.trim(), nonce: nonce() });
      this.close();
    };
    const yes = make("button.jobs-yes", { type: "button", onclick: confirmed }, what);
    const no = make("button.jobs-no", { type: "button", onclick: () => this.close() }, "Go back");
    fill(this.confirm, make("span.jobs-list", {}, `${what}? ${runs.slice(0, NAMED).join(", ")}${more}`), text, yes, no);
    this.confirm.hidden = false;
    (asks ? text : no).focus();
  }

  close() {
    this.confirm.hidden = true;
    fill(this.confirm);
  }
}

/** @param {string} action */
function kind(action) {
  return ACTIONS[action] ?? { verb: action, on: STATES };
}
