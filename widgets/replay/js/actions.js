/**
 * How actions are drawn; which family an action is of, its colour and its glyph, the codec says.
 *
 * @import { Pen } from "./pen.js"
 * @typedef {"wait" | "move" | "turn" | "take" | "give" | "attack" | "signal" | "other"} Family
 * @typedef {{name: string, family: Family, hue: number, direction: number}} Action Hue: of the palette's series, -1 muted. Direction: 0 up, 1 down, 2 left, 3 right, -1 none.
 */
import { abs } from "../../page/js/maths.js";
import { TAU } from "./pen.js";

/** @param {number} dx @param {number} dy @returns {number} The direction of a move on the map, -1 when it stood still. */
export function directionOfMove(dx, dy) {
  if (dx === 0 && dy === 0) return -1;
  return abs(dx) > abs(dy) ? (dx < 0 ? 2 : 3) : dy < 0 ? 0 : 1;
}

/**
 * Draw an action's glyph in a square, in the pen's stroke colour.
 * @param {Pen} pen @param {string} glyph @param {number} direction @param {number} x @param {number} y Its top left corner; it is 12 wide.
 */
export function drawGlyph(pen, glyph, direction, x, y) {
  pen.save();
  pen.translate(x + 6, y + 6);
  if (direction >= 0) pen.rotate([0, TAU / 2, -TAU / 4, TAU / 4][direction]);
  pen.scale(0.75, 0.75);
  pen.lineWidth = 2;
  pen.lineCap = pen.lineJoin = "round";
  pen.stroke(new Path2D(glyph));
  pen.restore();
}
