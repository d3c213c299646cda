/** The widget: lines of text that follow the model. All text is set as text, never as HTML. */
import { fill, make } from "../../page/js/dom.js";
import { listen } from "../../page/js/model.js";

/**
 * @typedef {{kind: string, text: string, label?: string, light?: string, dark?: string, muted?: boolean}} Line
 * @typedef {{lines: Line[]}} WordsState See ../words.py.
 */

/** @param {Line} line @returns {HTMLElement} */
function block(line) {
  const style = line.light ? `color: light-dark(${line.light}, ${line.dark})` : "";
  return make("p", { class: `words-${line.kind}${line.muted ? " words-muted" : ""}`, style }, line.text);
}

/** @param {Line} line @returns {HTMLElement} */
function row(line) {
  const strength = line.kind === "row" && !line.muted ? "" : "words-muted";
  return make("tr", {}, make("th", { scope: "row" }, line.label ?? ""), make("td", { class: strength }, line.text));
}

/** @param {Line[]} lines @returns {HTMLElement[]} */
function elements(lines) {
  /** @type {HTMLElement[]} */
  const found = [];
  /** @type {HTMLElement | null} */
  let table = null;
  for (const line of lines) {
    if (line.kind !== "row") {
      table = null;
      found.push(block(line));
      continue;
    }
    if (!table) {
      table = make("tbody");
      found.push(make("table.words-rows", {}, table));
    }
    table.append(row(line));
  }
  return found;
}

/** @param {{model: import("../../page/js/model.js").AnyModel<WordsState>, el: HTMLElement}} context */
function render({ model, el }) {
  const root = el.appendChild(make("div.words.look"));
  const place = () => void fill(root, ...elements(model.get("lines")));
  place();
  return listen(model, { lines: place });
}

export default { render };
