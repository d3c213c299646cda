/** The whole map small: in the corner while one is zoomed in, and as the timeline's preview. */
import { series } from "./palette.js";

/**
 * @import { Context } from "./viewer.js"
 * @import { Size } from "./camera.js"
 */

const MOST = 640;

export class SmallMap {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    /** @type {HTMLCanvasElement | null} */
    this.picture = null;
  }

  restyle() {
    this.picture = null;
  }

  /** @param {number} limit CSS pixels. @returns {Size} The size at which the map's longer side is `limit`. */
  sizeWithin(limit) {
    const { width, height } = this.context.replay.map;
    const scale = limit / Math.max(width, height);
    return { width: Math.max(8, Math.round(width * scale)), height: Math.max(8, Math.round(height * scale)) };
  }

  #baked() {
    if (this.picture) return this.picture;
    const { replay, facts, sprites } = this.context;
    const palette = this.context.palette();
    const scale = Math.min(3, MOST / Math.max(replay.map.width, replay.map.height));
    const picture = document.createElement("canvas");
    picture.width = Math.max(1, Math.round(replay.map.width * scale));
    picture.height = Math.max(1, Math.round(replay.map.height * scale));
    const pen = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"));
    pen.fillStyle = palette.floor;
    pen.fillRect(0, 0, picture.width, picture.height);
    const side = Math.max(1, scale);
    facts.blocks.each(0, 0, replay.map.width, replay.map.height, (object, x, y) => {
      pen.fillStyle = sprites.colour(facts.sprite(object), palette);
      pen.fillRect(Math.floor(x * scale), Math.floor(y * scale), Math.ceil(side), Math.ceil(side));
    });
    this.picture = picture;
    return picture;
  }

  /**
   * Draw the map at a step.
   * @param {CanvasRenderingContext2D} pen One unit a CSS pixel. @param {Size} size @param {number} step
   */
  draw(pen, size, step) {
    const { replay, facts, store } = this.context;
    const palette = this.context.palette();
    const scale = size.width / replay.map.width;
    pen.drawImage(this.#baked(), 0, 0, size.width, size.height);
    const place = { x: 0, y: 0 };
    const { selected } = store.state;
    const dot = Math.max(2, scale);
    for (const object of replay.agents) {
      if (replay.alive.at(object, step) === 0) continue;
      replay.locate(object, step, place);
      const large = object === selected ? dot + 2 : dot;
      pen.fillStyle = object === selected ? palette.text : series(palette, facts.teams.hue(facts.teams.of(object, step)));
      pen.fillRect((place.x + 0.5) * scale - large / 2, (place.y + 0.5) * scale - large / 2, large, large);
    }
  }
}
