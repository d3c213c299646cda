/**
 * Map symbols drawn from a type's name alone: shape, colour and letters. No image is needed.
 *
 * @typedef {"wall" | "agent" | "thing"} SpriteKind
 * @typedef {{kind: SpriteKind, shape: number, hue: number, letters: string, name: string}} Sprite
 * @import { Palette } from "./palette.js"
 */
import { series } from "./palette.js";

const WALL = /(^|[_.:\s-])(wall|block|border|obstacle)s?($|[_.:\s-])/i;
const AGENT = /^agent/i;
const TAU = Math.PI * 2;

/** Regular polygons as [corners, first angle in turns]; 0 corners is a rounded square. */
const SHAPES = [[0, 0], [6, 0], [4, 0], [8, 1 / 16], [5, -1 / 4], [3, -1 / 4]];

/** @param {string} name @returns {SpriteKind} */
export function kindOf(name) {
  if (AGENT.test(name)) return "agent";
  return WALL.test(name) ? "wall" : "thing";
}

/** @param {string} text @returns {number} A small stable hash. */
export function hash(text) {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  return value >>> 0;
}

/**
 * Describe the symbol of each type. The same name gets the same symbol in every replay as far as
 * no two types of one replay clash.
 * @param {string[]} typeNames @returns {Sprite[]}
 */
export function describeSprites(typeNames) {
  const looks = new Set();
  const letters = new Set();
  /** @type {Map<string, Sprite>} */
  const made = new Map();
  for (const name of [...new Set(typeNames)].sort()) {
    const kind = kindOf(name);
    const look = kind === "thing" ? freeLook(hash(name), looks) : 0;
    const label = kind === "wall" ? "" : freeLetters(name, letters);
    made.set(name, { kind, shape: look >> 3, hue: look & 7, letters: label, name });
  }
  return typeNames.map((name) => /** @type {Sprite} */ (made.get(name)));
}

/** @param {number} start @param {Set<number>} taken @returns {number} A hue that is free first, then a shape. */
function freeLook(start, taken) {
  const hues = new Set([...taken].map((look) => look & 7));
  const shape = (start >>> 8) % SHAPES.length;
  for (let i = 0; i < 8 * SHAPES.length; i++) {
    const look = ((((shape + (i >> 3)) % SHAPES.length) << 3) | ((start + i) & 7)) >>> 0;
    const fresh = hues.size >= 8 ? !taken.has(look) : !hues.has(look & 7);
    if (fresh) {
      taken.add(look);
      return look;
    }
  }
  return start % (8 * SHAPES.length);
}

/** @param {string} name @param {Set<string>} taken @returns {string} Two letters, unlike those of the other types. */
function freeLetters(name, taken) {
  const parts = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const joined = parts.join("");
  const [first, ...rest] = [...joined];
  if (first === undefined) return "?";
  const initials = parts.slice(1).map((part) => [...part][0]);
  for (const second of [...initials, ...rest, ..."23456789"]) {
    const pair = first.toUpperCase() + second.toLowerCase();
    if (!taken.has(pair)) {
      taken.add(pair);
      return pair;
    }
  }
  return first.toUpperCase();
}

/**
 * Trace a type's outline.
 * @param {CanvasRenderingContext2D | Path2D} path @param {number} shape
 * @param {number} cx @param {number} cy @param {number} radius
 */
export function traceShape(path, shape, cx, cy, radius) {
  const [corners, turn] = SHAPES[shape % SHAPES.length];
  if (corners === 0) {
    const half = radius * 0.88;
    path.roundRect(cx - half, cy - half, 2 * half, 2 * half, radius * 0.28);
    return;
  }
  for (let i = 0; i < corners; i++) {
    const angle = (turn + i / corners) * TAU;
    const x = cx + Math.cos(angle) * radius;
    const y = cy + Math.sin(angle) * radius;
    if (i === 0) path.moveTo(x, y);
    else path.lineTo(x, y);
  }
  path.closePath();
}

/**
 * Draw a thing's symbol into a square cell.
 * @param {CanvasRenderingContext2D} context @param {Sprite} sprite @param {Palette} palette
 * @param {number} x @param {number} y Top left of the cell. @param {number} size Side of the cell in pixels.
 */
export function drawThing(context, sprite, palette, x, y, size) {
  context.fillStyle = series(palette, sprite.hue);
  context.beginPath();
  traceShape(context, sprite.shape, x + size / 2, y + size / 2, size * 0.47);
  context.fill();
  if (size >= 15) drawLetters(context, sprite.letters, palette.onMark, x + size / 2, y + size * 0.53, size * 0.42);
}

/**
 * Draw an agent: a disc in its team's colour, its number, and a notch where it faces.
 * @param {CanvasRenderingContext2D} context @param {string} colour @param {Palette} palette
 * @param {string} label @param {number} x @param {number} y @param {number} size @param {number} facing
 *   0 up, 1 down, 2 left, 3 right, -1 unknown.
 */
export function drawAgent(context, colour, palette, label, x, y, size, facing) {
  const cx = x + size / 2;
  const cy = y + size / 2;
  context.fillStyle = palette.page;
  context.beginPath();
  context.arc(cx, cy, size * 0.5, 0, TAU);
  context.fill();
  context.fillStyle = colour;
  if (facing >= 0 && size >= 8) drawNotch(context, cx, cy, size, facing);
  context.beginPath();
  context.arc(cx, cy, size * 0.41, 0, TAU);
  context.fill();
  const points = size * (label.length > 2 ? 0.34 : 0.44);
  if (size >= 13) drawLetters(context, label, palette.onMark, cx, cy + size * 0.03, points);
}

const FACING_ANGLE = [-Math.PI / 2, Math.PI / 2, Math.PI, 0];

/** @param {CanvasRenderingContext2D} context @param {number} cx @param {number} cy @param {number} size @param {number} facing */
function drawNotch(context, cx, cy, size, facing) {
  const angle = FACING_ANGLE[facing & 3];
  const tip = size * 0.56;
  const base = size * 0.36;
  context.beginPath();
  context.moveTo(cx + Math.cos(angle) * tip, cy + Math.sin(angle) * tip);
  context.lineTo(cx + Math.cos(angle + 0.7) * base, cy + Math.sin(angle + 0.7) * base);
  context.lineTo(cx + Math.cos(angle - 0.7) * base, cy + Math.sin(angle - 0.7) * base);
  context.fill();
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {string} colour @param {number} x @param {number} y @param {number} points */
function drawLetters(context, text, colour, x, y, points) {
  context.fillStyle = colour;
  context.font = `600 ${points}px system-ui, -apple-system, "Segoe UI", sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, x, y);
}
