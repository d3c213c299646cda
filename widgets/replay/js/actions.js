/**
 * What an action's name says: a family (one colour each) and a glyph. Pure but for `drawGlyph`.
 *
 * @typedef {"wait" | "move" | "turn" | "take" | "give" | "attack" | "signal" | "other"} Family
 * @typedef {{name: string, family: Family, direction: number}} Action Direction: 0 up, 1 down, 2 left, 3 right, -1 none.
 */

/** @type {[RegExp, Family][]} */
const RULES = [
  [/^(noop|none|wait|stay|rest|idle)/, "wait"],
  [/vibe|color|colour|talk|say|signal|emote/, "signal"],
  [/^(move|go|walk|step)|cardinal|8way/, "move"],
  [/rotate|turn|face|orient/, "turn"],
  [/attack|zap|fire|shoot|laser|hit/, "attack"],
  [/get|take|withdraw|pick|collect|mine|harvest|gather/, "take"],
  [/put|give|deposit|drop|transfer|place|craft|use|build/, "give"],
];

/** @type {Family[]} */
export const FAMILIES = ["move", "turn", "take", "give", "attack", "signal", "other", "wait"];

/** @param {Family} family @returns {number} Index of its colour in the palette's series, -1 for the quiet colour. */
export function familyHue(family) {
  return family === "wait" ? -1 : { move: 0, turn: 6, take: 2, give: 1, attack: 3, signal: 5, other: 4 }[family];
}

const FAMILY_WORDS = {
  wait: "wait", move: "move", turn: "turn", take: "take", give: "put or use", attack: "attack", signal: "signal", other: "other",
};

/** @param {Family} family @returns {string} */
export function familyWords(family) {
  return FAMILY_WORDS[family];
}

/** @param {string} name @returns {Action} */
export function describeAction(name) {
  const lower = String(name).toLowerCase();
  const rule = RULES.find(([pattern]) => pattern.test(lower));
  const family = rule ? rule[1] : "other";
  return { name, family, direction: family === "move" || family === "turn" ? directionOf(lower) : -1 };
}

/** @param {string} name @returns {number} */
function directionOf(name) {
  if (/(^|[_-])(north|up)([_-]|$)/.test(name)) return 0;
  if (/(^|[_-])(south|down)([_-]|$)/.test(name)) return 1;
  if (/(^|[_-])(west|left)([_-]|$)/.test(name)) return 2;
  if (/(^|[_-])(east|right)([_-]|$)/.test(name)) return 3;
  return -1;
}

/** @param {number} dx @param {number} dy @returns {number} The direction of a move on the map, -1 when it stood still. */
export function directionOfMove(dx, dy) {
  if (dx === 0 && dy === 0) return -1;
  if (Math.abs(dx) > Math.abs(dy)) return dx < 0 ? 2 : 3;
  return dy < 0 ? 0 : 1;
}

/**
 * Draw an action's glyph in a square, with the context's stroke and fill colours.
 * @param {CanvasRenderingContext2D} c @param {Family} family @param {number} direction
 * @param {number} x @param {number} y @param {number} size
 */
export function drawGlyph(c, family, direction, x, y, size) {
  c.save();
  c.translate(x + size / 2, y + size / 2);
  if (direction >= 0) c.rotate([0, Math.PI, -Math.PI / 2, Math.PI / 2][direction]);
  c.scale(size / 16, size / 16);
  c.lineWidth = 2;
  c.lineCap = "round";
  c.lineJoin = "round";
  c.beginPath();
  GLYPHS[direction < 0 && family === "move" ? "stuck" : family](c);
  c.stroke();
  c.restore();
}

/** @type {Record<Family | "stuck", (c: CanvasRenderingContext2D) => void>} */
const GLYPHS = {
  wait: (c) => line(c, -1, 0, 1, 0),
  move: (c) => { line(c, 0, 5, 0, -4.5); line(c, -3.5, -1, 0, -4.5, 3.5, -1); },
  stuck: (c) => line(c, -3, -3.5, 0, -0.5, 3, -3.5),
  turn: (c) => { c.arc(0, 0, 4, -Math.PI * 0.4, Math.PI * 1.1); line(c, -2, -5.5, 1.5, -4, -1.5, -1); },
  take: (c) => { line(c, 0, -5, 0, 2); line(c, -3, -1, 0, 2, 3, -1); line(c, -4.5, 5, 4.5, 5); },
  give: (c) => { line(c, 0, 2, 0, -5); line(c, -3, -2, 0, -5, 3, -2); line(c, -4.5, 5, 4.5, 5); },
  attack: (c) => { line(c, -4, -4, 4, 4); line(c, -4, 4, 4, -4); },
  signal: (c) => line(c, 0, -4.5, 4.5, 0, 0, 4.5, -4.5, 0, 0, -4.5),
  other: (c) => { c.moveTo(3.5, 0); c.arc(0, 0, 3.5, 0, Math.PI * 2); },
};

/** @param {CanvasRenderingContext2D} c @param {...number} points */
function line(c, ...points) {
  c.moveTo(points[0], points[1]);
  for (let i = 2; i < points.length; i += 2) c.lineTo(points[i], points[i + 1]);
}
