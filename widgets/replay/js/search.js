/**
 * Find objects by what they are or hold. Pure.
 *
 * @import { Facts } from "./facts.js"
 * @typedef {object} Found
 * @property {(object: number) => boolean} matches Whether an object fits apart from what it holds.
 * @property {number[]} items Items asked for: objects holding one at the step fit.
 * @property {string} text What was understood, in words.
 */

/** @param {string} name */
function plain(name) {
  return name.toLowerCase().replace(/[_\s]+/g, " ").trim();
}

/**
 * Understand a query: an agent ("agent 7"), an id ("#1614"), or part of a type's, an item's or a tag's name.
 * @param {Facts} facts @param {string} query @returns {Found | null} Null for an empty query.
 */
export function search(facts, query) {
  const text = plain(query);
  const [, word, digits] = /^(agent ?#?|#)(\d+)$/.exec(text) ?? [];
  const { replay } = facts;
  if (word === "#") return { matches: (object) => replay.ids[object] === Number(digits), items: [], text };
  if (word) return { matches: (object) => facts.isAgent[object] === 1 && replay.agentIds[object] === Number(digits), items: [], text };
  if (!text) return null;
  const { type_names, item_names, tags, tables } = replay.header;
  const pick = /** @param {string[]} names */ (names) => names.flatMap((name, index) => (name && plain(name).includes(text) ? [index] : []));
  const [types, items, tagHits] = [pick(type_names), pick(item_names), pick(tags)];
  const sets = (tables.get("tag_ids") ?? []).map((set) => Array.isArray(set) && tagHits.some((tag) => set.includes(tag)));
  const parts = [...types.map((type) => type_names[type]), ...items.map((item) => `holds ${item_names[item]}`), ...tagHits.map((tag) => tags[tag])];
  const wanted = new Set(types);
  return { matches: (object) => wanted.has(replay.types[object]) || sets[replay.at("tag_ids", object, 0)] === true, items, text: parts.join(", ") };
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

/** @param {Facts} facts @returns {string[]} Words to offer while typing. */
export function suggestions({ replay }) {
  const { type_names, item_names } = replay.header;
  return [...new Set([...type_names, ...item_names])].filter(Boolean).slice(0, 200);
}
