/** Light or dark, as the page around the viewer is. */
import { make } from "./dom.js";

/** @typedef {"light" | "dark"} Theme */

/** @returns {HTMLElement[]} Where a page may say its theme; marimo marks the body. */
const marked = () => [document.body, document.documentElement];

/** @param {string} asked "auto", "light" or "dark". @returns {Theme} */
export function pageTheme(asked) {
  if (asked === "light" || asked === "dark") return asked;
  for (const { classList, dataset, style } of marked()) {
    const said = [dataset.theme, style.colorScheme, ...classList];
    if (said.includes("dark") || dataset.jpThemeLight === "false") return "dark";
    if (said.includes("light")) return "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** @param {() => void} changed @returns {() => void} Stops watching. */
export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  for (const node of marked()) observer.observe(node, { attributes: true });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", changed);
  };
}

/** @param {HTMLElement} element @returns {boolean} Whether the style sheets' own colour scheme is dark where it stands. */
export function isDark(element) {
  const probe = make("span", { style: "color: light-dark(#ffffff, #000000); display: none" });
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour === "rgb(0, 0, 0)";
}
