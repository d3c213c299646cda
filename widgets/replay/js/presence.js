/**
 * How many agent-steps each cell has seen up to a step, counted in slices so that the page never waits.
 *
 * @import { Replay } from "./replay.js"
 */
import { max, min } from "../../page/js/maths.js";

const SLICE = 128;

/** @param {Replay} replay */
export function presenceOf(replay) {
  const { width, height } = replay.map;
  const presence = { counts: new Float64Array(width * height), peak: 0, advance };
  /** Steps 0 to `until` (exclusive) are counted. */
  let until = 0;

  /**
   * Count on towards a step for about `budget` milliseconds.
   * @param {number} step @param {number} budget
   * @returns {boolean} Whether the counts now tell of steps 0 to `step`, as far as those are loaded.
   */
  function advance(step, budget) {
    const end = performance.now() + budget;
    if (step + 1 < until) {
      presence.counts.fill(0);
      until = presence.peak = 0;
    }
    while (until <= step && performance.now() < end) {
      const goal = min(step + 1, until + SLICE);
      for (const object of replay.agents) count(object, until, goal);
      until = goal;
    }
    return until > step;
  }

  /** @param {number} object @param {number} from @param {number} to */
  function count(object, from, to) {
    replay.location.runs(object, from, to, (start, end) => {
      const { x, y } = replay.locate(object, start);
      presence.peak = max(presence.peak, (presence.counts[y * width + x] += end - start));
    });
  }

  return presence;
}
