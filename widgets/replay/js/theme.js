/** Light or dark, as the page around the viewer is. */

/** @typedef {"light" | "dark"} Theme */

/**
 * Read the page's theme: marimo and Jupyter mark the document, others leave it to the system.
 * @param {string} asked "auto", "light" or "dark".
 * @returns {Theme}
 */
export function pageTheme(asked) {
  if (asked === "light" || asked === "dark") return asked;
  for (const node of [document.body, document.documentElement]) {
    const marked = node ? markOf(node) : null;
    if (marked) return marked;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** @param {HTMLElement} node @returns {Theme | null} */
function markOf(node) {
  const { theme, colorMode, jpThemeLight } = node.dataset;
  for (const word of [theme, colorMode, jpThemeLight === "false" ? "dark" : jpThemeLight === "true" ? "light" : ""]) {
    if (word === "dark" || word === "light") return word;
  }
  if (node.classList.contains("dark") || node.classList.contains("dark-theme")) return "dark";
  if (node.classList.contains("light") || node.classList.contains("light-theme")) return "light";
  const scheme = node.style.colorScheme;
  return scheme === "dark" || scheme === "light" ? scheme : null;
}

/** @param {() => void} changed @returns {() => void} Stops watching. */
export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  for (const node of [document.body, document.documentElement]) {
    if (node) observer.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-theme", "data-color-mode", "data-jp-theme-light"] });
  }
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", changed);
  };
}
