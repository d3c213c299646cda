/**
 * The unmoving part of the map, baked once per scale into tiles: drawing a step costs only what moves.
 *
 * @import { Facts } from "./facts.js"
 * @import { Palette } from "./palette.js"
 * @import { SpriteCache } from "./sprite-cache.js"
 * @typedef {{perCell: number, originX: number, originY: number, width: number, height: number}} Frame
 *   Device pixels a cell, where cell (0, 0) is, and the size of the canvas.
 */

const SIDE = 512;
const KEEP = 80;
/** Below this many device pixels a cell, symbols are plain squares. */
export const PLAIN_BELOW = 9;
const GRID_FROM = 14;

export class StaticLayer {
  /** @param {Facts} facts @param {SpriteCache} sprites */
  constructor(facts, sprites) {
    this.facts = facts;
    this.sprites = sprites;
    this.perCell = 0;
    this.grid = true;
    /** @type {Map<string, HTMLCanvasElement>} */
    this.tiles = new Map();
  }

  clear() {
    this.tiles.clear();
  }

  /**
   * Draw what is in view. While the scale is changing, old tiles are stretched instead of baked anew.
   * @param {CanvasRenderingContext2D} context In device pixels.
   * @param {Frame} frame @param {Palette} palette @param {{settled: boolean, grid: boolean}} options
   */
  draw(context, frame, palette, { settled, grid }) {
    if (grid !== this.grid) this.clear();
    this.grid = grid;
    if (frame.perCell !== this.perCell) {
      if (!settled && this.tiles.size > 0) {
        this.#blit(context, frame, palette, frame.perCell / this.perCell, false);
        return;
      }
      this.clear();
      this.perCell = frame.perCell;
    }
    this.#blit(context, frame, palette, 1, true);
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Palette} palette @param {number} stretch @param {boolean} bake */
  #blit(context, frame, palette, stretch, bake) {
    const side = SIDE * stretch;
    const { width, height } = this.facts.replay.map;
    const lastX = Math.ceil((width * this.perCell) / SIDE);
    const lastY = Math.ceil((height * this.perCell) / SIDE);
    for (let ty = Math.max(0, Math.floor(-frame.originY / side)); ty < lastY && frame.originY + ty * side < frame.height; ty++) {
      for (let tx = Math.max(0, Math.floor(-frame.originX / side)); tx < lastX && frame.originX + tx * side < frame.width; tx++) {
        const tile = this.#tile(tx, ty, palette, bake);
        if (tile) context.drawImage(tile, frame.originX + tx * side, frame.originY + ty * side, side, side);
      }
    }
  }

  /** @param {number} tx @param {number} ty @param {Palette} palette @param {boolean} bake */
  #tile(tx, ty, palette, bake) {
    const key = `${tx},${ty}`;
    const ready = this.tiles.get(key);
    if (ready || !bake) return ready ?? null;
    if (this.tiles.size >= KEEP) this.tiles.delete(/** @type {string} */ (this.tiles.keys().next().value));
    const tile = document.createElement("canvas");
    tile.width = tile.height = SIDE;
    this.#bake(/** @type {CanvasRenderingContext2D} */ (tile.getContext("2d")), tx * SIDE, ty * SIDE, palette);
    this.tiles.set(key, tile);
    return tile;
  }

  /** @param {CanvasRenderingContext2D} context @param {number} left @param {number} top @param {Palette} palette */
  #bake(context, left, top, palette) {
    const scale = this.perCell;
    const [x0, y0, x1, y1] = [left / scale, top / scale, (left + SIDE) / scale, (top + SIDE) / scale];
    if (this.grid && scale >= GRID_FROM) this.#bakeGrid(context, left, top, palette);
    const plain = scale < PLAIN_BELOW;
    this.facts.blocks.each(x0 - 1, y0 - 1, x1 + 1, y1 + 1, (object, x, y) => {
      const px = Math.round(x * scale) - left;
      const py = Math.round(y * scale) - top;
      const size = Math.round((x + 1) * scale) - left - px;
      const sprite = this.facts.sprite(object);
      const image = this.sprites.image(sprite.name);
      if (sprite.kind === "wall" && !image) {
        context.fillStyle = palette.wall;
        context.fillRect(px, py, size, Math.round((y + 1) * scale) - top - py);
      } else if (plain) {
        context.fillStyle = this.sprites.colour(sprite, palette);
        context.fillRect(px, py, Math.max(2, size), Math.max(2, size));
      } else {
        context.drawImage(image ?? this.sprites.thing(sprite, palette, size), px, py, size, size);
      }
    });
  }

  /** @param {CanvasRenderingContext2D} context @param {number} left @param {number} top @param {Palette} palette */
  #bakeGrid(context, left, top, palette) {
    const scale = this.perCell;
    const { width, height } = this.facts.replay.map;
    const right = Math.min(SIDE, Math.round(width * scale) - left);
    const bottom = Math.min(SIDE, Math.round(height * scale) - top);
    context.fillStyle = palette.grid;
    for (let x = Math.ceil(left / scale); Math.round(x * scale) - left < right; x++) context.fillRect(Math.round(x * scale) - left, 0, 1, bottom);
    for (let y = Math.ceil(top / scale); Math.round(y * scale) - top < bottom; y++) context.fillRect(0, Math.round(y * scale) - top, right, 1);
  }
}
