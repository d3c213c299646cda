/** Light or dark: as the reader's system, until the button on the page says otherwise. Runs before anything is drawn. */
"use strict";
{
  /** @type {(() => void)[]} */
  const listeners = [];
  const media = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const now = () => (root.dataset.theme === "dark" || (!root.dataset.theme && media.matches) ? "dark" : "light");
  const tell = () => {
    root.dataset.now = now(); // whoever watches the element hears of it too
    listeners.forEach((listener) => listener());
  };

  root.classList.add("scripted");
  media.addEventListener("change", tell);
  globalThis.experimentsLog = /** @type {any} The rest is added by store.js. */ ({
    theme: now,
    /** @param {() => void} listener */
    onTheme: (listener) => listeners.push(listener),
    toggleTheme: () => {
      root.dataset.theme = now() === "dark" ? "light" : "dark";
      tell();
    },
  });
}
