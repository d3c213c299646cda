/**
 * Find objects by what they are or hold. Pure.
 *
 * @import { Facts } from "./facts.js"
 * @typedef {object} Found
 * @property {(object: number) => unknown} matches Whether an object fits apart from what it holds.
 * @property {number[]} items Items asked for: objects holding one at the step fit.
 */
import { words } from "../../page/js/format.js";

/** @param {Facts} facts @returns {string[]} What may be asked for: the types that occur, items and tags, in words. */
export function names({ replay }) {
  const { type_names, item_names, tags } = replay.header;
  const used = new Set(replay.types);
  return [...new Set([...type_names.filter((_, type) => used.has(type)), ...item_names, ...tags].filter(Boolean).map(words))].sort();
}

/**
 * Understand a query: an agent ("agent 7"), an id ("#1614"), or part of a type's, an item's or a tag's name.
 * @param {Facts} facts @param {string} query @returns {Found | null} Null for an empty query.
 */
export function search(facts, query) {
  const text = words(query).toLowerCase().replace(/^agent(?=\d)/, "agent ");
  const { replay } = facts;
  if (!query.trim()) return null;
  const { type_names, item_names, tags, tables } = replay.header;
  const has = /** @param {string | undefined} name */ (name) => name && words(name).toLowerCase().includes(text);
  const types = type_names.map(has);
  const sets = (tables.get("tag_ids") ?? []).map((set) => [set].flat().some((/** @type {any} */ tag) => has(tags[tag])));
  return {
    matches: (object) => types[replay.types[object]] || sets[replay.at("tag_ids", object, 0)] || text === `#${replay.ids[object]}` || (facts.isAgent[object] && text === facts.title(object)),
    items: item_names.flatMap((name, item) => (has(name) ? [item] : [])),
  };
}

/**
 * List the objects that fit at a step.
 * @param {Facts} facts @param {Found} found @param {number} step @param {number} [limit] @returns {number[]} Agents first, then ascending.
 */
export function matching({ replay, isAgent }, found, step, limit = 5000) {
  const hits = new Set();
  replay.pairItems.forEach((item, pair) => {
    if (found.items.includes(item) && replay.inventory.at(pair, step) > 0) hits.add(replay.pairObjects[pair]);
  });
  for (let object = 0; object < isAgent.length; object++) if (found.matches(object)) hits.add(object);
  const present = [...hits].filter((object) => replay.here(object, step));
  return present.sort((a, b) => isAgent[b] - isAgent[a] || a - b).slice(0, limit);
}
