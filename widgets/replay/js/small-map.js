/** The whole map small: in the corner while one is zoomed in, and as the timeline's preview. */
import * as cam from "./camera.js";
import { set } from "../../page/js/dom.js";
import { h, onDrag } from "./dom.js";
import { max, round } from "../../page/js/maths.js";
import { Part } from "./part.js";
import { ink, prepare, rect } from "./pen.js";

/** @import { Viewer } from "./viewer.js" */

const LIMIT = 140;

export class SmallMap extends Part {
  /** CSS pixels a cell. */
  scale = LIMIT / max(this.replay.map.width, this.replay.map.height);
  width = max(8, round(this.replay.map.width * this.scale));
  height = max(8, round(this.replay.map.height * this.scale));

  /** @param {string} classes @returns {HTMLCanvasElement} Of the right size. */
  canvas(classes) {
    return h(`canvas.${classes}`, { style: `width:${this.width}px;height:${this.height}px` });
  }

  /** @param {HTMLCanvasElement} canvas @param {number} step */
  draw(canvas, step) {
    const { replay, palette, scale, selected } = this;
    const pen = prepare(canvas, this.width, this.height);
    pen.drawImage(this.viewer.map.still.picture, 0, 0, this.width, this.height);
    for (const object of replay.agents) {
      if (!replay.here(object, step)) continue;
      const { x, y } = replay.locate(object, step);
      const chosen = object === selected;
      const side = max(2, scale) + (chosen ? 2 : 0);
      rect(pen, chosen ? palette.text : this.colour(object, step), (x + 0.5) * scale - side / 2, (y + 0.5) * scale - side / 2, side, side);
    }
    return pen;
  }
}

/** The small map in the corner, with the camera's frame; a press moves the camera. @param {Viewer} viewer */
export function minimap(viewer) {
  const { small, map: view, replay } = viewer;
  const { scale } = small;
  const node = set(small.canvas("minimap"), { label: "Whole map; press to move there", hidden: true });
  onDrag(node, (x, y) => { view.camera = { x: x / scale, y: y / scale, scale: view.camera.scale }; });
  const draw = () => {
    const { x0, y0, x1, y1 } = cam.visibleCells(view.camera, view.size);
    node.hidden = (x1 - x0) * (y1 - y0) === replay.map.width * replay.map.height;
    if (node.hidden) return;
    const pen = small.draw(node, viewer.state.shown);
    ink(pen, viewer.palette.accent, 1.5);
    pen.strokeRect(x0 * scale + 0.75, y0 * scale + 0.75, max(3, (x1 - x0) * scale - 1.5), max(3, (y1 - y0) * scale - 1.5));
  };
  return { node, draw };
}
