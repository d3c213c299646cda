/** What every part of the viewer reaches for. */

/** @import { Viewer } from "./viewer.js" */

export class Part {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.replay = viewer.replay;
    this.facts = viewer.facts;
    this.sprites = viewer.sprites;
  }

  get state() {
    return this.viewer.store.state;
  }

  get palette() {
    return this.viewer.palette;
  }
}
