/** Rewards as people read them: what is not finite, or not recorded, is never a number. Pure. */
import { MISSING, number, signed } from "../../page/js/format.js";

/** @import { Replay } from "./replay.js" */

/** @param {number} value @returns {boolean} Whether it is a number that cannot be added up. */
export function odd(value) {
  return !Number.isFinite(value);
}

/** @param {number} value Of a step. @returns {string} */
export function rewardText(value) {
  if (!odd(value)) return signed(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "\u221e" : "\u2212\u221e";
}

/** @param {number} value Of several steps. @returns {string} */
export function totalText(value) {
  return odd(value) ? "unknown" : number(value);
}

/** @param {Replay} replay @returns {boolean} Whether it records what was earned. */
export function hasRewards(replay) {
  return replay.field("total_reward").present;
}

/** @param {Replay} replay @param {number} object @param {number} step Loaded. @returns {string} What was earned at a step. */
export function rewardAt(replay, object, step) {
  const rewards = replay.field("current_reward");
  return rewards.present ? rewardText(rewards.at(object, step)) : MISSING;
}
