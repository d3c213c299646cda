/** Strokes that several canvases share. */
import { max, round, within } from "../../page/js/maths.js";

/** @typedef {CanvasRenderingContext2D} Pen */

export const TAU = Math.PI * 2;
export const FAMILY = 'px system-ui, -apple-system, "Segoe UI", sans-serif';

export const density = () => within(devicePixelRatio, 1, 3);

/** @param {HTMLCanvasElement} canvas @returns {Pen} */
export const penOf = (canvas) => /** @type {Pen} */ (canvas.getContext("2d"));

/** @param {number} width @param {number} [height] Device pixels. @returns {HTMLCanvasElement} */
export const newCanvas = (width, height = width) => sized(document.createElement("canvas"), width, height);

/** Empty a canvas that has another size. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height Device pixels. */
export function sized(canvas, width, height) {
  const [w, h] = [max(1, round(width)), max(1, round(height))];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  return canvas;
}

/**
 * Size a canvas to CSS pixels at the device's resolution, and empty it.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 * @returns {Pen} Scaled so that one unit is one CSS pixel.
 */
export function prepare(canvas, width, height) {
  const ratio = density();
  const pen = penOf(sized(canvas, width * ratio, height * ratio));
  pen.reset();
  pen.scale(ratio, ratio);
  return pen;
}

/** @param {Pen} pen @param {string} colour @param {number} x @param {number} y @param {number} width @param {number} height */
export function rect(pen, colour, x, y, width, height) {
  pen.fillStyle = colour;
  pen.fillRect(x, y, width, height);
}

/** @param {Pen} pen @param {string} colour @param {number} x @param {number} y @param {number} radius */
export function disc(pen, colour, x, y, radius) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, TAU);
  pen.fill();
}

/** Choose how strokes look. @param {Pen} pen @param {string} colour @param {number} width */
export function ink(pen, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
}

/** @param {Pen} pen @param {string} colour @param {number} x @param {number} y @param {number} radius @param {number} width */
export function ring(pen, colour, x, y, radius, width) {
  ink(pen, colour, width);
  pen.beginPath();
  pen.arc(x, y, radius, 0, TAU);
  pen.stroke();
}

/**
 * Draw one line of text, centred on `y`.
 * @param {Pen} pen @param {string} text @param {number} x @param {number} y @param {string} colour
 * @param {CanvasTextAlign} [align] @param {string | number} [font] Weight and size. @param {boolean} [edged] Whether the pen's stroke is around it.
 */
export function write(pen, text, x, y, colour, align = "right", font = "11", edged = false) {
  pen.fillStyle = colour;
  pen.font = font + FAMILY;
  pen.textAlign = align;
  pen.textBaseline = "middle";
  if (edged) pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

/** @param {Pen} pen @param {...number} points Pairs of x and y. */
export function line(pen, ...points) {
  pen.beginPath();
  for (let i = 0; i < points.length; i += 2) pen.lineTo(points[i], points[i + 1]);
  pen.stroke();
}
