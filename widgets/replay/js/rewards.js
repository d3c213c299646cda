/** Rewards as people read them: what is not finite, or not recorded, is never a number. Pure. */
import { MISSING, number, signed } from "../../page/js/format.js";

/** @import { Replay } from "./replay.js" */

/** @param {number} value @returns {boolean} Whether it is a number that cannot be added up. */
export const odd = (value) => !Number.isFinite(value);

/** @param {number} value Of a step. @returns {string} */
export function rewardText(value) {
  if (!odd(value)) return signed(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "\u221e" : "\u2212\u221e";
}

/** @param {number} value Of several steps. @returns {string} */
export const totalText = (value) => odd(value) ? "unknown" : number(value);

/** @param {Replay} replay @returns {boolean} Whether it records what was earned. */
export const hasRewards = (replay) => replay.field("total_reward").present;

/** @param {Replay} replay @param {number} object @param {number} step Loaded. @returns {string} What was earned at a step. */
export function rewardAt(replay, object, step) {
  const rewards = replay.field("current_reward");
  return rewards.present ? rewardText(rewards.at(object, step)) : MISSING;
}

/**
 * Sort a list; what is no finite number stands last.
 * @template T @param {T[]} list @param {(each: T) => number} value @param {(each: T) => number} tie Decides between equals. @returns {T[]}
 */
export function ranked(list, value, tie) {
  const ranks = new Map(list.map((each) => [each, value(each)]));
  const rank = /** @param {T} each */ (each) => {
    const found = /** @type {number} */ (ranks.get(each));
    return odd(found) ? Infinity : found;
  };
  return list.sort((a, b) => (rank(a) === rank(b) ? tie(a) - tie(b) : rank(a) - rank(b)));
}
