/** What a user may ask for: a button for each action, and the second step in which it is confirmed. */
import { fill, make, setText } from "../../page/js/dom.js";
import { plural } from "../../page/js/format.js";
import { nonce, tellPython } from "../../page/js/model.js";
import { ALIVE, ENDED, STATES } from "./rows.js";

/**
 * @typedef {{run: string, state: string, archived?: boolean, protected?: boolean}} Subject
 * @typedef {{actions: string[], selected: string[], request: {action?: string, runs?: string[], text?: string, nonce?: string}}} Asking
 * @typedef {import("@anywidget/types").AnyModel<any>} AskingModel Of a state with all of `Asking`.
 */

const NAMED = 3;
const TWICE_MS = 500;
/**
 * What each action is called and applies to; one that is `rare` is offered only where there is something for it.
 * @type {Record<string, {verb: string, on: string[], asks?: string, when?: (row: Subject) => boolean, rare?: boolean}>}
 */
const ACTIONS = {
  cancel: { verb: "Cancel", on: ALIVE },
  retry: { verb: "Retry", on: ENDED },
  note: { verb: "Note on", on: STATES, asks: "Note" },
  tag: { verb: "Tag", on: STATES, asks: "Tag" },
  untag: { verb: "Untag", on: STATES, asks: "Tag" },
  archive: { verb: "Archive", on: ENDED, when: (row) => !row.archived && !row.protected },
  unarchive: { verb: "Unarchive", on: STATES, when: (row) => Boolean(row.archived), rare: true },
  protect: { verb: "Protect", on: STATES, when: (row) => !row.protected },
  unprotect: { verb: "Unprotect", on: STATES, when: (row) => Boolean(row.protected), rare: true },
};

export class Actions {
  buttons = make("span.jobs-actions");
  confirm = make("div.jobs-confirm", { role: "alertdialog", label: "Confirm", hidden: true });
  names = "";

  /**
   * @param {AskingModel} model @param {() => Subject[]} rows @param {string} noun What they are about: jobs or runs.
   * @param {() => void} back Gives the focus to where it was before something was asked.
   */
  constructor(model, rows, noun, back) {
    this.model = model;
    this.rows = rows;
    this.noun = noun;
    this.back = back;
  }

  /** Show what may be done with the selected jobs. */
  offer() {
    const names = /** @type {string[]} */ (this.model.get("actions"));
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
      button.hidden = count === 0 && Boolean(kind(name).rare);
      setText(button, `${kind(name).verb} ${count ? plural(count, this.noun) : `${this.noun}s`}`);
    });
  }

  /** @param {string} name @returns {string[]} The selected runs whose state allows the action. */
  #eligible(name) {
    const selected = new Set(this.model.get("selected"));
    const { on, when = () => true } = kind(name);
    const able = this.rows().filter((row) => selected.has(row.run) && on.includes(row.state) && when(row));
    return able.map((row) => row.run);
  }

  /** The first of two steps: name the jobs and wait. @param {string} action @param {number} asked */
  #ask(action, asked) {
    const runs = this.#eligible(action);
    const asker = /** @type {HTMLButtonElement} */ (this.buttons.children[this.model.get("actions").indexOf(action)]);
    const { verb, asks = "" } = kind(action);
    const what = `${verb} ${plural(runs.length, this.noun)}`;
    const more = runs.length > NAMED ? ` and ${runs.length - NAMED} more` : "";
    const text = make("input.jobs-text.jobs-field", { type: "text", label: asks, placeholder: asks, hidden: !asks });
    const confirmed = /** @param {MouseEvent} event */ (event) => {
      // The second half of a double click is not a second decision.
      if (event.timeStamp - asked < TWICE_MS || (asks && !text.value.trim())) return;
      tellPython(this.model, "request", { action, runs, text: text.value.trim(), nonce: nonce() });
      this.leave();
    };
    const yes = make("button.jobs-yes", { type: "button", onclick: confirmed }, what);
    const no = make("button.jobs-no", { type: "button", onclick: () => this.leave(asker) }, "Go back");
    this.confirm.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      this.leave(asker);
      event.stopPropagation();
    };
    fill(this.confirm, make("span.jobs-list", {}, `${what}? ${runs.slice(0, NAMED).join(", ")}${more}`), text, yes, no);
    this.confirm.hidden = false;
    (asks ? text : no).focus();
  }

  /** Nothing is asked any more, and the keyboard is where it was. @param {HTMLButtonElement} [asker] Where nothing was done. */
  leave(asker) {
    this.close();
    if (asker?.isConnected && !asker.disabled) asker.focus();
    else this.back();
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
