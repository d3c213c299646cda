/** The map: what moves over what does not, and what one does with the pointer there. */
import * as cam from "./camera.js";
import { set, setText } from "../../page/js/dom.js";
import { div, h, showTip } from "./dom.js";
import { abs, floor, hypot, max, round, within } from "../../page/js/maths.js";
import { Overlays } from "./overlays.js";
import { series } from "./palette.js";
import { Part } from "./part.js";
import { disc, ink, line, pixelRatio, rect, ring, sized, write } from "./pen.js";
import { odd, rewardText } from "./rewards.js";
import { agentPad } from "./sprites.js";
import { PLAIN_BELOW, Still, centre } from "./still.js";

/**
 * @import { Camera, View } from "./camera.js"
 * @import { Pen } from "./pen.js"
 * @import { Point } from "./replay.js"
 * @import { Frame } from "./still.js"
 * @import { Viewer } from "./viewer.js"
 */

/** Device pixels a cell from which on what an agent carries is marked, and how many items at most. */
const [PIPS_FROM, MOST_PIPS] = [24, 6];

export class MapView extends Part {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    super(viewer);
    this.canvas = h("canvas.map-canvas");
    this.tip = div("tip");
    this.notice = h("div.notice", { role: "status" });
    this.node = h("div.map", { role: "img", label: "Map of the replay" }, this.canvas, this.tip, this.notice);
    this.still = new Still(viewer);
    this.overlays = new Overlays(viewer);
    /** @type {View} */
    this.size = { width: 0, height: 0, map: this.replay.map };
    this.hint = "";
    this.place = this.place.bind(this);
    this.#listen();
  }

  /** @param {number} width @param {number} height CSS pixels. */
  resize(width, height) {
    this.size = { ...this.size, width, height };
    sized(this.canvas, width * pixelRatio(), height * pixelRatio());
  }

  /** @returns {Camera} The camera in force. */
  get camera() {
    const { camera, follow, selected } = this.state;
    const now = cam.clamp(camera ?? cam.fit(this.size), this.size);
    if (!follow || selected < 0) return now;
    const { x, y } = this.place(selected);
    return { x: x + 0.5, y: y + 0.5, scale: now.scale };
  }

  /** @param {Camera} camera */
  set camera(camera) {
    this.viewer.store.set({ camera: cam.clamp(camera, this.size), follow: false });
  }

  /** @param {number} object @returns {Point} Where it is drawn, between two cells while it moves. */
  place(object) {
    const { replay } = this;
    const { shown, fraction } = this.state;
    const now = replay.locate(object, shown);
    if (fraction <= 0 || replay.location.mover(object) < 0 || shown + 1 >= replay.steps || !replay.ready(shown + 1)) return now;
    const next = replay.locate(object, shown + 1);
    if (abs(next.x - now.x) + abs(next.y - now.y) > 2) return now;
    return { x: now.x + (next.x - now.x) * fraction, y: now.y + (next.y - now.y) * fraction };
  }

  draw() {
    const { palette, overlays, place } = this;
    const { layers, found, selected } = this.state;
    const chosen = this.facts.isAgent[selected];
    const { width, height } = this.replay.map;
    const { canvas, camera } = this;
    const pen = /** @type {Pen} */ (canvas.getContext("2d", { alpha: false }));
    const perCell = (camera.scale * canvas.width) / max(1, this.size.width);
    const [left, top] = [round(canvas.width / 2 - camera.x * perCell), round(canvas.height / 2 - camera.y * perCell)];
    /** @type {Frame} */
    const frame = { perCell, left, top, width: canvas.width, height: canvas.height };
    rect(pen, palette.raised, 0, 0, canvas.width, canvas.height);
    if (perCell >= PLAIN_BELOW) rect(pen, palette.floor, left, top, round(width * perCell), round(height * perCell));
    this.still.draw(pen, frame);
    if (layers.heat && !overlays.presenceMap(pen, frame)) this.viewer.invalidate("map");
    pen.imageSmoothingEnabled = true;
    this.#teamRings(pen, frame);
    if (layers.trail && chosen) overlays.trail(pen, frame);
    this.#movers(pen, frame, camera);
    if (layers.fog) overlays.fog(pen, frame, place);
    if (found) overlays.hits(pen, frame, place, (object, at) => this.#drawAt(pen, frame, object, at));
    if (layers.vision && chosen) overlays.vision(pen, frame, place);
    this.#selection(pen, frame);
    setText(this.notice, this.#noticeText());
  }

  /** @param {Pen} pen @param {Frame} frame */
  #teamRings(pen, { left, top, perCell }) {
    const { facts, replay, shown } = this;
    for (const object of facts.teamThings) {
      const team = facts.teams.of(object, shown);
      if (team < 0 || !replay.here(object, shown)) continue;
      const { x, y } = replay.locate(object, shown);
      ink(pen, series(this.palette, facts.teams.hue(team)), max(1, perCell * 0.1));
      pen.strokeRect(left + x * perCell + 0.5, top + y * perCell + 0.5, perCell - 1, perCell - 1);
    }
  }

  /** @param {Pen} pen @param {Frame} frame @param {Camera} camera */
  #movers(pen, frame, camera) {
    const seen = cam.visibleCells(camera, this.size);
    for (const list of [this.facts.movingThings, this.replay.agents]) {
      for (const object of list) {
        const at = this.place(object);
        const inView = at.x >= seen.x0 - 1 && at.y >= seen.y0 - 1 && at.x <= seen.x1 && at.y <= seen.y1;
        if (inView && this.replay.here(object, this.shown)) this.#drawAt(pen, frame, object, at);
      }
    }
  }

  /** @param {Pen} pen @param {Frame} frame @param {number} object @param {Point} at */
  #drawAt(pen, { left, top, perCell }, object, at) {
    const { facts, sprites, palette, shown } = this;
    const [x, y] = [left + round(at.x * perCell), top + round(at.y * perCell)];
    const size = max(2, round(perCell));
    const sprite = facts.sprite(object);
    const colour = this.colour(object);
    const agent = facts.isAgent[object];
    if (size < PLAIN_BELOW && !agent) {
      rect(pen, colour, x, y, size, size);
    } else if (!agent || (size >= PLAIN_BELOW && sprites.images.has(sprite.name))) {
      pen.drawImage(sprites.thing(sprite, palette, size), x, y, size, size);
    } else {
      // A smaller dot could not be seen on a large map.
      const drawn = max(7 * pixelRatio(), size);
      const shift = (drawn - size) / 2 + agentPad(drawn);
      const label = drawn >= 13 ? String(this.replay.agentIds[object]) : "";
      pen.drawImage(sprites.agent(colour, palette, label, drawn, drawn >= 8 ? facts.facing(object, shown) : -1), round(x - shift), round(y - shift));
    }
    if (agent && size >= 6) this.#badges(pen, object, x, y, size);
  }

  /** Mark a freeze, a failed action and a reward. @param {Pen} pen @param {number} object @param {number} x @param {number} y @param {number} size */
  #badges(pen, object, x, y, size) {
    const { replay, palette, shown } = this;
    const unit = max(3, size * 0.17);
    if (replay.at("is_frozen", object, shown)) {
      ink(pen, palette.cold, max(1.5, size * 0.1));
      pen.strokeRect(x + 1, y + 1, size - 2, size - 2);
    }
    if (size >= 10 && replay.at("action_success", object, shown) === 0) {
      const right = x + size - 1.4 * unit;
      ink(pen, palette.bad, max(1.5, size * 0.08));
      line(pen, right, y - unit * 0.2, right + 1.6 * unit, y + unit * 1.4);
      line(pen, right, y + unit * 1.4, right + 1.6 * unit, y - unit * 0.2);
    }
    const reward = replay.at("current_reward", object, shown);
    if (odd(reward)) write(pen, rewardText(reward), x, y, palette.bad, "left", `600 ${max(9, round(unit * 2))}`);
    else if (reward !== 0) disc(pen, reward > 0 ? palette.good : palette.bad, x + unit * 0.6, y + unit * 0.6, unit * 0.75);
    if (size >= PIPS_FROM && this.state.layers.items) this.#pips(pen, object, x + size / 2, y + size, round(size * 0.14));
  }

  /** Mark what it carries, a square for each item. @param {Pen} pen @param {number} object @param {number} middle @param {number} bottom @param {number} side */
  #pips(pen, object, middle, bottom, side) {
    const held = this.facts.holdings(object, this.shown).slice(0, MOST_PIPS);
    held.forEach(([item], i) => {
      const left = round(middle + (i - held.length / 2) * (side + 2));
      rect(pen, this.palette.page, left - 1, bottom - side, side + 2, side + 2);
      rect(pen, series(this.palette, item), left, bottom - side + 1, side, side);
    });
  }

  /** @param {Pen} pen @param {Frame} frame */
  #selection(pen, frame) {
    if (this.selected < 0) return;
    const at = centre(frame, this.place(this.selected));
    const unit = pixelRatio();
    for (const [colour, width] of /** @type {[string, number][]} */ ([[this.palette.page, 5], [this.palette.text, 2.5]])) {
      ring(pen, colour, ...at, max(7 * unit, frame.perCell * 0.66), width * unit);
    }
  }

  #noticeText() {
    const { step, layers } = this.state;
    const { failed } = this.replay.chunkOf(step);
    if (!this.replay.ready(step)) return failed ? `Step ${step} cannot be shown: ${failed}.` : `Loading step ${step}`;
    return layers.heat && this.overlays.presence.tooLarge ? "This map is too large for a presence map." : this.hint;
  }

  /** @param {number} px @param {number} py CSS pixels. @returns {number[]} Objects under the pointer, agents first. */
  #pick(px, py) {
    const { facts, replay, camera, shown } = this;
    const cell = cam.toWorld(camera, this.size, px, py);
    const [x, y] = [floor(cell.x), floor(cell.y)];
    const far = /** @param {number} object */ (object) => {
      const at = this.place(object);
      return hypot(at.x + 0.5 - cell.x, at.y + 0.5 - cell.y);
    };
    const found = [...replay.agents, ...facts.movingThings]
      .filter((object) => far(object) < max(0.6, (facts.isAgent[object] * 9) / camera.scale) && replay.here(object, shown))
      .sort((a, b) => facts.isAgent[b] - facts.isAgent[a] || far(a) - far(b));
    facts.each(x, y, x + 1, y + 1, (object) => found.push(object));
    return found;
  }

  #listen() {
    const { canvas } = this;
    /** @type {{x: number, y: number, moved: boolean} | null} */
    let drag = null;
    set(canvas, {
      onpointerdown: (/** @type {PointerEvent} */ { button, pointerId, offsetX: x, offsetY: y }) => {
        if (button !== 0) return;
        drag = { x, y, moved: false };
        canvas.setPointerCapture(pointerId);
      },
      onpointermove: (/** @type {PointerEvent} */ { offsetX: x, offsetY: y }) => {
        if (!drag) this.#hover(x, y);
        else if (drag.moved || hypot(x - drag.x, y - drag.y) > 4) {
          const { camera } = this;
          this.camera = { ...camera, x: camera.x - (x - drag.x) / camera.scale, y: camera.y - (y - drag.y) / camera.scale };
          drag = { x, y, moved: true };
        }
      },
      onpointerup: () => {
        if (drag && !drag.moved) this.#click(drag.x, drag.y);
        drag = null;
      },
      onpointercancel: () => { drag = null; },
      onpointerleave: () => this.#hover(-1, -1),
    });
    canvas.addEventListener("wheel", (event) => {
      // The page scrolls over an unfocused map: a notebook must not trap the wheel.
      if (!event.ctrlKey && !event.metaKey && !this.node.closest(".rv-root")?.matches(":focus-within")) {
        return this.viewer.hint("Click the map, or hold Ctrl, to zoom with the wheel");
      }
      event.preventDefault();
      this.zoom(Math.exp(-within(event.deltaY * (event.deltaMode ? 16 : 1), -240, 240) * 0.0022), event.offsetX, event.offsetY);
    }, { passive: false });
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] CSS pixels; the middle when left out. */
  zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
    this.viewer.store.set({ camera: cam.zoomAt(this.camera, this.size, factor, x, y) });
  }

  /** @param {number} x @param {number} y */
  #click(x, y) {
    const here = this.#pick(x, y);
    this.viewer.select(here[(here.indexOf(this.selected) + 1) % here.length] ?? -1);
  }

  /** @param {number} x @param {number} y */
  #hover(x, y) {
    const [object = -1] = x < 0 ? [] : this.#pick(x, y);
    const shown = object >= 0 && this.facts.sprite(object).kind !== "wall";
    this.canvas.style.cursor = shown ? "pointer" : "";
    if (shown) setText(this.tip, this.facts.summary(object, this.shown));
    showTip(this.tip, shown, x + 14, y > this.size.height - 58 ? y - 36 : y + 16, this.size.width);
  }
}
