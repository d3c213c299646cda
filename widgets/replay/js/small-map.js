/** The whole map small: in the corner while one is zoomed in, and as the timeline's preview. */
import * as cam from "./camera.js";
import { set } from "../../page/js/dom.js";
import { h, onDrag } from "./dom.js";
import { max, round } from "../../page/js/maths.js";
import { ink, prepare, rect } from "./pen.js";

/** @import { Viewer } from "./viewer.js" */

const LIMIT = 112;

/** @param {Viewer} viewer */
export function smallMap(viewer) {
  const { replay, state } = viewer;
  /** CSS pixels a cell. */
  const scale = LIMIT / max(replay.map.width, replay.map.height);
  const [width, height] = [replay.map.width, replay.map.height].map((cells) => max(8, round(cells * scale)));
  return {
    scale,
    /** @param {string} classes @returns {HTMLCanvasElement} Of the right size. */
    canvas: (classes) => h(`canvas.${classes}`, { style: `width:${width}px;height:${height}px` }),
    /** @param {HTMLCanvasElement} canvas @param {number} step */
    draw(canvas, step) {
      const pen = prepare(canvas, width, height);
      pen.imageSmoothingEnabled = scale < 1;
      pen.drawImage(viewer.map.still.picture(), 0, 0, width, height);
      for (const object of replay.agents) {
        if (!replay.here(object, step)) continue;
        const { x, y } = replay.locate(object, step);
        const chosen = object === state.selected;
        const side = max(2, scale) + (chosen ? 2 : 0);
        rect(pen, chosen ? viewer.inks.text : viewer.colour(object, step), (x + 0.5) * scale - side / 2, (y + 0.5) * scale - side / 2, side, side);
      }
      return pen;
    },
  };
}

/** The small map in the corner, with the camera's frame; a press moves the camera. @param {Viewer} viewer */
export function minimap(viewer) {
  const { small, map, replay } = viewer;
  const { scale } = small;
  const node = set(small.canvas("minimap"), { label: "Whole map; press to move there" });
  onDrag(node, (x, y) => { map.camera = { x: x / scale, y: y / scale, scale: map.camera.scale }; });
  /** Hide it where the whole map is in view. @returns The cells in view. */
  const fold = () => {
    const seen = cam.visibleCells(map.camera, map.size);
    node.hidden = (seen.x1 - seen.x0) * (seen.y1 - seen.y0) === replay.map.width * replay.map.height;
    return seen;
  };
  const draw = () => {
    const { x0, y0, x1, y1 } = fold();
    if (node.hidden) return;
    const pen = small.draw(node, viewer.state.shown);
    ink(pen, viewer.inks.accent, 1.5);
    pen.strokeRect(x0 * scale + 0.75, y0 * scale + 0.75, max(3, (x1 - x0) * scale - 1.5), max(3, (y1 - y0) * scale - 1.5));
  };
  return { node, draw, fold };
}
