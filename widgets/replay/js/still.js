/**
 * What does not move: baked once, so that drawing a step costs only what moves. Seen from afar a cell is one colour and
 * the picture has one pixel a cell; from near, the symbols in view are baked for as long as the camera rests.
 *
 * @import { Pen } from "./pen.js"
 * @import { Point } from "./replay.js"
 * @typedef {{perCell: number, left: number, top: number, width: number, height: number}} Frame
 *   Device pixels a cell, where cell (0, 0) is, and the size of the canvas.
 */
import { ceil, floor, max, min, round } from "../../page/js/maths.js";
import { Part } from "./part.js";
import { newCanvas, penOf, rect, sized } from "./pen.js";
import { colourOf } from "./sprites.js";

/** Below this many device pixels a cell, symbols are plain squares. */
export const PLAIN_BELOW = 9;
const GRID_FROM = 14;

/** @param {Frame} frame @param {Point} place @returns {[number, number]} The middle of a cell, in device pixels. */
export function centre({ left, top, perCell }, { x, y }) {
  return [left + (x + 0.5) * perCell, top + (y + 0.5) * perCell];
}

export class Still extends Part {
  /** One pixel a cell. @type {HTMLCanvasElement | null} */
  far = null;
  near = newCanvas(1);
  nearKey = "";

  /** Forget what was drawn in other colours or with other symbols. */
  refresh() {
    this.far = null;
    this.nearKey = "";
  }

  /** @returns {HTMLCanvasElement} The whole map, one pixel a cell. */
  get picture() {
    const { width, height } = this.replay.map;
    if (!this.far) {
      this.far = newCanvas(width, height);
      const pen = penOf(this.far);
      const { facts, palette } = this;
      rect(pen, palette.floor, 0, 0, width, height);
      const colours = facts.symbols.map((sprite) => colourOf(sprite, palette));
      facts.each(0, 0, width, height, (object, x, y) => rect(pen, colours[this.replay.types[object]] ?? palette.muted, x, y, 1, 1));
    }
    return this.far;
  }

  /** @param {Pen} pen In device pixels. @param {Frame} frame */
  draw(pen, frame) {
    const { perCell, left, top, width, height } = frame;
    const key = [perCell, left, top, width, height, this.state.layers.grid].join();
    pen.imageSmoothingEnabled = perCell < 1;
    if (perCell < PLAIN_BELOW) return pen.drawImage(this.picture, left, top, round(this.replay.map.width * perCell), round(this.replay.map.height * perCell));
    if (key !== this.nearKey) this.#bake(frame);
    this.nearKey = key;
    pen.drawImage(this.near, 0, 0);
  }

  /** @param {Frame} frame */
  #bake({ perCell, left, top, width, height }) {
    const { palette, sprites, facts } = this;
    const { map } = this.replay;
    const pen = penOf(sized(this.near, width, height));
    pen.clearRect(0, 0, width, height);
    const [x0, y0] = [max(0, floor(-left / perCell)), max(0, floor(-top / perCell))];
    const [x1, y1] = [min(map.width, ceil((width - left) / perCell)), min(map.height, ceil((height - top) / perCell))];
    const px = /** @param {number} x */ (x) => left + round(x * perCell);
    const py = /** @param {number} y */ (y) => top + round(y * perCell);
    if (perCell >= GRID_FROM && this.state.layers.grid) {
      for (let x = x0; x < x1; x++) rect(pen, palette.grid, px(x), py(y0), 1, py(y1) - py(y0));
      for (let y = y0; y < y1; y++) rect(pen, palette.grid, px(x0), py(y), px(x1) - px(x0), 1);
    }
    facts.each(x0, y0, x1, y1, (object, x, y) => pen.drawImage(sprites.thing(facts.sprite(object), palette, round(perCell)), px(x), py(y), px(x + 1) - px(x), py(y + 1) - py(y)));
  }
}
