/**
 * Map symbols drawn from a type's name alone: shape, colour and letters. No image is needed.
 *
 * @typedef {"wall" | "agent" | "thing"} SpriteKind
 * @typedef {{kind: SpriteKind, shape: number, hue: number, letters: string, name: string}} Sprite
 * @import { Palette } from "./palette.js"
 * @import { Pen } from "./pen.js"
 */
import { ceil, cos, floor, sin } from "../../page/js/maths.js";
import { series } from "./palette.js";
import { TAU, disc, newCanvas, penOf, rect, write } from "./pen.js";
import { parseJson } from "./wire.js";

const WALL = /(^|[_.:\s-])(wall|block|border|obstacle)s?($|[_.:\s-])/i;

/** Regular polygons as [corners, first angle in turns]; 0 corners is a rounded square. */
const SHAPES = [[0, 0], [6, 0], [4, 0], [5, -1 / 4], [3, -1 / 4]];

/** Five shapes by seven hues; the first hue is left to agents. */
const LOOKS = 35;

/** @param {string} name @returns {SpriteKind} */
export function kindOf(name) {
  return /^agent/i.test(name) ? "agent" : WALL.test(name) ? "wall" : "thing";
}

/** @param {string} text @returns {number} A small stable hash. */
export function hash(text) {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  return value >>> 0;
}

/**
 * Describe the symbol of each type; the same name looks the same in every replay unless two types clash.
 * @param {string[]} names @param {string[]} [all] Every name that is on the page. @returns {Sprite[]}
 */
export function describeSprites(names, all = names) {
  const looks = new Set();
  const taken = new Set();
  /** @type {Map<string, Sprite>} */
  const made = new Map();
  for (const name of [...new Set(all)].sort()) {
    const kind = kindOf(name);
    let look = hash(name) % LOOKS;
    for (let i = 0; kind === "thing" && looks.has(look) && i < LOOKS; i++) look = (look + 1) % LOOKS;
    if (kind === "thing") looks.add(look);
    made.set(name, { kind, shape: floor(look / 7), hue: 1 + (look % 7), letters: kind === "thing" ? letters(name, taken) : "", name });
  }
  return names.map((name) => /** @type {Sprite} */ (made.get(name)));
}

/** @param {string} name @param {Set<string>} taken @returns {string} Two letters, unlike those of the other types. */
function letters(name, taken) {
  const [first = "?", ...rest] = name.replace(/[^\p{L}\p{N}]/gu, "");
  const found = [...rest, ..."23456789"].map((second) => first.toUpperCase() + second.toLowerCase()).find((pair) => !taken.has(pair)) ?? first;
  taken.add(found);
  return found;
}

/** @param {Pen} pen @param {Sprite} sprite @param {Palette} palette @param {number} size Of the square cell at (0, 0). */
function drawThing(pen, sprite, palette, size) {
  const [corners, turn] = SHAPES[sprite.shape];
  const half = size / 2;
  pen.fillStyle = series(palette, sprite.hue);
  pen.beginPath();
  if (corners === 0) pen.roundRect(size * 0.08, size * 0.08, size * 0.84, size * 0.84, size * 0.14);
  for (let i = 0; i < corners; i++) pen.lineTo(half + cos((turn + i / corners) * TAU) * size * 0.48, half + sin((turn + i / corners) * TAU) * size * 0.48);
  pen.fill();
  if (size >= 15) write(pen, sprite.letters, half, size * (corners === 3 ? 0.58 : 0.53), palette.onMark, "center", `600 ${size * (corners === 3 ? 0.34 : 0.42)}`);
}

/**
 * Draw an agent: a disc in its team's colour, its number, and a notch where it faces.
 * @param {Pen} pen @param {string} colour @param {Palette} palette @param {string} label
 * @param {number} pad Left and above the cell. @param {number} size @param {number} facing 0 up, 1 down, 2 left, 3 right, -1 unknown.
 */
function drawAgent(pen, colour, palette, label, pad, size, facing) {
  const centre = pad + size / 2;
  disc(pen, palette.page, centre, centre, size * 0.5);
  if (facing >= 0 && size >= 8) {
    const angle = [-TAU / 4, TAU / 4, TAU / 2, 0][facing & 3];
    pen.fillStyle = colour;
    pen.beginPath();
    for (const [turn, reach] of [[0, 0.56], [0.7, 0.36], [-0.7, 0.36]]) pen.lineTo(centre + cos(angle + turn) * size * reach, centre + sin(angle + turn) * size * reach);
    pen.fill();
  }
  disc(pen, colour, centre, centre, size * 0.41);
  write(pen, label, centre, centre + size * 0.03, palette.onMark, "center", `600 ${size * (label.length > 2 ? 0.34 : 0.44)}`);
}

/** @param {Sprite} sprite @param {Palette} palette @returns {string} */
export function colourOf(sprite, palette) {
  return sprite.kind === "wall" ? palette.wall : series(palette, sprite.hue);
}

/** Symbols drawn once per size, and real images where the user has them. */
export class SpriteCache {
  /** @type {Map<string, HTMLCanvasElement>} */
  drawn = new Map();
  /** @type {Map<string, ImageBitmap>} */
  images = new Map();

  /** @param {Sprite} sprite @param {Palette} palette @param {number} size Device pixels. @returns {CanvasImageSource} */
  thing(sprite, palette, size) {
    const draw = /** @param {Pen} pen */ (pen) => (sprite.kind === "wall" ? rect(pen, palette.wall, 0, 0, size, size) : drawThing(pen, sprite, palette, size));
    return this.images.get(sprite.name) ?? this.#make(`${sprite.name}|${size}`, size, draw);
  }

  /** @param {string} colour @param {Palette} palette @param {string} label @param {number} size @param {number} facing */
  agent(colour, palette, label, size, facing) {
    const pad = agentPad(size);
    return this.#make(`${colour}|${label}|${facing}|${size}`, size + 2 * pad, (pen) => drawAgent(pen, colour, palette, label, pad, size, facing));
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

  /** Take real sprites: a length, a JSON index and PNG files; what is unreadable is left out. @param {Uint8Array} bytes */
  async readImages(bytes) {
    const start = 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
    const index = parseJson(bytes.subarray(4, start), "the sprite index");
    for (const [name, [offset, length]] of Object.entries(index)) {
      const file = /** @type {Uint8Array<ArrayBuffer>} */ (bytes.subarray(start + offset, start + offset + length));
      if (file[0] !== 0x89 || file[1] !== 0x50) continue;
      const image = await createImageBitmap(new Blob([file], { type: "image/png" })).catch(() => null);
      if (image) this.images.set(name, image);
    }
  }
}

/** @param {number} size @returns {number} Room around an agent's cell for the notch that shows where it faces. */
export function agentPad(size) {
  return ceil(size * 0.08);
}
