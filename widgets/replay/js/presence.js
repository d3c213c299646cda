/**
 * How many agent-steps each cell has seen up to a step, counted in slices so that the page never waits.
 *
 * @import { Replay } from "./replay.js"
 */

const MAX_CELLS = 4_000_000;

export class Presence {
  /** @param {Replay} replay */
  constructor(replay) {
    this.replay = replay;
    const cells = replay.map.width * replay.map.height;
    this.counts = new Float64Array(cells <= MAX_CELLS ? cells : 0);
    /** Steps 0 to `until` (exclusive) are counted. */
    this.until = 0;
    this.peak = 0;
    this.agent = 0;
    this.goal = 0;
  }

  get tooLarge() {
    return this.counts.length === 0;
  }

  /**
   * Count on towards a step for at most `budget` milliseconds.
   * @param {number} step @param {number} budget
   * @returns {boolean} Whether the counts now tell of steps 0 to `step`, as far as those are loaded.
   */
  advance(step, budget) {
    if (this.tooLarge) return true;
    if (step + 1 < this.until) this.#restart();
    const start = performance.now();
    while (this.until <= step) {
      if (this.agent === 0) this.goal = Math.min(step + 1, this.until + 512);
      while (this.agent < this.replay.agents.length) {
        this.#countAgent(this.replay.agents[this.agent++], this.until, this.goal);
        if (performance.now() - start > budget) return false;
      }
      this.agent = 0;
      this.until = this.goal;
    }
    return true;
  }

  #restart() {
    this.counts.fill(0);
    this.until = 0;
    this.peak = 0;
    this.agent = 0;
  }

  /** @param {number} object @param {number} from @param {number} to */
  #countAgent(object, from, to) {
    const { width } = this.replay.map;
    const place = { x: 0, y: 0 };
    this.replay.location.runs(object, from, to, (start, end) => {
      this.replay.locate(object, start, place);
      const cell = place.y * width + place.x;
      if (cell >= 0 && cell < this.counts.length) {
        this.counts[cell] += end - start;
        if (this.counts[cell] > this.peak) this.peak = this.counts[cell];
      }
    });
  }
}
