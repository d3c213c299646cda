/**
 * How many agent-steps each cell has seen up to a step, counted in slices so that the page never waits.
 *
 * @import { Replay } from "./replay.js"
 */
import { max, min } from "../../page/js/maths.js";

const MAX_CELLS = 4e6;
const SLICE = 128;

export class Presence {
  /** @param {Replay} replay */
  constructor(replay) {
    this.replay = replay;
    const cells = replay.map.width * replay.map.height;
    this.tooLarge = cells > MAX_CELLS;
    this.counts = new Float64Array(this.tooLarge ? 0 : cells);
    /** Steps 0 to `until` (exclusive) are counted. */
    this.until = this.peak = 0;
  }

  /**
   * Count on towards a step for about `budget` milliseconds.
   * @param {number} step @param {number} budget
   * @returns {boolean} Whether the counts now tell of steps 0 to `step`, as far as those are loaded.
   */
  advance(step, budget) {
    const end = performance.now() + budget;
    if (step + 1 < this.until) {
      this.counts.fill(0);
      this.until = this.peak = 0;
    }
    while (this.until <= step && !this.tooLarge && performance.now() < end) {
      const goal = min(step + 1, this.until + SLICE);
      for (const object of this.replay.agents) this.#count(object, this.until, goal);
      this.until = goal;
    }
    return this.until > step || this.tooLarge;
  }

  /** @param {number} object @param {number} from @param {number} to */
  #count(object, from, to) {
    this.replay.location.runs(object, from, to, (start, end) => {
      const { x, y } = this.replay.locate(object, start);
      const cell = y * this.replay.map.width + x;
      this.counts[cell] += end - start;
      this.peak = max(this.peak, this.counts[cell] || 0);
    });
  }
}
