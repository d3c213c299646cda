/** Light or dark, as the page around the viewer is. */

/** @typedef {"light" | "dark"} Theme */

const ATTRIBUTES = ["class", "style", "data-theme", "data-color-mode", "data-jp-theme-light"];

/** @returns {HTMLElement[]} Where a page may say its theme; marimo marks the body. */
function marked() {
  return [document.body, document.documentElement].filter(Boolean);
}

/** @param {string} asked "auto", "light" or "dark". @returns {Theme} */
export function pageTheme(asked) {
  if (asked === "light" || asked === "dark") return asked;
  for (const { classList, dataset, style } of marked()) {
    const said = [dataset.theme, dataset.colorMode, style.colorScheme, ...classList];
    if (said.some((word) => /^dark(-theme)?$/.test(word ?? "")) || dataset.jpThemeLight === "false") return "dark";
    if (said.some((word) => /^light(-theme)?$/.test(word ?? "")) || dataset.jpThemeLight === "true") return "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** @param {() => void} changed @returns {() => void} Stops watching. */
export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  for (const node of marked()) observer.observe(node, { attributeFilter: ATTRIBUTES });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", changed);
  };
}
