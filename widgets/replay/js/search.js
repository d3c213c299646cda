/**
 * Find objects by what they are, hold or do. Pure.
 *
 * @import { Facts } from "./facts.js"
 * @import { Recipe } from "./wire.js"
 * @typedef {object} Found
 * @property {(object: number) => unknown} matches Whether an object fits apart from what it holds.
 * @property {number[]} items Items asked for: objects holding one at the step fit.
 * @property {string} verb What is asked of rules, "makes" of "who makes heart?"; empty where it is none.
 * @property {(rule: Recipe) => boolean} tells Whether a rule speaks of it.
 */
import { words } from "../../page/js/format.js";

/** What a query asks of rules: "who makes heart?" what gives one, "who needs ore" what takes one. */
const ASKED = /^(?:who |what )?(makes?|gives?|takes?|needs?|uses?) (.+?)\??$/;

/**
 * Understand a query: an agent ("agent 7"), an id ("#1614"), part of a type's, an item's or a tag's name, or what does something with an item ("who makes heart?").
 * @param {Facts} facts @param {string} query @returns {Found | null} Null for an empty query.
 */
export function search(facts, query) {
  if (!query.trim()) return null;
  const text = words(query).toLowerCase().replace(/^agent(?=\d)/, "agent ");
  const { header, base, ids } = facts.replay;
  const [, verb = "", item = text] = ASKED.exec(text) ?? [];
  const said = /^[mg]/.test(verb) ? "makes" : verb ? "uses" : "text";
  const kinds = header.kinds.map((kind) => kind[said].includes(item));
  const own = base.numbers("kind");
  return {
    verb,
    tells: (rule) => rule[said].includes(item),
    matches: (object) => kinds[own[object]] || text === `#${ids[object]}` || (facts.isAgent[object] && text === facts.title(object)),
    items: verb ? [] : header.item_names.flatMap((name, each) => (name && words(name).toLowerCase().includes(text) ? [each] : [])),
  };
}

/**
 * List the objects that fit at a step.
 * @param {Facts} facts @param {Found} found @param {number} step @returns {number[]} At most 5,000: agents first, then ascending.
 */
export function matching({ replay, isAgent }, found, step) {
  const hits = new Set();
  replay.pairItems.forEach((item, pair) => {
    if (found.items.includes(item) && replay.inventory.at(pair, step) > 0) hits.add(replay.pairObjects[pair]);
  });
  for (let object = 0; object < isAgent.length; object++) if (found.matches(object)) hits.add(object);
  const present = [...hits].filter((object) => replay.here(object, step));
  return present.sort((a, b) => isAgent[b] - isAgent[a] || a - b).slice(0, 5000);
}
