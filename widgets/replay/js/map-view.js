/** The map: what moves over what does not, and what one does with the pointer there. */
import * as cam from "./camera.js";
import { h, pixelRatio, setText } from "./dom.js";
import { drawFog, drawHeat, drawHighlights, drawTrail, drawVision } from "./overlays.js";
import { series } from "./palette.js";
import { Presence } from "./presence.js";
import { agentPad } from "./sprite-cache.js";
import { PLAIN_BELOW, StaticLayer } from "./tiles.js";

/**
 * @import { Camera, Size } from "./camera.js"
 * @import { Context } from "./viewer.js"
 * @import { Frame } from "./tiles.js"
 */

const SETTLE_MS = 110;
const TAU = Math.PI * 2;

export class MapView {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.canvas = h("canvas", { class: "rv-map-canvas" });
    this.tip = h("div", { class: "rv-tip", role: "presentation" });
    this.notice = h("div", { class: "rv-notice", role: "status" });
    this.node = h("div", { class: "rv-map", role: "img", "aria-label": "Map of the replay" }, this.canvas, this.tip, this.notice);
    this.layer = new StaticLayer(context.facts, context.sprites);
    this.presence = new Presence(context.replay);
    /** @type {Size} */
    this.size = { width: 0, height: 0 };
    this.lastScale = 0;
    this.scaledAt = -1e9;
    this.settle = 0;
    this.point = { x: 0, y: 0 };
    this.#listen();
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    this.size = { width, height };
    const ratio = pixelRatio();
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
  }

  stop() {
    clearTimeout(this.settle);
  }

  /** Forget what was drawn in other colours. */
  restyle() {
    this.layer.clear();
  }

  /** @returns {Camera} The camera in force. */
  get camera() {
    const { camera, follow, selected } = this.context.store.state;
    const { map } = this.context.replay;
    if (follow && selected >= 0) {
      const place = this.place(selected);
      const scale = camera ? camera.scale : Math.max(24, cam.fit(map, this.size).scale);
      return { x: place.x + 0.5, y: place.y + 0.5, scale };
    }
    return camera ? cam.clamp(camera, map, this.size) : cam.fit(map, this.size);
  }

  /** @param {Camera} camera @returns {Frame} */
  frameOf(camera) {
    const ratio = this.canvas.width / Math.max(1, this.size.width);
    const perCell = camera.scale * ratio;
    return {
      perCell,
      originX: Math.round(this.canvas.width / 2 - camera.x * perCell),
      originY: Math.round(this.canvas.height / 2 - camera.y * perCell),
      width: this.canvas.width,
      height: this.canvas.height,
    };
  }

  /** @param {number} object @returns {{x: number, y: number}} Where it is drawn, between two cells while it moves. */
  place(object) {
    const { replay, store } = this.context;
    const { shown, fraction } = store.state;
    const { location } = replay;
    const out = { x: 0, y: 0 };
    replay.locate(object, shown, out);
    const mover = location.moverOf ? location.moverOf[object] : -1;
    const next = shown + 1;
    if (fraction <= 0 || mover < 0 || next >= replay.steps || !replay.ready(next)) return out;
    const { x, y } = out;
    replay.locate(object, next, out);
    if (Math.abs(out.x - x) + Math.abs(out.y - y) > 2) return { x, y };
    out.x = x + (out.x - x) * fraction;
    out.y = y + (out.y - y) * fraction;
    return out;
  }

  draw() {
    const { store, replay } = this.context;
    const palette = this.context.palette();
    const { layers, found, shown } = store.state;
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    const camera = this.camera;
    const frame = this.frameOf(camera);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = palette.raised;
    context.fillRect(0, 0, frame.width, frame.height);
    context.fillStyle = palette.floor;
    context.fillRect(frame.originX, frame.originY, Math.round(replay.map.width * frame.perCell), Math.round(replay.map.height * frame.perCell));
    if (layers.heat) this.#heat(context, frame);
    context.imageSmoothingEnabled = false;
    this.layer.draw(context, frame, palette, { settled: this.#settled(frame.perCell), grid: layers.grid });
    context.imageSmoothingEnabled = true;
    this.#drawTeamRings(context, frame);
    if (layers.trail) drawTrail(context, this.context, frame);
    this.#drawMovers(context, frame, camera);
    if (layers.fog) drawFog(context, this.context, frame, (object) => this.place(object));
    if (found) drawHighlights(context, this.context, frame, (object) => this.place(object), (object) => this.#drawOne(context, frame, object));
    if (layers.vision) drawVision(context, this.context, frame, (object) => this.place(object));
    this.#drawSelection(context, frame);
    this.#notices(shown);
  }

  /** @param {number} perCell @returns {boolean} Whether the scale has rested long enough to bake anew. */
  #settled(perCell) {
    const now = performance.now();
    if (perCell !== this.lastScale) {
      this.lastScale = perCell;
      this.scaledAt = this.layer.tiles.size ? now : -1e9;
    }
    const rest = this.scaledAt + SETTLE_MS - now;
    clearTimeout(this.settle);
    if (rest > 0) this.settle = window.setTimeout(() => this.context.invalidate("map"), rest + 1);
    return rest <= 0;
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame */
  #heat(context, frame) {
    const done = this.presence.advance(this.context.store.state.shown, 8);
    drawHeat(context, this.presence, this.context, frame);
    if (!done) this.context.invalidate("map");
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame */
  #drawTeamRings(context, frame) {
    const { facts, replay, store } = this.context;
    if (facts.teamThings.length === 0) return;
    const palette = this.context.palette();
    const { shown } = store.state;
    context.lineWidth = Math.max(1, frame.perCell * 0.1);
    for (const object of facts.teamThings) {
      const team = facts.teams.of(object, shown);
      if (team < 0 || replay.alive.at(object, shown) === 0) continue;
      replay.locate(object, shown, this.point);
      const x = frame.originX + this.point.x * frame.perCell;
      const y = frame.originY + this.point.y * frame.perCell;
      if (x < -frame.perCell || y < -frame.perCell || x > frame.width || y > frame.height) continue;
      context.strokeStyle = series(palette, facts.teams.hue(team));
      context.strokeRect(x + 0.5, y + 0.5, frame.perCell - 1, frame.perCell - 1);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Camera} camera */
  #drawMovers(context, frame, camera) {
    const { facts, replay, store } = this.context;
    const { shown } = store.state;
    const seen = cam.visibleCells(camera, replay.map, this.size);
    for (const list of [facts.movingThings, replay.agents]) {
      for (const object of list) {
        if (replay.alive.at(object, shown) === 0) continue;
        const place = this.place(object);
        if (place.x < seen.x0 - 1 || place.y < seen.y0 - 1 || place.x > seen.x1 || place.y > seen.y1) continue;
        this.#drawAt(context, frame, object, place.x, place.y);
      }
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {number} object */
  #drawOne(context, frame, object) {
    const place = this.place(object);
    this.#drawAt(context, frame, object, place.x, place.y);
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame @param {number} object @param {number} x @param {number} y */
  #drawAt(context, frame, object, x, y) {
    const { facts, sprites } = this.context;
    const palette = this.context.palette();
    const px = frame.originX + Math.round(x * frame.perCell);
    const py = frame.originY + Math.round(y * frame.perCell);
    const size = Math.max(2, Math.round(frame.perCell));
    const sprite = facts.sprite(object);
    const image = sprites.image(sprite.name);
    if (facts.isAgent[object]) {
      this.#drawAgent(context, object, px, py, size, image);
    } else if (size < PLAIN_BELOW && !image) {
      context.fillStyle = sprites.colour(sprite, palette);
      context.fillRect(px, py, size, size);
    } else {
      context.drawImage(image ?? sprites.thing(sprite, palette, size), px, py, size, size);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {number} object @param {number} px @param {number} py
   * @param {number} size @param {ImageBitmap | null} image
   */
  #drawAgent(context, object, px, py, size, image) {
    const { facts, replay, sprites, store } = this.context;
    const palette = this.context.palette();
    const { shown } = store.state;
    const colour = series(palette, facts.teams.hue(facts.teams.of(object, shown)));
    // A dot smaller than this could not be seen on a large map.
    const drawn = Math.max(7, size);
    const shift = (drawn - size) / 2;
    const facing = drawn >= 8 ? facts.facing(object, shown) : -1;
    if (image && size >= PLAIN_BELOW) {
      context.drawImage(image, px, py, size, size);
    } else {
      const pad = agentPad(drawn);
      const label = drawn >= 13 ? String(replay.agentIds[object]) : "";
      context.drawImage(sprites.agent(colour, palette, label, drawn, facing), Math.round(px - shift - pad), Math.round(py - shift - pad));
    }
    if (size >= 6) this.#drawBadges(context, object, px, py, size);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} object @param {number} px @param {number} py @param {number} size */
  #drawBadges(context, object, px, py, size) {
    const { replay, store, facts } = this.context;
    const palette = this.context.palette();
    const { shown, layers } = store.state;
    if (replay.field("is_frozen").at(object, shown) > 0) {
      context.strokeStyle = palette.cold;
      context.lineWidth = Math.max(1.5, size * 0.1);
      context.strokeRect(px + 1, py + 1, size - 2, size - 2);
    }
    const unit = Math.max(3, size * 0.17);
    if (size >= 10 && replay.field("action_success").at(object, shown) === 0) {
      context.strokeStyle = palette.bad;
      context.lineWidth = Math.max(1.5, size * 0.08);
      cross(context, px + size - unit * 0.6, py + unit * 0.6, unit * 0.8);
    }
    const reward = replay.field("current_reward").at(object, shown);
    if (reward) {
      context.fillStyle = reward > 0 ? palette.good : palette.bad;
      context.beginPath();
      context.arc(px + unit * 0.6, py + unit * 0.6, unit * 0.75, 0, TAU);
      context.fill();
    }
    if (layers.items && size >= 16) this.#drawItems(context, facts.holdings(object, shown), px, py, size);
  }

  /** @param {CanvasRenderingContext2D} context @param {{item: number, amount: number}[]} held @param {number} px @param {number} py @param {number} size */
  #drawItems(context, held, px, py, size) {
    const palette = this.context.palette();
    const side = Math.max(3, Math.round(size * 0.16));
    held.slice(0, 6).forEach(({ item }, i) => {
      context.fillStyle = palette.page;
      context.fillRect(px + i * (side + 1) - 1, py + size - side - 1, side + 2, side + 2);
      context.fillStyle = series(palette, item);
      context.fillRect(px + i * (side + 1), py + size - side, side, side);
    });
  }

  /** @param {CanvasRenderingContext2D} context @param {Frame} frame */
  #drawSelection(context, frame) {
    const { selected, hovered } = this.context.store.state;
    const palette = this.context.palette();
    for (const [object, colour, width] of /** @type {const} */ ([[hovered, palette.muted, 1.5], [selected, palette.text, 2.5]])) {
      if (object < 0) continue;
      const place = this.place(object);
      const radius = Math.max(7, frame.perCell * 0.66);
      const x = frame.originX + (place.x + 0.5) * frame.perCell;
      const y = frame.originY + (place.y + 0.5) * frame.perCell;
      context.lineWidth = width * 2;
      context.strokeStyle = palette.page;
      context.beginPath();
      context.arc(x, y, radius, 0, TAU);
      context.stroke();
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
  }

  /** @param {number} shown */
  #notices(shown) {
    const { replay, store } = this.context;
    const { step, layers } = store.state;
    const failure = replay.failure(step);
    let text = "";
    if (failure) text = `Step ${step} cannot be shown: ${failure}`;
    else if (shown !== step && !replay.ready(step)) text = `Loading step ${step}`;
    else if (layers.heat && this.presence.tooLarge) text = "This map is too large for a presence map";
    setText(this.notice, text);
  }

  /** @param {number} x @param {number} y Cells. @returns {number[]} Objects there, agents first. */
  objectsAt(x, y) {
    const { facts, replay, store } = this.context;
    const { shown } = store.state;
    /** @type {number[]} */
    const found = [];
    for (const list of [replay.agents, facts.movingThings]) {
      for (const object of list) {
        if (replay.alive.at(object, shown) === 0) continue;
        replay.locate(object, shown, this.point);
        if (this.point.x === x && this.point.y === y) found.push(object);
      }
    }
    facts.blocks.each(x, y, x + 1, y + 1, (object, ox, oy) => {
      if (ox === x && oy === y) found.push(object);
    });
    return found;
  }

  /** @param {number} px @param {number} py CSS pixels. @param {number} reach In pixels. @returns {number} The nearest agent within reach, or -1. */
  #agentNear(px, py, reach) {
    const { replay, store } = this.context;
    const camera = this.camera;
    let best = reach;
    let found = -1;
    for (const object of replay.agents) {
      if (replay.alive.at(object, store.state.shown) === 0) continue;
      const place = this.place(object);
      const screen = cam.toScreen(camera, this.size, place.x + 0.5, place.y + 0.5);
      const distance = Math.hypot(screen.x - px, screen.y - py);
      if (distance < best) {
        best = distance;
        found = object;
      }
    }
    return found;
  }

  /** @param {number} px @param {number} py @returns {number[]} */
  #pick(px, py) {
    const camera = this.camera;
    const cell = cam.toWorld(camera, this.size, px, py);
    const here = this.objectsAt(Math.floor(cell.x), Math.floor(cell.y));
    const near = this.#agentNear(px, py, Math.max(9, camera.scale * 0.6));
    return near >= 0 && !here.includes(near) ? [near, ...here] : here;
  }

  #listen() {
    const { canvas } = this;
    /** @type {{x: number, y: number, moved: boolean} | null} */
    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      drag = { x: event.clientX, y: event.clientY, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const { x, y } = localPoint(canvas, event);
      if (!drag) {
        this.#hover(x, y);
        return;
      }
      const dx = event.clientX - drag.x;
      const dy = event.clientY - drag.y;
      if (!drag.moved && Math.hypot(dx, dy) < 4) return;
      drag = { x: event.clientX, y: event.clientY, moved: true };
      this.setCamera(cam.pan(this.camera, dx, dy));
    });
    canvas.addEventListener("pointerup", (event) => {
      const { x, y } = localPoint(canvas, event);
      if (drag && !drag.moved) this.#click(x, y);
      drag = null;
    });
    canvas.addEventListener("pointercancel", () => { drag = null; });
    canvas.addEventListener("pointerleave", () => this.#hover(-1, -1));
    canvas.addEventListener("dblclick", (event) => {
      const { x, y } = localPoint(canvas, event);
      const [object] = this.#pick(x, y);
      if (object !== undefined) this.context.followObject(object);
    });
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    // The page scrolls over an unfocused map: a notebook must not trap the wheel.
    if (!event.ctrlKey && !event.metaKey && !this.context.hasFocus()) {
      this.context.hint("Click the map, or hold Ctrl, to zoom with the wheel");
      return;
    }
    event.preventDefault();
    const { x, y } = localPoint(this.canvas, event);
    const lines = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(-Math.max(-240, Math.min(240, event.deltaY * lines)) * 0.0022);
    this.zoom(factor, x, y);
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] CSS pixels; the middle when left out. */
  zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
    const { follow } = this.context.store.state;
    const camera = cam.zoomAt(this.camera, this.context.replay.map, this.size, factor, x, y);
    this.context.store.set({ camera, follow });
  }

  /** @param {Camera} camera */
  setCamera(camera) {
    this.context.store.set({ camera: cam.clamp(camera, this.context.replay.map, this.size), follow: false });
  }

  /** @param {number} x @param {number} y */
  #click(x, y) {
    const here = this.#pick(x, y);
    const { selected } = this.context.store.state;
    const next = here[(here.indexOf(selected) + 1) % Math.max(1, here.length)];
    this.context.select(next ?? -1);
  }

  /** @param {number} x @param {number} y */
  #hover(x, y) {
    const object = x < 0 ? -1 : (this.#pick(x, y)[0] ?? -1);
    const { facts, store } = this.context;
    const plainWall = object >= 0 && facts.sprite(object).kind === "wall";
    store.set({ hovered: plainWall ? -1 : object });
    this.canvas.style.cursor = object >= 0 && !plainWall ? "pointer" : "grab";
    const text = object < 0 || plainWall ? "" : facts.summary(object, store.state.shown);
    setText(this.tip, text);
    this.tip.classList.toggle("rv-shown", text !== "");
    const left = Math.min(x + 14, this.size.width - Math.min(320, this.tip.offsetWidth) - 8);
    this.tip.style.transform = `translate(${Math.max(4, left)}px, ${y + 18 > this.size.height - 40 ? y - 36 : y + 16}px)`;
  }
}

/** @param {Element} node @param {MouseEvent} event @returns {{x: number, y: number}} */
export function localPoint(node, event) {
  const box = node.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} half */
function cross(context, x, y, half) {
  context.beginPath();
  context.moveTo(x - half, y - half);
  context.lineTo(x + half, y + half);
  context.moveTo(x - half, y + half);
  context.lineTo(x + half, y - half);
  context.stroke();
}
