/** What widgets say to Python and hear from it. */

/**
 * @template {Record<string, any>} State
 * @typedef {import("@anywidget/types").AnyModel<State>} AnyModel
 */

/**
 * @template {Record<string, any>} State
 * @param {AnyModel<State>} model @param {{[name in keyof State]?: () => void}} handlers By trait.
 * @returns {() => void} Stops listening.
 */
export function listen(model, handlers) {
  const pairs = /** @type {[keyof State & string, () => void][]} */ (Object.entries(handlers));
  for (const [name, act] of pairs) model.on(`change:${name}`, act);
  return () => {
    for (const [name, act] of pairs) model.off(`change:${name}`, act);
  };
}

/**
 * @template {Record<string, any>} State @template {keyof State & string} Name
 * @param {AnyModel<State>} model @param {Name} name @param {State[Name]} value
 */
export function tellPython(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

/** @returns {string} By it Python knows a request from the same one sent again. */
export const nonce = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
