/**
 * What happened to an agent, and when. Pure over a `Replay`; steps that are not loaded yield nothing.
 *
 * @import { Field, Replay } from "./replay.js"
 * @typedef {"reward" | "penalty" | "gain" | "freeze" | "death" | "talk" | "failure"} EventKind
 * @typedef {Record<EventKind, number[]>} AgentEvents Steps, ascending.
 */
import { floor, max, min } from "./maths.js";

/** Each kind's words, and the overview column that counts it over all agents. @type {Record<EventKind, [string, string]>} */
export const KINDS = {
  reward: ["reward", "reward"], penalty: ["negative reward", "reward"], gain: ["item gain", "gains"], freeze: ["freeze", "freezes"],
  death: ["death", "deaths"], talk: ["talk", "talk"], failure: ["failed action", "failures"],
};

const SPAN = 256;

/** @param {Replay} replay @param {number} object @param {number} [from] @param {number} [to] @returns {AgentEvents} In [from, to). */
export function agentEvents(replay, object, from = 0, to = replay.steps) {
  const starts = /** @param {Field} field @param {number} entry @param {(now: number, before: number) => boolean} wanted @param {number} [at] */ (field, entry, wanted, at = object) => {
    /** @type {number[]} */
    const steps = [];
    let last = from > 0 ? field.at(at, from - 1) : entry;
    field.runs(at, from, to, (start, _, value) => {
      if (value !== last && wanted(value, last)) steps.push(start);
      last = value;
    });
    return steps;
  };
  const gains = new Set(replay.pairsOf(object).flatMap((pair) => starts(replay.inventory, NaN, (now, before) => now > before, pair)));
  return {
    reward: starts(replay.field("current_reward"), 0, (now) => now > 0),
    penalty: starts(replay.field("current_reward"), 0, (now) => now < 0),
    gain: [...gains].sort((a, b) => a - b),
    freeze: starts(replay.field("is_frozen"), 0, (now) => now === 1),
    death: starts(replay.alive, 1, (now) => now === 0),
    failure: starts(replay.field("action_success"), 1, (now) => now === 0),
    talk: [],
  };
}

/** @param {number[]} sorted @param {number} step @param {1 | -1} way @returns {number} The nearest later or earlier entry, -1 for none. */
export function nextStep(sorted, step, way) {
  return (way > 0 ? sorted.find((value) => value > step) : sorted.findLast((value) => value < step)) ?? -1;
}

/**
 * Find the next step with an event of a kind.
 * @param {Replay} replay @param {Iterable<number>} objects Agents to look at.
 * @param {EventKind} kind @param {number} step @param {1 | -1} way @returns {number} -1 for none among the loaded steps.
 */
export function findEvent(replay, objects, kind, step, way) {
  const list = [...objects];
  for (let low = way > 0 ? step + 1 : step; way > 0 ? low < replay.steps : low > 0; low += way * SPAN) {
    const [from, to] = way > 0 ? [low, min(replay.steps, low + SPAN)] : [max(0, low - SPAN), low];
    const found = list.map((object) => nextStep(agentEvents(replay, object, from, to)[kind], step, way)).filter((at) => at >= 0);
    if (found.length) return way > 0 ? min(...found) : max(...found);
  }
  return -1;
}

/** @param {Replay} replay @param {number} object @param {number} bins @returns {Float64Array} An agent's reward by the bins of the overview. */
export function rewardBins(replay, object, bins) {
  const sums = new Float64Array(bins);
  const { steps } = replay;
  replay.field("current_reward").runs(object, 0, steps, (start, end, value) => {
    for (let at = start, until = at; value && at < end; at = until) {
      const bin = binOf(at, bins, steps);
      until = min(end, binStart(bin + 1, bins, steps));
      sums[bin] += value * (until - at);
    }
  });
  return sums;
}

/** @param {number} bin @param {number} bins @param {number} steps @returns {number} The first step of a bin. */
export function binStart(bin, bins, steps) {
  return floor((bin * steps) / bins);
}

/** @param {number} step @param {number} bins @param {number} steps @returns {number} */
export function binOf(step, bins, steps) {
  let bin = min(bins - 1, max(0, floor((step * bins) / steps)));
  while (bin + 1 < bins && binStart(bin + 1, bins, steps) <= step) bin++;
  return bin;
}
