/**
 * What happened to an agent, and when. Pure over a `Replay`; steps that are not loaded yield nothing.
 *
 * @import { Field, Replay } from "./replay.js"
 * @import { Numbers } from "./wire.js"
 * @typedef {"reward" | "penalty" | "odd" | "gain" | "freeze" | "death" | "talk" | "failure"} EventKind
 * @typedef {Record<EventKind, number[]>} AgentEvents Steps, ascending.
 */
import { ceil, floor, min } from "../../page/js/maths.js";
import { odd } from "./rewards.js";

/** @param {Replay} replay @param {number} object @returns {AgentEvents} */
export function agentEvents(replay, object) {
  const changes = /** @param {string} name @param {number} entry @param {(now: number) => boolean} wanted */ (name, entry, wanted) =>
    changesOf(replay.field(name), object, 0, replay.steps, entry).filter(({ now }) => wanted(now)).map(({ step }) => step);
  return {
    reward: changes("current_reward", 0, (now) => now > 0),
    penalty: changes("current_reward", 0, (now) => now < 0),
    odd: changes("current_reward", 0, odd),
    gain: gains(replay, object, 0, replay.steps),
    freeze: changes("is_frozen", 0, (now) => now === 1),
    death: changes("alive", 1, (now) => now === 0),
    failure: changes("action_success", 1, (now) => now === 0),
    talk: [],
  };
}

/**
 * @param {Field} field @param {number} at @param {number} from @param {number} to @param {number} entry The value before step 0.
 * @returns {{step: number, now: number, before: number}[]} Changes in [from, to).
 */
export function changesOf(field, at, from, to, entry) {
  /** @type {{step: number, now: number, before: number}[]} */
  const found = [];
  let before = from > 0 ? field.at(at, from - 1) : entry;
  field.runs(at, from, to, (step, _, now) => {
    if (!Object.is(now, before)) found.push({ step, now, before });
    before = now;
  });
  return found;
}

/** @param {Replay} replay @param {number} object @param {number} from @param {number} to @returns {number[]} Steps in [from, to) at which it gains of an item, ascending. */
export function gains(replay, object, from, to) {
  const found = replay.pairsOf(object).flatMap((pair) => changesOf(replay.inventory, pair, from, to, NaN)).filter(({ now, before }) => now > before);
  return [...new Set(found.map(({ step }) => step))].sort((a, b) => a - b);
}

/** @param {Replay} replay @param {EventKind | "sum"} kind @returns {Numbers} How often it happens to anyone, by bin; or the sum of rewards, NaN where one is not finite. */
export const overview = (replay, kind) => replay.base.numbers(`overview.${kind}`);

/** @param {number[]} sorted @param {number} step @param {1 | -1} way @returns {number} The nearest later or earlier entry, -1 for none. */
export const nextStep = (sorted, step, way) => (way > 0 ? sorted.find((value) => value > step) : sorted.findLast((value) => value < step)) ?? -1;

/** @param {Replay} replay @param {number} object @param {number} bins @returns {Float64Array} An agent's reward by the bins of the overview, NaN where one is not finite. */
export function rewardBins(replay, object, bins) {
  const sums = new Float64Array(bins);
  const { steps } = replay;
  replay.field("current_reward").runs(object, 0, steps, (start, end, value) => {
    for (let at = start, until = at; value !== 0 && at < end; at = until) {
      const bin = binOf(at, bins, steps);
      until = min(end, binStart(bin + 1, bins, steps));
      sums[bin] += odd(value) ? NaN : value * (until - at);
    }
  });
  return sums;
}

/** @param {number} bin @param {number} bins @param {number} steps @returns {number} The first step of a bin. */
export const binStart = (bin, bins, steps) => floor((bin * steps) / bins);

/** @param {number} step @param {number} bins @param {number} steps @returns {number} */
export const binOf = (step, bins, steps) => ceil(((step + 1) * bins) / steps) - 1;
