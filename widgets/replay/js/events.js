/**
 * What happened to an agent, and when. Pure over a `Replay`; steps that are not loaded yield nothing.
 *
 * @import { Replay } from "./replay.js"
 * @typedef {"reward" | "penalty" | "gain" | "freeze" | "death" | "talk" | "failure"} EventKind
 * @typedef {Record<EventKind, number[]>} AgentEvents Steps, ascending.
 */

/** In the order of the timeline's lanes. @type {EventKind[]} */
export const KINDS = ["reward", "penalty", "gain", "freeze", "death", "talk", "failure"];

/** @type {Record<EventKind, string>} */
export const KIND_WORDS = {
  reward: "reward", penalty: "negative reward", gain: "item gain", freeze: "freeze", death: "death", talk: "talk", failure: "failed action",
};

/** Overview columns in which a kind is counted over all agents. @type {Partial<Record<EventKind, string>>} */
export const OVERVIEW = { gain: "gains", freeze: "freezes", death: "deaths", talk: "talk", failure: "failures" };

/** @returns {AgentEvents} */
function noEvents() {
  return { reward: [], penalty: [], gain: [], freeze: [], death: [], talk: [], failure: [] };
}

/**
 * List an agent's events in [from, to).
 * @param {Replay} replay @param {number} object @param {number} [from] @param {number} [to]
 * @returns {AgentEvents}
 */
export function agentEvents(replay, object, from = 0, to = replay.steps) {
  const events = noEvents();
  let last = NaN;
  replay.field("current_reward").runs(object, from, to, (start, _, value) => {
    if (value !== last && value > 0) events.reward.push(start);
    if (value !== last && value < 0) events.penalty.push(start);
    last = value;
  });
  risingEdges(replay.field("is_frozen"), object, from, to, 1, events.freeze);
  risingEdges(replay.field("alive"), object, from, to, 0, events.death);
  risingEdges(replay.field("action_success"), object, from, to, 0, events.failure);
  gains(replay, object, from, to, events.gain);
  return events;
}

/**
 * @param {import("./replay.js").Field} field @param {number} object @param {number} from @param {number} to
 * @param {number} wanted The value whose beginnings count. @param {number[]} out
 */
function risingEdges(field, object, from, to, wanted, out) {
  let last = from > 0 ? field.at(object, from - 1) : 1 - wanted;
  field.runs(object, from, to, (start, _, value) => {
    if (value === wanted && last !== wanted) out.push(start);
    last = value;
  });
}

/** @param {Replay} replay @param {number} object @param {number} from @param {number} to @param {number[]} out */
function gains(replay, object, from, to, out) {
  const [first, end] = replay.pairsOf(object);
  const steps = new Set();
  for (let pair = first; pair < end; pair++) {
    let last = from > 0 ? replay.inventory.at(pair, from - 1) : NaN;
    replay.inventory.runs(pair, from, to, (start, _, value) => {
      if (value > last) steps.add(start);
      last = value;
    });
  }
  out.push(...[...steps].sort((a, b) => a - b));
}

/** @param {number[]} sorted @param {number} step @param {1 | -1} way @returns {number} The nearest later or earlier entry, -1 for none. */
export function nextStep(sorted, step, way) {
  if (way > 0) return sorted.find((value) => value > step) ?? -1;
  return sorted.findLast((value) => value < step) ?? -1;
}

/**
 * Find the next step with an event of a kind.
 * @param {Replay} replay @param {Iterable<number>} objects Agents to look at.
 * @param {EventKind} kind @param {number} step @param {1 | -1} way
 * @returns {number} -1 for none among the loaded steps.
 */
export function findEvent(replay, objects, kind, step, way) {
  const span = 256;
  const list = [...objects];
  for (let low = way > 0 ? step + 1 : step; way > 0 ? low < replay.steps : low > 0; low += way * span) {
    const from = way > 0 ? low : Math.max(0, low - span);
    const to = way > 0 ? Math.min(replay.steps, low + span) : low;
    let best = -1;
    for (const object of list) {
      const found = nextStep(agentEvents(replay, object, from, to)[kind], step, way);
      if (found >= 0 && (best < 0 || (found - best) * way < 0)) best = found;
    }
    if (best >= 0) return best;
  }
  return -1;
}

/**
 * Sum an agent's reward by the bins of the overview.
 * @param {Replay} replay @param {number} object @param {number} bins @returns {Float64Array}
 */
export function rewardBins(replay, object, bins) {
  const sums = new Float64Array(bins);
  const { steps } = replay;
  replay.field("current_reward").runs(object, 0, steps, (start, end, value) => {
    if (!value) return;
    let at = start;
    while (at < end) {
      const bin = binOf(at, bins, steps);
      const until = Math.min(end, binStart(bin + 1, bins, steps));
      sums[bin] += value * (until - at);
      at = until;
    }
  });
  return sums;
}

/** @param {number} bin @param {number} bins @param {number} steps @returns {number} The first step of a bin. */
export function binStart(bin, bins, steps) {
  return Math.floor((bin * steps) / bins);
}

/** @param {number} step @param {number} bins @param {number} steps @returns {number} */
export function binOf(step, bins, steps) {
  let bin = Math.min(bins - 1, Math.max(0, Math.floor((step * bins) / steps)));
  while (bin + 1 < bins && binStart(bin + 1, bins, steps) <= step) bin++;
  return bin;
}
