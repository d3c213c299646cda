/** A few lines over the DOM: text is always a text node, so no data becomes markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | ((event: any) => void)>} [props] `on...` functions become
 *   listeners, booleans are present or absent, the rest attributes.
 * @param {...(Node | string | null)} children Strings become text nodes.
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(key, value);
    else node.setAttribute(key, String(value));
  }
  for (const child of children) if (child !== null) node.append(child);
  return node;
}

/** @param {Node & {replaceChildren: (...nodes: (Node | string)[]) => void}} node @param {...(Node | string | null)} children */
export function fill(node, ...children) {
  node.replaceChildren(.../** @type {(Node | string)[]} */ (children.filter((child) => child !== null)));
}

/** @param {Node} node @param {string} text Written only when it differs, to spare layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const ICONS = {
  first: "M5 4v12M15 4l-8 6 8 6z",
  back: "M14 4l-9 6 9 6z",
  play: "M6 3.5l11 6.5-11 6.5z",
  pause: "M6 4h3v12H6zM11 4h3v12h-3z",
  forward: "M6 4l9 6-9 6z",
  last: "M15 4v12M5 4l8 6-8 6z",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  follow: "M10 2v4M10 14v4M2 10h4M14 10h4M10 7a3 3 0 1 0 .01 0z",
  layers: "M10 3l8 4-8 4-8-4zM2 11l8 4 8-4",
  share: "M7.5 9l5-3M7.5 11l5 3M5 8a2 2 0 1 0 .01 0zM15 3a2 2 0 1 0 .01 0zM15 13a2 2 0 1 0 .01 0z",
  search: "M8.5 3a5.5 5.5 0 1 0 .01 0zM13 13l4 4",
  earlier: "M12 5l-5 5 5 5",
  later: "M8 5l5 5-5 5",
};
const FILLED = new Set(["back", "play", "pause", "forward"]);

/** @typedef {keyof typeof ICONS} IconName */

/** @param {IconName} name @returns {SVGSVGElement} */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", FILLED.has(name) ? "rv-icon rv-icon-filled" : "rv-icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * Make a button with an icon and a name for screen readers and the tooltip.
 * @param {IconName} name @param {string} label @param {() => void} press
 */
export function iconButton(name, label, press) {
  return h("button", { type: "button", class: "rv-button", "aria-label": label, title: label, onclick: press }, icon(name));
}

/**
 * Size a canvas to its box at the device's resolution.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height CSS pixels.
 * @returns {CanvasRenderingContext2D} Scaled so that one unit is one CSS pixel.
 */
export function prepareCanvas(canvas, width, height) {
  const ratio = pixelRatio();
  const w = Math.max(1, Math.round(width * ratio));
  const hgt = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w || canvas.height !== hgt) {
    canvas.width = w;
    canvas.height = hgt;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

export function pixelRatio() {
  return Math.min(3, Math.max(1, globalThis.devicePixelRatio || 1));
}
