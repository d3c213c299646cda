/** The rules of the game on the page: those of one thing, and all of them. */
import { fill } from "../../page/js/dom.js";
import { div, h, note, region, section, span } from "./dom.js";
import { plural } from "../../page/js/format.js";
import { changes } from "./part.js";

/**
 * @import { Viewer } from "./viewer.js"
 * @import { Recipe } from "./wire.js"
 */

const MOST = 300;

/** @param {Viewer} viewer @param {Recipe} rule @returns {HTMLElement} What is paid, what comes of it, when, and on which conditions. */
function ruleItem(viewer, { takes, gives, lines }) {
  const [paid, got] = [takes, gives].map((amounts) => amounts.map(([item, text]) => viewer.itemEntry(item, text)));
  return h("li.rule", {}, div("row", ...paid, takes.length + gives.length ? span("muted", "\u2192") : null, ...got), ...lines.map((line, i) => div(i ? "muted" : "", line)));
}

/** @param {Viewer} viewer @param {string} title @param {Recipe[]} rules */
export const ruleSection = (viewer, title, rules) => rules.length ? section(title, h("ul.rules", {}, ...rules.map((rule) => ruleItem(viewer, rule)))) : null;

/** @param {Viewer} viewer */
export function rulesPanel(viewer) {
  const { state, sprites, replay } = viewer;
  const { rules } = replay.header;
  const node = region("Rules of the game");
  const changed = changes();

  function update() {
    const { found, layers } = state;
    // Pictures arrive after the page, and may be switched off.
    if (!changed(found, layers, sprites.url)) return;
    const wanted = found ? rules.filter(found.tells) : rules;
    const groups = Map.groupBy(wanted.slice(0, MOST), ({ title }) => title);
    const left = wanted.length - MOST;
    fill(node, ...[...groups].map(([title, some]) => ruleSection(viewer, title, some)), left > 0 ? note(`and ${plural(left, "more rule")}: search for it`) : null,
      wanted.length ? null : note("No rule speaks of what is searched for."));
  }

  return { node, update };
}
