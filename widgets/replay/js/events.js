/**
 * What happened to an agent, and when. Pure over a `Replay`; steps that are not loaded yield nothing.
 *
 * @import { Field, Replay } from "./replay.js"
 * @typedef {"reward" | "penalty" | "gain" | "freeze" | "death" | "talk" | "failure"} EventKind
 * @typedef {Record<EventKind, number[]>} AgentEvents Steps, ascending.
 */
import { ceil, floor, min } from "./maths.js";

/** Each kind's words, and the overview column that counts it over all agents. @type {Record<EventKind, [string, string]>} */
export const KINDS = {
  reward: ["reward", "reward"], penalty: ["negative reward", "reward"], gain: ["item gain", "gains"], freeze: ["freeze", "freezes"],
  death: ["death", "deaths"], talk: ["talk", "talk"], failure: ["failed action", "failures"],
};

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
  return ceil(((step + 1) * bins) / steps) - 1;
}
