/** Symbols drawn once per size, and real images where the replay's author has them. */
import { series } from "./palette.js";
import { drawAgent, drawThing } from "./sprites.js";
import { parseJson } from "./wire.js";

/**
 * @import { Palette } from "./palette.js"
 * @import { Sprite } from "./sprites.js"
 */

const LIMIT = 4000;
const PNG = [0x89, 0x50, 0x4e, 0x47];

export class SpriteCache {
  constructor() {
    /** @type {Map<string, HTMLCanvasElement>} */
    this.drawn = new Map();
    /** @type {Map<string, ImageBitmap>} */
    this.images = new Map();
  }

  clear() {
    this.drawn.clear();
  }

  /** @param {string} name @returns {ImageBitmap | null} */
  image(name) {
    return this.images.get(name) ?? null;
  }

  /** @param {Sprite} sprite @param {Palette} palette @returns {string} */
  colour(sprite, palette) {
    return sprite.kind === "wall" ? palette.wall : series(palette, sprite.hue);
  }

  /** @param {Sprite} sprite @param {Palette} palette @param {number} size Device pixels. */
  thing(sprite, palette, size) {
    return this.#make(`${sprite.name}|${size}`, size, (context) => {
      if (sprite.kind === "wall") {
        context.fillStyle = palette.wall;
        context.fillRect(0, 0, size, size);
      } else {
        drawThing(context, sprite, palette, 0, 0, size);
      }
    });
  }

  /** @param {string} colour @param {Palette} palette @param {string} label @param {number} size @param {number} facing */
  agent(colour, palette, label, size, facing) {
    const pad = agentPad(size);
    return this.#make(`${colour}|${label}|${facing}|${size}`, size + 2 * pad, (context) => {
      drawAgent(context, colour, palette, label, pad, pad, size, facing);
    });
  }

  /** @param {string} key @param {number} side @param {(context: CanvasRenderingContext2D) => void} draw */
  #make(key, side, draw) {
    const ready = this.drawn.get(key);
    if (ready) return ready;
    if (this.drawn.size > LIMIT) this.drawn.clear();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    draw(/** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")));
    this.drawn.set(key, canvas);
    return canvas;
  }

  /**
   * Take real sprites: a length, a JSON index and PNG files; what is unreadable is left out.
   * @param {Uint8Array} bytes
   */
  async readImages(bytes) {
    if (bytes.length < 8) return;
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    if (4 + size > bytes.length) return;
    const index = parseJson(bytes.subarray(4, 4 + size), "the sprite index");
    for (const [name, place] of Object.entries(index ?? {})) {
      const [offset, length] = Array.isArray(place) ? place : [];
      const file = bytes.subarray(4 + size + offset, 4 + size + offset + length);
      if (!PNG.every((byte, i) => file[i] === byte)) continue;
      const blob = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (file)], { type: "image/png" });
      const image = await createImageBitmap(blob).catch(() => null);
      if (image) this.images.set(name, image);
    }
  }
}

/** @param {number} size @returns {number} Room around an agent's cell for the notch that shows where it faces. */
export function agentPad(size) {
  return Math.ceil(size * 0.08);
}
