/**
 * What Python sends whole once and then piece by piece: kept here, whole and the newest, for all views of a model.
 * The page says with which version it begins and which one it has shown; only then the next piece comes.
 *
 * @typedef {{version: number, piece: {at?: number}}} Numbered See ../live.py.
 */

/** @type {WeakMap<object, Held<any>>} */
const HELD = new WeakMap();

/** @template Value */
export class Held {
  version = 0;
  base = -1; // the version of the whole that the model has
  told = -1;
  /** @type {Set<(piece: any) => void>} */
  listeners = new Set();

  /**
   * @param {any} model @param {string} name Of the trait.
   * @param {(value: Value, piece: any) => Value} apply Pure.
   */
  constructor(model, name, apply) {
    this.model = model;
    this.name = name;
    this.apply = apply;
    this.value = /** @type {Value} */ (model.get(name));
    this.take();
    // The traits of one message may arrive one by one.
    const later = () => queueMicrotask(() => this.take());
    model.on("change:version", later);
    model.on("change:piece", later);
  }

  /** Take the whole or the piece that the model has by now, and tell which it was. */
  take() {
    const [base, piece] = [this.model.get("version"), this.model.get("piece")];
    if (base !== this.base) {
      this.base = this.version = base;
      this.value = this.model.get(this.name);
      this.tell(null);
    }
    const at = piece?.at ?? 0;
    if (at === this.version + 1) {
      this.value = this.apply(this.value, piece);
      this.version = at;
      this.tell(piece);
    } else if (at > this.version) this.greet();
  }

  /** @param {any} piece Null for the whole. */
  tell(piece) {
    for (const listener of this.listeners) listener(piece);
  }

  /** Say which version this page has: where something was missed, the whole comes. */
  greet() {
    this.model.send({ type: "here", at: this.version });
  }

  /** Say that the page shows what it has. */
  shown() {
    if (this.told === this.version) return;
    this.told = this.version;
    this.model.send({ type: "shown", at: this.version });
  }

  /** @param {(piece: any) => void} listener Told of each piece, and with null of each whole. @returns {() => void} Stops it. */
  listen(listener) {
    this.listeners.add(listener);
    this.greet();
    return () => void this.listeners.delete(listener);
  }
}

/**
 * @template Value
 * @param {any} model @param {string} name @param {(value: Value, piece: any) => Value} apply
 * @returns {Held<Value>} The same for every view of the model.
 */
export function heldOf(model, name, apply) {
  const held = HELD.get(model) ?? new Held(model, name, apply);
  HELD.set(model, held);
  return held;
}

/**
 * Do something now, or once somebody looks at the page again.
 * @param {() => void} act @returns {{due: () => void, stop: () => void}}
 */
export function whenSeen(act) {
  let owed = false;
  const look = () => {
    if (!owed || document.hidden) return;
    owed = false;
    act();
  };
  document.addEventListener("visibilitychange", look);
  return {
    due() {
      if (!owed) queueMicrotask(look);
      owed = true;
    },
    stop: () => document.removeEventListener("visibilitychange", look),
  };
}
