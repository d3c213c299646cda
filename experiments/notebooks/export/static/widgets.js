/** Widgets without Python: ours in the page, those of others in frames that can reach neither the page nor a network. */
"use strict";
{
  const log = globalThis.experimentsLog;

  /** The part of anywidget's model that a page alone can keep: a state that changes, and nobody to send it to. */
  class Model {
    /** @type {Map<string, Set<(value?: any) => void>>} */
    #listeners = new Map();

    /** @param {Record<string, any>} state */
    constructor(state) {
      this.state = state;
    }
    /** @param {string} name */
    get(name) {
      return this.state[name];
    }
    /** @param {string} name @param {any} value */
    set(name, value) {
      if (Object.is(this.state[name], value)) return;
      this.state[name] = value;
      this.#tell(`change:${name}`, value);
      this.#tell("change");
    }
    /** @param {string} event @param {(value?: any) => void} listener */
    on(event, listener) {
      this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
    }
    /** @param {string | null} [event] @param {(value?: any) => void} [listener] */
    off(event, listener) {
      if (!event) this.#listeners.clear();
      else if (listener) this.#listeners.get(event)?.delete(listener);
      else this.#listeners.delete(event);
    }
    save_changes() {}
    send() {}
    widget_manager = { get_model: () => Promise.reject(new Error("a log has no other widgets")) };
    /** @param {string} event @param {any} [value] */
    #tell(event, value) {
      for (const listener of this.#listeners.get(event) ?? []) listener(value);
    }
  }

  /** @param {HTMLElement} figure */
  const read = async (figure) => {
    const plan = await log.json(figure.dataset.widget);
    const names = Object.keys(plan.buffers);
    const buffers = await Promise.all(names.map((name) => log.bytes(plan.buffers[name])));
    return { ...plan, code: await log.text(plan.esm), buffers: Object.fromEntries(names.map((name, i) => [name, buffers[i]])) };
  };

  /** @type {Map<string, Promise<any>>} */
  const modules = new Map();

  /** @param {HTMLElement} figure @param {HTMLElement} place */
  const mount = async (figure, place) => {
    const { esm, code, state, buffers } = await read(figure);
    if (!modules.has(esm)) modules.set(esm, import(log.blobUrl(code, "text/javascript")));
    const found = await modules.get(esm);
    const widget = typeof found.default === "function" ? await found.default() : (found.default ?? found);
    const views = Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, new DataView(buffer)]));
    const props = { model: new Model({ ...state, ...views }), experimental: { invoke: () => Promise.reject(new Error("no Python")) } };
    await widget.initialize?.(props);
    await widget.render?.({ ...props, el: place });
  };

  /** @param {HTMLElement} figure @param {HTMLElement} place */
  const frame = async (figure, place) => {
    const { code, css, state, buffers } = await read(figure);
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.title = figure.ariaLabel ?? "widget";
    frame.srcdoc = `<!doctype html><meta charset="utf-8"><style>body{margin:0;font:14px system-ui,sans-serif}</style><div id="widget"></div><script>${await log.text(log.assets.frame)}</scr` + "ipt>";
    addEventListener("message", (event) => {
      if (event.source !== frame.contentWindow) return;
      if (event.data === "ready") frame.contentWindow?.postMessage({ code, css, state, buffers, theme: log.theme() }, "*");
      else if (typeof event.data?.height === "number") frame.style.height = `${Math.min(2000, Math.max(40, event.data.height))}px`;
      else if (typeof event.data?.failed === "string") fail(figure, event.data.failed);
    });
    place.append(frame);
  };

  /** @param {HTMLElement} figure @param {unknown} error */
  const fail = (figure, error) => {
    const said = document.createElement("p");
    said.className = "note";
    said.textContent = `This widget does not run here: ${error instanceof Error ? error.message : error}`;
    figure.querySelector(".live")?.replaceChildren(said);
  };

  /** @param {HTMLElement} figure */
  const start = async (figure) => {
    const place = /** @type {HTMLElement} */ (figure.querySelector(".live"));
    try {
      await (figure.dataset.framed ? frame : mount)(figure, place);
      figure.classList.add("drawn");
    } catch (error) {
      fail(figure, error);
    }
  };

  // Twenty replays are only opened as one comes to them.
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        void start(/** @type {HTMLElement} */ (target));
      }
    },
    { rootMargin: "600px" },
  );
  addEventListener("DOMContentLoaded", () => {
    for (const figure of document.querySelectorAll("figure[data-widget]")) watch.observe(figure);
  });
}
