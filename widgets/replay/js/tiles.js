/**
 * The unmoving part of the map, baked once per scale into tiles: drawing a step costs only what moves.
 *
 * @import { Pen } from "./pen.js"
 * @typedef {{perCell: number, left: number, top: number, width: number, height: number}} Frame
 *   Device pixels a cell, where cell (0, 0) is, and the size of the canvas.
 */
import { Part } from "./part.js";
import { newCanvas, penOf, rect } from "./pen.js";

const SIDE = 512;
const KEEP = 80;
/** Below this many device pixels a cell, symbols are plain squares. */
export const PLAIN_BELOW = 9;
const GRID_FROM = 14;

export class StaticLayer extends Part {
  perCell = 0;
  grid = true;
  /** @type {Map<string, HTMLCanvasElement>} */
  tiles = new Map();

  /**
   * Draw what is in view. While the scale is changing, old tiles are stretched instead of baked anew.
   * @param {Pen} pen In device pixels. @param {Frame} frame @param {boolean} settled
   */
  draw(pen, frame, settled) {
    const { grid } = this.state.layers;
    const bake = settled || this.tiles.size === 0;
    if (grid !== this.grid || (bake && frame.perCell !== this.perCell)) this.tiles.clear();
    this.grid = grid;
    if (bake) this.perCell = frame.perCell;
    const side = (SIDE * frame.perCell) / this.perCell;
    const { width, height } = this.replay.map;
    const [columns, rows] = [Math.ceil((width * this.perCell) / SIDE), Math.ceil((height * this.perCell) / SIDE)];
    for (let ty = Math.max(0, Math.floor(-frame.top / side)); ty < rows && frame.top + ty * side < frame.height; ty++) {
      for (let tx = Math.max(0, Math.floor(-frame.left / side)); tx < columns && frame.left + tx * side < frame.width; tx++) {
        const tile = this.#tile(tx, ty, bake);
        if (tile) pen.drawImage(tile, frame.left + tx * side, frame.top + ty * side, side, side);
      }
    }
  }

  /** @param {number} tx @param {number} ty @param {boolean} bake */
  #tile(tx, ty, bake) {
    const key = `${tx},${ty}`;
    const ready = this.tiles.get(key);
    if (ready || !bake) return ready;
    if (this.tiles.size >= KEEP) this.tiles.delete(/** @type {string} */ (this.tiles.keys().next().value));
    const tile = newCanvas(SIDE);
    this.#bake(penOf(tile), tx * SIDE, ty * SIDE);
    this.tiles.set(key, tile);
    return tile;
  }

  /** @param {Pen} pen @param {number} left @param {number} top */
  #bake(pen, left, top) {
    const { palette, facts, sprites, perCell: scale } = this;
    if (this.grid && scale >= GRID_FROM) this.#bakeGrid(pen, left, top);
    facts.blocks.each(left / scale - 1, top / scale - 1, (left + SIDE) / scale + 1, (top + SIDE) / scale + 1, (object, x, y) => {
      const [px, py] = [Math.round(x * scale) - left, Math.round(y * scale) - top];
      const [w, h] = [Math.round((x + 1) * scale) - left - px, Math.round((y + 1) * scale) - top - py];
      const sprite = facts.sprite(object);
      const plain = sprite.kind === "wall" ? !sprites.images.has(sprite.name) : scale < PLAIN_BELOW;
      if (plain) rect(pen, facts.colour(object, 0, palette), px, py, w, h);
      else pen.drawImage(sprites.thing(sprite, palette, w), px, py, w, h);
    });
  }

  /** @param {Pen} pen @param {number} left @param {number} top */
  #bakeGrid(pen, left, top) {
    const { perCell: scale, palette } = this;
    const { width, height } = this.replay.map;
    const [right, bottom] = [Math.min(SIDE, width * scale - left), Math.min(SIDE, height * scale - top)];
    for (let x = Math.ceil(left / scale); x * scale - left < right; x++) rect(pen, palette.grid, Math.round(x * scale) - left, 0, 1, bottom);
    for (let y = Math.ceil(top / scale); y * scale - top < bottom; y++) rect(pen, palette.grid, 0, Math.round(y * scale) - top, right, 1);
  }
}
