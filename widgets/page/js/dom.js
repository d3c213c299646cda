/** A few lines over the DOM: text is always a text node, so no data becomes markup. */

/**
 * @typedef {Node | string | null} Child Strings become text nodes, null nothing.
 * @typedef {Record<string, string | number | boolean | ((event: any) => void)>} Props `on...` functions become
 *   listeners, booleans are present or absent, the rest attributes; `label` is the name for screen readers.
 */

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K | `${K}.${string}`} selector The tag and, behind dots, its classes.
 * @param {Props} [props] @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(selector, props = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = fill(set(document.createElement(tag), props), ...children);
  node.classList.add(...classes);
  return /** @type {HTMLElementTagNameMap[K]} */ (node);
}

/** @template {Element} T @param {T} node @param {Props} props @returns {T} */
export function set(node, props) {
  for (const [name, value] of Object.entries(props)) {
    const key = name === "label" ? "aria-label" : name;
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(key, value);
    else node.setAttribute(key, /** @type {string} */ (value));
  }
  return node;
}

/** @template {Element} T @param {T} node @param {...Child} children @returns {T} */
export function fill(node, ...children) {
  node.replaceChildren(.../** @type {(Node | string)[]} */ (children.filter((child) => child !== null)));
  return node;
}

/** @param {Node} node @returns {Element | null} What has the focus on its page. */
const focusOf = (node) => /** @type {Document | ShadowRoot} */ (node.getRootNode()).activeElement ?? null;

/** @param {Element | null | undefined} node */
const focus = (node) => /** @type {HTMLElement | null | undefined} */ (node)?.focus({ preventScroll: true });

/** @param {Element} node @returns {string | null | undefined} What a control is known by, also when it is in the page no more. */
const nameOf = (node) => node.getAttribute("aria-label") ?? node.closest("label")?.textContent ?? node.textContent;

/** @param {Element} node */
const controls = (node) => [...node.querySelectorAll("a[href], button, input, select, summary, textarea, [tabindex]")];

/**
 * Fill a node anew: what stands in the place of the control that has the focus gets it, and where none does what is around.
 * @template {Element} T @param {T} node @param {...Child} children @returns {T}
 */
export function refill(node, ...children) {
  const before = controls(node);
  const at = before.findIndex((each) => each === focusOf(node));
  fill(node, ...children);
  const now = controls(node);
  if (at >= 0) focus(now.find((each) => nameOf(each) === nameOf(before[at])) ?? now[at] ?? now.at(-1) ?? node.closest("[tabindex]"));
  return node;
}

/** @param {Node} node @param {string} text Written only when it differs, to spare layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {HTMLElement} node @param {string} title Shown when the pointer rests on it; written only when it differs. */
export function setTitle(node, title) {
  if (node.title !== title) node.title = title;
}

/** @param {HTMLElement} node @param {string} text @param {string} title */
export function say(node, text, title) {
  setText(node, text);
  setTitle(node, title);
}

/** @param {HTMLElement} list Hidden when there is no line. @param {string[]} lines */
export function sayLines(list, lines) {
  fill(list, ...lines.map((line) => make("li", {}, line)));
  list.hidden = lines.length === 0;
}

/** @param {Element} parent @param {Element[]} wanted Its children in order; only those in the wrong place are moved. */
export function arrange(parent, wanted) {
  const [kept, focused] = [new Set(wanted), focusOf(parent)];
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  // What was moved has lost it.
  if (parent.contains(focused)) focus(focused);
}

/** @param {string} key Pressed on a list. @param {number} at Entry that has the focus. @param {number} count @returns {number} Entry that gets it, -1 where the key moves nothing. */
export function movedTo(key, at, count) {
  const far = count;
  const way = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -far, End: far }[key];
  return way ? Math.min(count - 1, Math.max(0, at + way)) : -1;
}
