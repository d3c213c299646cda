/**
 * Which replays are shown, in which order, and which are chosen. Pure.
 *
 * @typedef {{id: string, experiment: string, run: string, arm: string, seed: number | string, step: number, when: string}} Item
 * @typedef {{svg?: string, reward?: number | null, not_finite?: boolean, problem?: string}} Picture
 */
import { holds } from "../../jobs/js/rows.js";

/** @type {Record<string, (item: Item, picture: Picture) => number>} What the pictures can be sorted by, highest first. */
export const ORDERS = {
  "newest step": (item) => item.step,
  "highest reward": (_, picture) => picture.reward ?? -Infinity,
  "lowest reward": (_, picture) => -(picture.reward ?? Infinity),
};

/** @param {Item} item @param {Picture} picture @param {string} words @param {number | null} least */
export function passes(item, picture, words, least) {
  if (!holds(`${item.experiment} ${item.run} ${item.arm} s${item.seed} ${item.step}`, words)) return false;
  return least === null || (typeof picture.reward === "number" && picture.reward >= least);
}

/** @param {string[]} chosen @param {string} id @param {boolean} beside @returns {string[]} At most two. */
export function toggled(chosen, id, beside) {
  if (chosen.includes(id)) return chosen.filter((each) => each !== id);
  return beside && chosen.length ? [chosen[0], id] : [id];
}
