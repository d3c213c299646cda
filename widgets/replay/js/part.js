/** What every part of the viewer reaches for. */
import { div } from "./dom.js";
import { newCanvas, prepare } from "./pen.js";

/**
 * @import { Pen } from "./pen.js"
 * @import { Viewer } from "./viewer.js"
 */

export class Part {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.replay = viewer.replay;
    this.facts = viewer.facts;
    this.sprites = viewer.sprites;
  }

  get state() {
    return this.viewer.state;
  }

  /** The step drawn. */
  get shown() {
    return this.state.shown;
  }

  /** Index of the selected object, -1 for none. */
  get selected() {
    return this.state.selected;
  }

  get palette() {
    return this.viewer.palette;
  }

  /** @param {number} object @param {number} [step] */
  colour(object, step = this.shown) {
    return this.facts.colour(object, step, this.palette);
  }
}

/** A canvas as wide as the map; most of its picture is kept until something other than the step changes. */
export class Strip extends Part {
  width = 0;
  height = 0;
  tip = div("tip");
  /** @type {HTMLCanvasElement | null} Null when it is to be drawn anew. */
  backdrop = null;

  /** @param {number} width */
  resize(width) {
    this.width = width;
    this.backdrop = null;
  }

  /** @param {Pen} _pen */
  drawBackdrop(_pen) {}

  /** @param {HTMLCanvasElement} canvas @returns {Pen} Over what is kept. */
  startOn(canvas) {
    const pen = prepare(canvas, this.width, this.height);
    if (!this.backdrop) {
      this.backdrop = newCanvas(1);
      this.drawBackdrop(prepare(this.backdrop, this.width, this.height));
    }
    pen.drawImage(this.backdrop, 0, 0, this.width, this.height);
    return pen;
  }
}
