/**
 * What an action's name says: a family (one colour each) and a glyph. Pure but for `drawGlyph`.
 *
 * @import { Pen } from "./pen.js"
 * @typedef {"wait" | "move" | "turn" | "take" | "give" | "attack" | "signal" | "other"} Family
 * @typedef {{name: string, family: Family, direction: number}} Action Direction: 0 up, 1 down, 2 left, 3 right, -1 none.
 */
import { abs } from "../../page/js/maths.js";
import { TAU, line } from "./pen.js";

/** @type {[RegExp, Family][]} */
const RULES = [
  [/^(noop|none|wait|stay|rest|idle)/, "wait"], [/vibe|colou?r|talk|say|signal|emote/, "signal"], [/^(move|go|walk|step)|cardinal|8way/, "move"],
  [/rotate|turn|face|orient/, "turn"], [/attack|zap|fire|shoot|laser|hit/, "attack"],
  [/get|take|withdraw|pick|collect|mine|harvest|gather/, "take"], [/put|give|deposit|drop|transfer|place|craft|use|build/, "give"],
];

/** Each family's colour in the palette's series (-1: muted) and its name in words. @type {Record<Family, [number, string]>} */
export const FAMILIES = {
  move: [0, "move"], turn: [6, "turn"], take: [2, "take"], give: [1, "put or use"], attack: [3, "attack"], signal: [5, "signal"], other: [4, "other"], wait: [-1, "wait"],
};

/** Words for each direction. */
export const WAYS = [["north", "up"], ["south", "down"], ["west", "left"], ["east", "right"]];

/** @param {string} name @returns {Action} */
export function describeAction(name) {
  const lower = name.toLowerCase();
  const family = RULES.find(([pattern]) => pattern.test(lower))?.[1] ?? "other";
  const parts = lower.split(/[_-]/);
  return { name, family, direction: /move|turn/.test(family) ? WAYS.findIndex((words) => words.some((word) => parts.includes(word))) : -1 };
}

/** @param {number} dx @param {number} dy @returns {number} The direction of a move on the map, -1 when it stood still. */
export function directionOfMove(dx, dy) {
  if (dx === 0 && dy === 0) return -1;
  return abs(dx) > abs(dy) ? (dx < 0 ? 2 : 3) : dy < 0 ? 0 : 1;
}

/**
 * Draw an action's glyph in a square, in the pen's stroke colour.
 * @param {Pen} pen @param {Family} family @param {number} direction @param {number} x @param {number} y Its top left corner; it is 12 wide.
 */
export function drawGlyph(pen, family, direction, x, y) {
  pen.save();
  pen.translate(x + 6, y + 6);
  if (direction >= 0) pen.rotate([0, TAU / 2, -TAU / 4, TAU / 4][direction]);
  pen.scale(0.75, 0.75);
  pen.lineWidth = 2;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  if (family === "turn") pen.arc(0, 0, 4, -TAU / 5, TAU * 0.55);
  if (family === "other") pen.arc(0, 0, 3.5, 0, TAU);
  pen.stroke();
  for (const stroke of STROKES[direction < 0 && family === "move" ? "stuck" : family]) line(pen, ...stroke);
  pen.restore();
}

/** @type {Record<Family | "stuck", number[][]>} */
const STROKES = {
  wait: [[-1, 0, 1, 0]], move: [[0, 5, 0, -4.5], [-3.5, -1, 0, -4.5, 3.5, -1]], stuck: [[-3, -3.5, 0, -0.5, 3, -3.5]], turn: [[-2, -5.5, 1.5, -4, -1.5, -1]],
  take: [[0, -5, 0, 2], [-3, -1, 0, 2, 3, -1], [-4.5, 5, 4.5, 5]], give: [[0, 2, 0, -5], [-3, -2, 0, -5, 3, -2], [-4.5, 5, 4.5, 5]],
  attack: [[-4, -4, 4, 4], [-4, 4, 4, -4]], signal: [[0, -4.5, 4.5, 0, 0, 4.5, -4.5, 0, 0, -4.5]], other: [],
};
