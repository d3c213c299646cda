/** The whole map small: in the corner while one is zoomed in, and as the timeline's preview. */
import * as cam from "./camera.js";
import { h, onDrag, set } from "./dom.js";
import { max, round } from "./maths.js";
import { Part } from "./part.js";
import { ink, prepare, rect } from "./pen.js";

/** @import { Viewer } from "./viewer.js" */

const LIMIT = 140;

export class SmallMap extends Part {
  /** CSS pixels a cell. */
  scale = LIMIT / max(this.replay.map.width, this.replay.map.height);
  width = max(8, round(this.replay.map.width * this.scale));
  height = max(8, round(this.replay.map.height * this.scale));

  /** @returns {HTMLCanvasElement} Of the right size. */
  canvas() {
    return h("canvas", { style: `width:${this.width}px;height:${this.height}px` });
  }

  /** @param {HTMLCanvasElement} canvas @param {number} step */
  draw(canvas, step) {
    const { replay, facts, palette, scale } = this;
    const { selected } = this.state;
    const pen = prepare(canvas, this.width, this.height);
    pen.drawImage(this.viewer.map.still.picture, 0, 0, this.width, this.height);
    for (const object of replay.agents) {
      if (!replay.here(object, step)) continue;
      const { x, y } = replay.locate(object, step);
      const side = max(2, scale) + (object === selected ? 2 : 0);
      rect(pen, object === selected ? palette.text : facts.colour(object, step, palette), (x + 0.5) * scale - side / 2, (y + 0.5) * scale - side / 2, side, side);
    }
    return pen;
  }
}

/** The small map in the corner, with the camera's frame; a press moves the camera. */
export class Minimap extends Part {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    super(viewer);
    const { small, map } = viewer;
    this.node = set(small.canvas(), { class: "rv-minimap", label: "Whole map; press to move there" });
    onDrag(this.node, (x, y) => { map.camera = { x: x / small.scale, y: y / small.scale, scale: map.camera.scale }; });
  }

  draw() {
    const { map } = this.replay;
    const { small, map: view } = this.viewer;
    const { x0, y0, x1, y1 } = cam.visibleCells(view.camera, map, view.size);
    this.node.hidden = x0 === 0 && y0 === 0 && x1 === map.width && y1 === map.height;
    if (this.node.hidden) return;
    const { scale } = small;
    const pen = small.draw(this.node, this.state.shown);
    ink(pen, this.palette.accent, 1.5);
    pen.strokeRect(x0 * scale + 0.75, y0 * scale + 0.75, max(3, (x1 - x0) * scale - 1.5), max(3, (y1 - y0) * scale - 1.5));
  }
}
