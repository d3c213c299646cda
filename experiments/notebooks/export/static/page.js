/** The page's own controls: theme, copying the source, and opening what is folded before it is printed. */
"use strict";
{
  const log = globalThis.experimentsLog;

  const theme = document.getElementById("theme");
  const label = () => {
    if (theme) theme.textContent = log.theme() === "dark" ? "Light" : "Dark";
  };
  theme?.addEventListener("click", log.toggleTheme);
  log.onTheme(label);
  label();

  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("button[data-copies]"))) {
    const source = document.getElementById(button.dataset.copies ?? "");
    const said = button.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source?.textContent ?? "");
        button.textContent = "Copied";
      } catch {
        // A page opened from a file may not write: the text is selected instead.
        getSelection()?.selectAllChildren(/** @type {Node} */ (source));
        button.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => (button.textContent = said), 2000);
    });
  }

  /** @type {HTMLDetailsElement[]} */
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details")].filter((node) => !node.open && !node.classList.contains("source"));
    for (const node of opened) node.open = true;
  });
  addEventListener("afterprint", () => {
    for (const node of opened) node.open = false;
  });
}
