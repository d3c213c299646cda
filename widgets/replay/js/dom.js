/** The viewer's elements. */
import { make, set } from "../../page/js/dom.js";
import { within } from "../../page/js/maths.js";

/** @import { Child, Props } from "../../page/js/dom.js" */

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K | `${K}.${string}`} selector The tag and, behind dots, its classes without their prefix.
 * @param {[props?: Props, ...children: Child[]]} rest
 * @returns {HTMLElementTagNameMap[K]}
 */
export const h = (selector, ...rest) => make(/** @type {K} */ (selector.replaceAll(".", ".rv-")), ...rest);

/** @param {string} classes @param {...Child} children */
export const div = (classes, ...children) => h(`div.${classes}`, {}, ...children);

/** @param {string} classes @param {...Child} children */
export const span = (classes, ...children) => h(`span.${classes}`, {}, ...children);

/** @template {string} T @param {string} label @param {[T, string][]} options @param {(value: T) => void} chosen */
export function choice(label, options, chosen) {
  const node = h("select.select", { label, onchange: () => chosen(/** @type {T} */ (node.value)) }, ...options.map(([value, text]) => h("option", { value }, text)));
  return node;
}

/** @param {(on: boolean) => void} chosen @param {boolean} checked At first. @param {...Child} label @returns {HTMLElement} */
export function checkbox(chosen, checked, ...label) {
  const box = h("input", { type: "checkbox", checked, onchange: () => chosen(box.checked) });
  return h("label.check", {}, box, ...label);
}

/** @param {string} style @param {string} text @returns {HTMLElement} A mark and what it stands for. */
export const legendEntry = (style, text) => span("legend-entry", h("span.swatch", { style }), text);

/** @param {string} label A scrollable region's name. @param {...Child} children */
export const region = (label, ...children) => h("div.scroll.pad", { tabindex: 0, role: "region", label }, ...children);

/** @param {string} title @param {...Child} children */
export const section = (title, ...children) => h("section", {}, h("h4", {}, title), ...children);

/** @param {string} problem @param {() => void} again @returns {HTMLElement[]} */
export const failure = (problem, again) => [note(`${problem}.`), button("Try again", again)];

/** @param {string} text One muted sentence. */
export const note = (text) => h("p.empty", {}, text);

/** @param {Child[][]} rows Terms and what they are. @param {string} [name] */
export const terms = (rows, name = "facts") => h(`dl.${name}`, {}, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));

/** @param {Child} label @param {() => void} onclick @param {string} [classes] @param {Props} [more] */
export const button = (label, onclick, classes = "action", more = {}) => h(`button.${classes}`, { type: "button", onclick, ...more }, label);

/** @typedef {"first" | "back" | "play" | "pause" | "forward" | "last" | "plus" | "minus" | "fit" | "follow" | "layers" | "share" | "search" | "earlier" | "later" | "loop"} IconName */

/** @param {IconName} name Its shape is in viewer.css. @returns {HTMLElement} */
export const icon = (name) => span(`icon.icon-${name}`);

/** @param {IconName} name @param {string} label For screen readers and the tooltip. @param {() => void} press */
export const iconButton = (name, label, press) => button(icon(name), press, "button", { label, title: label });

/**
 * Follow the pointer while it is pressed, and tell where it goes when it is not.
 * @param {HTMLElement} node @param {(x: number, y: number) => void} drag @param {(x: number, y: number) => void} [hover]
 */
export function onDrag(node, drag, hover) {
  const move = /** @param {PointerEvent} event */ ({ buttons, offsetX, offsetY }) => (buttons & 1 ? drag : hover)?.(offsetX, offsetY);
  const press = /** @param {PointerEvent} event */ (event) => {
    if (event.button === 0) node.setPointerCapture(event.pointerId);
    move(event);
  };
  set(node, { onpointerdown: press, onpointermove: move });
}

/** @param {HTMLElement} tip @param {boolean} shown @param {number} [left] @param {number} [top] @param {number} [room] Width it must stay within. */
export function showTip(tip, shown, left = 0, top = 0, room = 0) {
  tip.classList.toggle("rv-shown", shown);
  if (shown) tip.style.transform = `translate(${within(left, 4, room - tip.offsetWidth - 4)}px, ${top}px)`;
}
