/** Runs behind model.js inside the frame of somebody else's widget: takes its code and state from the page, and tells its height. */
"use strict";
{
  const log = globalThis.experimentsLog;
  const root = /** @type {HTMLElement} */ (document.getElementById("widget"));
  /** @param {any} data */
  const run = async ({ code, css, state, buffers, theme }) => {
    document.documentElement.style.colorScheme = theme;
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
    const views = Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, new DataView(/** @type {ArrayBuffer} */ (buffer))]));
    await log.mount("widget", code, new log.Model({ ...state, ...views }), root);
  };

  addEventListener("message", ({ data }) => {
    run(data).catch((error) => parent.postMessage({ failed: String(error?.message ?? error).slice(0, 300) }, "*"));
  }, { once: true });
  new ResizeObserver(() => parent.postMessage({ height: Math.ceil(root.getBoundingClientRect().height) + 16 }, "*")).observe(root);
  parent.postMessage("ready", "*");
}
