/**
 * Map symbols: the game's own pictures, or drawn in the shape, colour and letters that the codec's looks.py gives each type.
 *
 * @typedef {"wall" | "agent" | "thing"} SpriteKind
 * @typedef {{kind: SpriteKind, shape: string, middle: number, tall: number, hue: number, letters: string, name: string}} Sprite
 * @import { Palette } from "./palette.js"
 * @import { Pen } from "./pen.js"
 */
import { ceil } from "../../page/js/maths.js";
import { series } from "./palette.js";
import { TAU, disc, ink, newCanvas, penOf, rect, write } from "./pen.js";
import { parseJson, viewOf } from "./wire.js";

/** Where an agent faces that looks right. */
const NOTCH = "M1.06.5.78.73V.27Z";

/** Pixels of a side of each picture in the atlas, as pictures.py cuts them. */
const PICTURE = 64;
/** Device pixels below which an agent is too small for its number. */
const RING_BELOW = 13;
/** Device pixels from which on an agent's picture, and its number on it, can be told from a dot. */
const [FACE_FROM, LABEL_FROM] = [18, 30];

/** Fill a path of a cell that is 1 wide. @param {Pen} pen @param {string} path @param {string} colour @param {number} size @param {number} [turn] Around its middle. */
function fillPath(pen, path, colour, size, turn = 0) {
  pen.save();
  pen.scale(size, size);
  pen.translate(0.5, 0.5);
  pen.rotate(turn);
  pen.translate(-0.5, -0.5);
  pen.fillStyle = colour;
  pen.fill(new Path2D(path));
  pen.restore();
}

/** @param {Pen} pen @param {Sprite} sprite @param {Palette} inks @param {number} size Of the square cell at (0, 0). */
function drawThing(pen, sprite, inks, size) {
  const { shape, middle, tall, letters } = sprite;
  fillPath(pen, shape, colourOf(sprite, inks), size);
  if (size >= 15) write(pen, letters, size / 2, size * middle, inks.onMark, "center", `600 ${size * tall}`);
}

/**
 * Draw an agent: a disc in its team's colour, its number, and a notch where it faces.
 * @param {Pen} pen At the cell's corner. @param {string} colour @param {Palette} inks @param {string} label
 * @param {number} size @param {number} facing 0 up, 1 down, 2 left, 3 right, -1 unknown.
 */
function drawAgent(pen, colour, inks, label, size, facing) {
  const middle = size / 2;
  // A small dot is told from the things around it by its ring.
  disc(pen, size < RING_BELOW ? inks.text : inks.page, middle, middle, size * 0.5);
  if (facing >= 0 && size >= 8) fillPath(pen, NOTCH, colour, size, [-TAU / 4, TAU / 4, TAU / 2, 0][facing & 3]);
  disc(pen, colour, middle, middle, size * 0.41);
  write(pen, label, middle, middle + size * 0.03, inks.onMark, "center", `600 ${size * (label.length > 2 ? 0.34 : 0.44)}`);
}

/** @param {Sprite} sprite @param {Palette} inks @returns {string} */
export const colourOf = (sprite, inks) => sprite.kind === "wall" ? inks.wall : series(inks, sprite.hue);

/** Symbols drawn once per size, and the game's own pictures where it has them. */
export class SpriteCache {
  /** @type {Map<string, HTMLCanvasElement>} */
  drawn = new Map();
  /** Where each picture is in the atlas. @type {Record<string, [number, number]>} */
  places = {};
  /** @type {ImageBitmap | null} */
  atlas = null;
  /** For elements of the page. */
  url = "";
  /** Whether symbols are wanted instead. */
  plain = false;

  /** @param {Sprite} sprite @param {Palette} inks @param {number} size Device pixels. @returns {CanvasImageSource} */
  thing(sprite, inks, size) {
    return this.picture(`type:${sprite.name}`, size) ?? this.#make(`${sprite.name}|${size}`, size, (pen) => drawThing(pen, sprite, inks, size));
  }

  /** @param {string} colour @param {Palette} inks @param {string} label @param {number} size @param {number} facing */
  agent(colour, inks, label, size, facing) {
    const pad = agentPad(size);
    const body = size >= FACE_FROM && this.picture(`agent.${"nswe"[facing] ?? "s"}`, size, colour);
    return this.#make(`${colour}|${label}|${facing}|${size}|${Boolean(body)}`, size + 2 * pad, (pen) => {
      pen.translate(pad, pad);
      if (!body) return drawAgent(pen, colour, inks, label, size, facing);
      pen.drawImage(body, 0, 0);
      if (size < LABEL_FROM) return;
      // Over the outlines of the picture, digits are read by what is around them.
      ink(pen, colour, size * 0.1);
      write(pen, label, size / 2, size * 0.66, inks.onMark, "center", `600 ${size * 0.26}`, true);
    });
  }

  /** @param {string} key Where there is such a picture, and pictures are wanted. */
  #place(key) {
    const [x, y] = this.places[key] ?? [];
    return this.atlas && !this.plain && x !== undefined ? { atlas: this.atlas, x, y } : null;
  }

  /** @param {string} key @param {number} size @param {string} [tint] A colour that white takes. @returns {HTMLCanvasElement | null} */
  picture(key, size, tint = "") {
    const place = this.#place(key);
    if (!place) return null;
    const { atlas, x, y } = place;
    return this.#make(`${key}|${tint}|${size}|picture`, size, (pen) => {
      const draw = () => pen.drawImage(atlas, x, y, PICTURE, PICTURE, 0, 0, size, size);
      pen.imageSmoothingQuality = "high";
      draw();
      if (!tint) return;
      pen.globalCompositeOperation = "multiply";
      rect(pen, tint, 0, 0, size, size);
      pen.globalCompositeOperation = "destination-in";
      draw();
    });
  }

  /** @param {string} key @param {number} side @param {(pen: Pen) => void} draw */
  #make(key, side, draw) {
    let canvas = this.drawn.get(key);
    if (!canvas) {
      if (this.drawn.size > 4000) this.drawn.clear();
      canvas = newCanvas(side);
      draw(penOf(canvas));
      this.drawn.set(key, canvas);
    }
    return canvas;
  }

  /** Take the game's pictures: a length, a JSON index and an image; one that cannot be read leaves the symbols. @param {Uint8Array} bytes */
  async read(bytes) {
    const start = 4 + viewOf(bytes).getUint32(0, true);
    const index = parseJson(bytes.subarray(4, start));
    const file = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes.subarray(start))]);
    this.atlas = await createImageBitmap(file);
    this.places = index;
    this.url = URL.createObjectURL(file);
  }

  /** @param {string} key @param {number} size CSS pixels. @returns {string | null} A style that shows a picture. */
  style(key, size) {
    const place = this.#place(key);
    const scale = size / PICTURE;
    return place && `width:${size}px;height:${size}px;background:url(${this.url}) ${-place.x * scale}px ${-place.y * scale}px / ${place.atlas.width * scale}px`;
  }

  stop() {
    URL.revokeObjectURL(this.url);
  }
}

/** @param {number} size @returns {number} Room around an agent's cell for the notch that shows where it faces. */
export const agentPad = (size) => ceil(size * 0.08);
