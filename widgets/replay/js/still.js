/**
 * What does not move: baked once, so that drawing a step costs only what moves. Seen from afar a cell is one colour and
 * the picture has one pixel a cell; from near, the symbols in view are baked for as long as the camera rests.
 *
 * @import { Pen } from "./pen.js"
 * @import { Point } from "./replay.js"
 * @import { Viewer } from "./viewer.js"
 * @typedef {{pitch: number, left: number, top: number, width: number, height: number}} Frame
 *   Device pixels a cell, where cell (0, 0) is, and the size of the canvas.
 */
import { ceil, floor, max, min, round } from "../../page/js/maths.js";
import { newCanvas, penOf, rect, sized } from "./pen.js";
import { colourOf } from "./sprites.js";

/** Below this many device pixels a cell, symbols are plain squares. */
export const PLAIN_BELOW = 7;
const GRID_FROM = 14;

/** @param {Frame} frame @param {Point} place @returns {[number, number]} The middle of a cell, in device pixels. */
export const centre = ({ left, top, pitch }, { x, y }) => [left + (x + 0.5) * pitch, top + (y + 0.5) * pitch];

/** @param {Viewer} viewer */
export function stillMap(viewer) {
  const { replay, facts, sprites, state } = viewer;
  const { map } = replay;
  /** One pixel a cell. @type {HTMLCanvasElement | null} */
  let far = null;
  const near = newCanvas(1);
  let nearKey = "";

  /** @returns {HTMLCanvasElement} The whole map, one pixel a cell. */
  function picture() {
    if (!far) {
      far = newCanvas(map.width, map.height);
      const pen = penOf(far);
      const { inks } = viewer;
      rect(pen, inks.floor, 0, 0, map.width, map.height);
      const colours = replay.header.looks.map((sprite) => colourOf(sprite, inks));
      facts.each(0, 0, map.width, map.height, (object, x, y) => rect(pen, /** @type {string} */ (colours.at(replay.types[object])), x, y, 1, 1));
    }
    return far;
  }

  /** @param {Pen} pen In device pixels. @param {Frame} frame */
  function draw(pen, frame) {
    const { pitch, left, top } = frame;
    const key = [...Object.values(frame), state.layers.grid].join();
    pen.imageSmoothingEnabled = pitch < 1;
    if (pitch < PLAIN_BELOW) return pen.drawImage(picture(), left, top, round(map.width * pitch), round(map.height * pitch));
    if (key !== nearKey) bake(frame);
    nearKey = key;
    pen.drawImage(near, 0, 0);
  }

  /** @param {Frame} frame */
  function bake({ pitch, left, top, width, height }) {
    const { inks } = viewer;
    const pen = penOf(sized(near, width, height));
    pen.reset();
    const [x0, y0] = [max(0, floor(-left / pitch)), max(0, floor(-top / pitch))];
    const [x1, y1] = [min(map.width, ceil((width - left) / pitch)), min(map.height, ceil((height - top) / pitch))];
    const px = /** @param {number} x */ (x) => left + round(x * pitch);
    const py = /** @param {number} y */ (y) => top + round(y * pitch);
    if (pitch >= GRID_FROM && state.layers.grid) {
      for (let x = x0; x < x1; x++) rect(pen, inks.grid, px(x), py(y0), 1, py(y1) - py(y0));
      for (let y = y0; y < y1; y++) rect(pen, inks.grid, px(x0), py(y), px(x1) - px(x0), 1);
    }
    const put = /** @param {CanvasImageSource} image @param {number} x @param {number} y */ (image, x, y) => pen.drawImage(image, px(x), py(y), px(x + 1) - px(x), py(y + 1) - py(y));
    const size = round(pitch);
    /** @type {[CanvasImageSource, number, number][]} */
    const gaps = [];
    const gap = sprites.picture("wall.fill", size);
    facts.each(x0, y0, x1, y1, (object, x, y, walls) => {
      const sprite = facts.sprite(object);
      const sides = [..."nwse"].filter((_, side) => (walls >> side) & 1).join("") || "0";
      const wall = sprite.kind === "wall" && sprites.picture(`wall.${sides}`, size);
      put(wall || sprites.thing(sprite, inks, size), x, y);
      // Where four walls make a square, their corners leave a gap.
      if (wall && gap && walls & 16) gaps.push([gap, x + 0.5, y + 0.5]);
    });
    for (const each of gaps) put(...each);
  }

  return {
    picture, draw,
    /** Forget what was drawn in other colours or with other symbols. */
    refresh() {
      far = null;
      nearKey = "";
    },
  };
}
