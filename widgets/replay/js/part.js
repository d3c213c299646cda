/** What parts of the viewer share. A part is a function of the viewer that returns its node, and how to draw it. */
import { newCanvas, prepare } from "./pen.js";

/** @import { Pen } from "./pen.js" */

/** @returns {(...now: unknown[]) => boolean} Whether what something is drawn of has changed since it was last asked. */
export function changes() {
  /** @type {unknown[]} */
  let before = [];
  return (...now) => {
    const changed = now.some((each, i) => each !== before[i]);
    before = now;
    return changed;
  };
}

/**
 * A canvas as wide as the map; most of its picture is kept until something other than the step changes.
 * @param {HTMLCanvasElement} canvas @param {number} height @param {(pen: Pen) => void} drawBackdrop What is kept.
 */
export function strip(canvas, height, drawBackdrop) {
  /** @type {HTMLCanvasElement | null} */
  let backdrop = null;
  return {
    width: 0,
    /** @param {number} width */
    resize(width) {
      this.width = width;
      backdrop = null;
    },
    /** Draw what is kept anew. */
    forget() {
      backdrop = null;
    },
    /** @returns {Pen} Over what is kept. */
    start() {
      const pen = prepare(canvas, this.width, height);
      if (!backdrop) {
        backdrop = newCanvas(1);
        drawBackdrop(prepare(backdrop, this.width, height));
      }
      pen.drawImage(backdrop, 0, 0, this.width, height);
      return pen;
    },
  };
}
