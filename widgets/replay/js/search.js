/**
 * Find objects by what they are or hold. Pure.
 *
 * @import { Facts } from "./facts.js"
 * @typedef {object} Found
 * @property {(object: number) => boolean} matches Whether an object fits apart from what it holds.
 * @property {number[]} items Items asked for: objects holding one at the step fit.
 * @property {number} agent The agent asked for by number, -1 for none.
 * @property {string} text What was understood, in words.
 */

const AGENT = /^agent\s*#?(\d+)$/;
const ID = /^#(\d+)$/;

/**
 * Understand a query: an agent ("agent 7"), an id ("#1614"), or parts of type, item, tag and team names.
 * @param {Facts} facts @param {string} query
 * @returns {Found | null} Null for an empty query.
 */
export function search(facts, query) {
  const text = query.trim().toLowerCase();
  if (!text) return null;
  const { replay } = facts;
  const byAgent = AGENT.exec(text);
  if (byAgent) {
    const agent = Number(byAgent[1]);
    return { matches: (object) => facts.isAgent[object] === 1 && replay.agentIds[object] === agent, items: [], agent, text: `agent ${agent}` };
  }
  const byId = ID.exec(text);
  if (byId) {
    const id = Number(byId[1]);
    return { matches: (object) => replay.ids[object] === id, items: [], agent: -1, text: `object ${id}` };
  }
  return byName(facts, text.replace(/[_\s]+/g, " "));
}

/** @param {Facts} facts @param {string} text @returns {Found} */
function byName(facts, text) {
  const { header, types } = facts.replay;
  const has = /** @param {string} name */ (name) => name.toLowerCase().replace(/[_\s]+/g, " ").includes(text);
  const pick = /** @param {string[]} names */ (names) => names.flatMap((name, index) => (name && has(name) ? [index] : []));
  const typeHits = new Set(pick(header.typeNames));
  const items = pick(header.itemNames);
  const tagHits = pick(header.tags);
  const tagField = facts.replay.field("tag_ids");
  const tagSets = (header.tables.get("tag_ids") ?? []).map((set) => Array.isArray(set) && tagHits.some((tag) => set.includes(tag)));
  const parts = [
    ...[...typeHits].map((type) => header.typeNames[type]),
    ...items.map((item) => `holds ${header.itemNames[item]}`),
    ...tagHits.map((tag) => header.tags[tag]),
  ];
  return {
    matches: (object) => typeHits.has(types[object]) || (tagHits.length > 0 && tagSets[tagField.first(object)] === true),
    items,
    agent: -1,
    text: parts.join(", "),
  };
}

/**
 * List the objects that fit at a step.
 * @param {Facts} facts @param {Found} found @param {number} step @param {number} [limit]
 * @returns {number[]} Ascending; agents first.
 */
export function matching(facts, found, step, limit = 5000) {
  const { replay } = facts;
  const hits = new Set();
  for (const item of found.items) {
    for (let pair = 0; pair < replay.pairItems.length; pair++) {
      if (replay.pairItems[pair] === item && replay.inventory.at(pair, step) > 0) hits.add(replay.pairObjects[pair]);
    }
  }
  for (let object = 0; object < replay.header.objects; object++) if (found.matches(object)) hits.add(object);
  const present = [...hits].filter((object) => replay.alive.at(object, step) !== 0);
  present.sort((a, b) => facts.isAgent[b] - facts.isAgent[a] || a - b);
  return present.slice(0, limit);
}

/** @param {Facts} facts @returns {string[]} Words to offer while typing. */
export function suggestions(facts) {
  const { header, agents, types } = facts.replay;
  const usedTypes = new Set(types);
  const usedItems = new Set(facts.replay.pairItems);
  const names = [
    ...header.typeNames.filter((name, index) => name && usedTypes.has(index)),
    ...header.itemNames.filter((name, index) => name && usedItems.has(index)),
    ...Array.from(agents.slice(0, 64), (object) => `agent ${facts.replay.agentIds[object]}`),
  ];
  return [...new Set(names)];
}
