/** The clock of playback: turns time into steps and waits for steps that are still loading. Pure but for the time it is told. */
import { floor, max, min, within } from "../../page/js/maths.js";

/** @typedef {{steps: number, ready: (step: number) => boolean, load: (step: number) => unknown}} Reel */

export const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
/** Above this many steps a second, positions between two steps cannot be seen. */
const SMOOTH_UP_TO = 45;
const LONGEST_PAUSE_MS = 250;

export class Player {
  /** @param {Reel[]} reels Those that play together. */
  constructor(reels) {
    this.reels = reels;
    this.steps = max(...reels.map(({ steps }) => steps));
    this.position = 0;
    this.last = -1;
  }

  /** @param {number} step */
  seek(step) {
    this.position = step;
    this.last = -1;
  }

  /**
   * Move on to a time.
   * @param {number} now Milliseconds. @param {number} speed Steps a second.
   * @returns {{step: number, fraction: number, ended: boolean}} Fraction of the way to the next step, where it can be seen.
   */
  tick(now, speed) {
    const { reels, steps } = this;
    const ready = /** @param {number} step */ (step) => reels.every((reel) => reel.ready(step));
    const passed = this.last < 0 ? 0 : within(now - this.last, 0, LONGEST_PAUSE_MS);
    this.last = now;
    const wanted = min(steps - 1, this.position + (passed / 1000) * speed);
    if (ready(floor(wanted))) this.position = wanted;
    const ahead = min(steps - 1, floor(wanted + max(64, speed * 2)));
    for (const step of [floor(wanted), ahead]) if (!ready(step)) reels.forEach((reel) => reel.load(step));
    const step = floor(this.position);
    return { step, fraction: speed > SMOOTH_UP_TO || step >= steps - 1 ? 0 : this.position - step, ended: step >= steps - 1 };
  }
}

/** @param {number} speed @returns {number} A speed that can be played. */
export const clampSpeed = (speed) => Number.isFinite(speed) ? within(speed, 0.1, 1000) : 10;
