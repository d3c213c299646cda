/** The corner map with the camera's frame; shown while part of the map is out of view. */
import * as cam from "./camera.js";
import { h, prepareCanvas } from "./dom.js";
import { localPoint } from "./map-view.js";

/**
 * @import { MapView } from "./map-view.js"
 * @import { SmallMap } from "./small-map.js"
 * @import { Context } from "./viewer.js"
 */

const SIDE = 132;

export class Minimap {
  /** @param {Context} context @param {MapView} view @param {SmallMap} small */
  constructor(context, view, small) {
    this.context = context;
    this.view = view;
    this.small = small;
    this.size = small.sizeWithin(SIDE);
    this.canvas = h("canvas", { class: "rv-minimap", "aria-label": "Whole map; click to move there", role: "img" });
    this.canvas.style.width = `${this.size.width}px`;
    this.canvas.style.height = `${this.size.height}px`;
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.#jump(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) this.#jump(event);
    });
  }

  /** @param {PointerEvent} event */
  #jump(event) {
    const { x, y } = localPoint(this.canvas, event);
    const { width, height } = this.context.replay.map;
    const camera = this.view.camera;
    this.view.setCamera({ x: (x / this.size.width) * width, y: (y / this.size.height) * height, scale: camera.scale });
  }

  draw() {
    const { replay, store } = this.context;
    const camera = this.view.camera;
    const needed = !cam.seesAll(camera, replay.map, this.view.size);
    this.canvas.hidden = !needed;
    if (!needed) return;
    const pen = prepareCanvas(this.canvas, this.size.width, this.size.height);
    this.small.draw(pen, this.size, store.state.shown);
    const scale = this.size.width / replay.map.width;
    const seen = cam.visibleCells(camera, replay.map, this.view.size);
    pen.strokeStyle = this.context.palette().accent;
    pen.lineWidth = 1.5;
    pen.strokeRect(seen.x0 * scale + 0.75, seen.y0 * scale + 0.75, Math.max(3, (seen.x1 - seen.x0) * scale - 1.5), Math.max(3, (seen.y1 - seen.y0) * scale - 1.5));
  }
}
