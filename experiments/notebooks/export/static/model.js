/** Widgets' models without Python, and how a widget's module is put onto the page, or into the frame of a stranger. */
"use strict";
{
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
      this.tell(`change:${name}`, value);
      this.tell("change");
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
    tell(event, value) {
      for (const listener of this.#listeners.get(event) ?? []) listener(value);
    }
  }

  /** @type {Map<string, Promise<any>>} */
  const modules = new Map();

  /** @param {string} name @param {string} code @param {any} model @param {HTMLElement} place */
  const mount = async (name, code, model, place) => {
    if (!modules.has(name)) modules.set(name, import(URL.createObjectURL(new Blob([code], { type: "text/javascript" }))));
    const found = await modules.get(name);
    const widget = typeof found.default === "function" ? await found.default() : (found.default ?? found);
    const props = { model, experimental: { invoke: () => Promise.reject(new Error("no Python")) } };
    await widget.initialize?.(props);
    await widget.render?.({ ...props, el: place });
  };

  globalThis.experimentsLog = Object.assign(globalThis.experimentsLog ?? {}, { Model, mount });
}
