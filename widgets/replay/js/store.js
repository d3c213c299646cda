/**
 * What the viewer shows, in one place; whoever shows it listens. Pure.
 *
 * @import { Camera } from "./camera.js"
 * @import { Grouping } from "./curves.js"
 * @import { Found } from "./search.js"
 * @typedef {Partial<Record<"trail" | "items" | "vision" | "fog" | "explored" | "territory" | "heat" | "grid" | "talk" | "symbols", boolean>>} Layers
 * @typedef {object} State
 * @property {number} step The step asked for. @property {number} shown The step drawn; it lags while data loads.
 * @property {number} fraction Progress from `shown` to the next step, 0 to 1.
 * @property {number} selected Object index, -1 for none.
 * @property {boolean} playing @property {boolean} loop Whether the end leads to the start. @property {number} speed Steps a second.
 * @property {Camera | null} camera Null shows the whole map. @property {boolean} follow
 * @property {Layers} layers @property {Found | null} found
 * @property {string} measure What the chart shows, of curves.js. @property {Grouping} by
 * @property {Set<number>} hidden Teams left out of the chart.
 * @property {"agents" | "selected" | "rules" | "text" | "about"} tab
 */

export class Store {
  /** @type {State} */
  state = { step: 0, shown: 0, fraction: 0, selected: -1, playing: false, loop: false, speed: 10, camera: null, follow: false, layers: { trail: true, items: true, grid: true, talk: true }, found: null, tab: "agents", measure: "reward", by: "all", hidden: new Set() };
  /** @type {Set<(changed: (keyof State)[]) => void>} */
  listeners = new Set();

  /** @param {Partial<State>} patch Listeners hear of what really changed. */
  set(patch) {
    const changed = /** @type {(keyof State)[]} */ (Object.keys(patch)).filter((key) => this.state[key] !== patch[key]);
    Object.assign(this.state, patch);
    if (changed.length) for (const listener of this.listeners) listener(changed);
  }
}
