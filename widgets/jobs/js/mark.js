/** The shape of each state, beside its colour: a state is told apart without seeing colours. */
import { fill, set } from "../../page/js/dom.js";

const RING = 2 * Math.PI * 5;

/** @param {string} state @returns {SVGElement} Its shape; the style sheet has its colour. */
export function mark(state) {
  return fill(draw("svg", { viewBox: "0 0 14 14", class: "jobs-mark", "aria-hidden": "true" }), ...shapes(state));
}

/** @param {SVGElement} svg Of a running job. @param {number} done Share of its ring that is drawn. */
export function drawShare(svg, done) {
  svg.querySelector(".jobs-ring")?.setAttribute("stroke-dasharray", `${RING * done} ${RING}`);
}

/** @param {string} state @returns {SVGElement[]} */
function shapes(state) {
  const circle = { cx: 7, cy: 7, r: 5, class: "jobs-stroke" };
  switch (state) {
    case "pending": return [draw("circle", { ...circle, r: 4.5 })];
    case "running": return [draw("circle", { cx: 7, cy: 7, r: 2.5 }), draw("circle", { ...circle, opacity: 0.3 }),
      draw("circle", { ...circle, class: "jobs-stroke jobs-ring", transform: "rotate(-90 7 7)" })];
    case "recovering": return [draw("circle", { ...circle, r: 4.5 }), draw("path", { d: "M7 2.5a4.5 4.5 0 0 1 0 9z" })];
    case "succeeded": return [thick("M2.5 7.5l3 3 6-6.5")];
    case "failed": return [thick("M3 3l8 8M11 3l-8 8")];
    case "cancelled": return [thick("M2.5 7h9")];
    default: return [draw("path", { d: "M4.5 5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.6", class: "jobs-stroke" }),
      draw("circle", { cx: 7, cy: 11.6, r: 1.1 })];
  }
}

/** @param {string} d */
function thick(d) {
  return draw("path", { d, class: "jobs-stroke jobs-thick" });
}

/** @param {string} tag @param {Record<string, string | number>} attributes @returns {SVGElement} */
function draw(tag, attributes) {
  return set(/** @type {SVGElement} */ (document.createElementNS("http://www.w3.org/2000/svg", tag)), attributes);
}
