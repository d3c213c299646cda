/** Runs inside the frame of somebody else's widget: takes its code and state from the page, and tells its height. */
"use strict";
{
  const root = /** @type {HTMLElement} */ (document.getElementById("widget"));
  /** @type {Map<string, Set<(value?: any) => void>>} */
  const listeners = new Map();
  /** @param {string} event @param {any} [value] */
  const tell = (event, value) => listeners.get(event)?.forEach((listener) => listener(value));

  /** @param {Record<string, any>} state */
  const model = (state) => ({
    get: (/** @type {string} */ name) => state[name],
    set: (/** @type {string} */ name, /** @type {any} */ value) => {
      state[name] = value;
      tell(`change:${name}`, value);
      tell("change");
    },
    on: (/** @type {string} */ event, /** @type {() => void} */ listener) =>
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener)),
    off: (/** @type {string} */ event, /** @type {() => void} */ listener) => listeners.get(event)?.delete(listener),
    save_changes: () => {},
    send: () => {},
    widget_manager: { get_model: () => Promise.reject(new Error("a log has no other widgets")) },
  });

  /** @param {any} data */
  const run = async ({ code, css, state, buffers, theme }) => {
    document.documentElement.style.colorScheme = theme;
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
    for (const [name, buffer] of Object.entries(buffers)) state[name] = new DataView(/** @type {ArrayBuffer} */ (buffer));
    const found = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    const widget = typeof found.default === "function" ? await found.default() : (found.default ?? found);
    const props = { model: model(state), experimental: { invoke: () => Promise.reject(new Error("no Python")) } };
    await widget.initialize?.(props);
    await widget.render?.({ ...props, el: root });
  };

  addEventListener("message", ({ data }) => {
    run(data).catch((error) => parent.postMessage({ failed: String(error?.message ?? error).slice(0, 300) }, "*"));
  }, { once: true });
  new ResizeObserver(() => parent.postMessage({ height: Math.ceil(root.getBoundingClientRect().height) + 16 }, "*")).observe(root);
  parent.postMessage("ready", "*");
}
