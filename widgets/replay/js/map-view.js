/** The map: what moves over what does not, and what one does with the pointer there. */
import * as cam from "./camera.js";
import { set, setText } from "../../page/js/dom.js";
import { div, h, showTip } from "./dom.js";
import { abs, floor, hypot, max, round, within } from "../../page/js/maths.js";
import { overlaysOf } from "./overlays.js";
import { series, teamColour } from "./palette.js";
import { density, disc, ink, line, rect, ring, sized, write } from "./pen.js";
import { odd, rewardText } from "./rewards.js";
import { agentPad } from "./sprites.js";
import { PLAIN_BELOW, centre, stillMap } from "./still.js";

/**
 * @import { Camera, View } from "./camera.js"
 * @import { Pen } from "./pen.js"
 * @import { Point } from "./replay.js"
 * @import { Frame } from "./still.js"
 * @import { Viewer } from "./viewer.js"
 */

/** Device pixels a cell from which on what an agent carries is marked, and how many items at most. */
const [PIPS_FROM, MOST_PIPS] = [24, 6];
const VIBE_FROM = 18;

/** @param {Viewer} viewer */
export function mapView(viewer) {
  const { replay, facts, sprites, state, store } = viewer;
  const canvas = h("canvas.map-canvas", { role: "img", label: "Map of the replay" });
  const tip = div("tip");
  const notice = h("div.notice", { role: "status" });
  const still = stillMap(viewer);
  const overlays = overlaysOf(viewer, place, drawAt);
  const view = {
    node: div("map", canvas, tip, notice),
    canvas, still, place, draw, zoom,
    hint: "",
    /** @type {View} */
    size: { width: 0, height: 0, map: replay.map },
    /** @param {number} width @param {number} height CSS pixels. */
    resize(width, height) {
      view.size = { ...view.size, width, height };
      sized(canvas, width * density(), height * density());
    },
    /** @returns {Camera} The camera in force. */
    get camera() {
      const { camera, follow, selected } = state;
      const now = cam.clamp(camera ?? cam.fit(view.size), view.size);
      if (!follow || selected < 0) return now;
      const { x, y } = place(selected);
      return { x: x + 0.5, y: y + 0.5, scale: now.scale };
    },
    set camera(camera) {
      store.set({ camera: cam.clamp(camera, view.size), follow: false });
    },
  };
  listen();

  /** @returns {boolean} Whether less than the whole map is in view. */
  const zoomed = () => view.camera.scale > cam.fit(view.size).scale * 1.02;

  /** @param {number} object @returns {Point} Where it is drawn, between two cells while it moves. */
  function place(object) {
    const { shown, fraction } = state;
    const now = replay.locate(object, shown);
    if (fraction <= 0 || replay.location.mover(object) < 0 || shown + 1 >= replay.steps || !replay.ready(shown + 1)) return now;
    const next = replay.locate(object, shown + 1);
    if (abs(next.x - now.x) + abs(next.y - now.y) > 2) return now;
    return { x: now.x + (next.x - now.x) * fraction, y: now.y + (next.y - now.y) * fraction };
  }

  function draw() {
    const { inks } = viewer;
    const { layers, selected, found } = state;
    const chosen = facts.isAgent[selected];
    const { map } = replay;
    const { width, height } = canvas;
    const { camera } = view;
    const pen = /** @type {Pen} */ (canvas.getContext("2d", { alpha: false }));
    const pitch = (camera.scale * width) / max(1, view.size.width);
    const [left, top] = [round(width / 2 - camera.x * pitch), round(height / 2 - camera.y * pitch)];
    /** @type {Frame} */
    const frame = { pitch, left, top, width, height };
    rect(pen, inks.raised, 0, 0, width, height);
    if (pitch >= PLAIN_BELOW) rect(pen, inks.floor, left, top, round(map.width * pitch), round(map.height * pitch));
    /** Draw with a pen that is as it was afterwards. @param {unknown} wanted @param {(pen: Pen, frame: Frame) => void} draw */
    const lay = (wanted, draw) => {
      if (!wanted) return;
      pen.save();
      draw(pen, frame);
      pen.restore();
    };
    const { fields } = replay.header;
    lay(true, still.draw);
    lay(layers.territory, overlays.territory);
    lay(layers.heat, overlays.presenceMap);
    lay(true, teamRings);
    lay(layers.trail && chosen, overlays.trail);
    lay(true, drawMovers);
    lay(layers.fog, overlays.fog);
    lay(layers.explored, overlays.explored);
    lay(found, overlays.hits);
    lay(layers.vision && chosen, overlays.vision);
    lay(selected >= 0, drawSelection);
    lay(layers.talk && chosen && fields.has("policy_infos"), overlays.target);
    lay(layers.talk && fields.has("talk_text"), overlays.talk);
    setText(notice, noticeText());
    // One finger pans a map that is zoomed; else it scrolls the page.
    canvas.style.touchAction = zoomed() ? "none" : "pan-y";
  }

  /** @param {Pen} pen @param {Frame} frame */
  function teamRings(pen, { left, top, pitch }) {
    for (const object of facts.teamThings) {
      const team = facts.team(object, state.shown);
      if (team < 0 || !replay.here(object, state.shown)) continue;
      const { x, y } = replay.locate(object, state.shown);
      ink(pen, teamColour(viewer.inks, facts.hue(team)), max(1, pitch * 0.1));
      pen.strokeRect(left + x * pitch + 0.5, top + y * pitch + 0.5, pitch - 1, pitch - 1);
    }
  }

  /** @param {Pen} pen @param {Frame} frame */
  function drawMovers(pen, frame) {
    const { x0, y0, x1, y1 } = cam.visibleCells(view.camera, view.size);
    for (const list of [facts.moving, replay.agents]) {
      for (const object of list) {
        const at = place(object);
        if (at.x >= x0 - 1 && at.y >= y0 - 1 && at.x <= x1 && at.y <= y1 && replay.here(object, state.shown)) drawAt(pen, frame, object);
      }
    }
  }

  /** @param {Pen} pen @param {Frame} frame @param {number} object */
  function drawAt(pen, { left, top, pitch }, object) {
    const { inks } = viewer;
    const at = place(object);
    const [x, y] = [left + round(at.x * pitch), top + round(at.y * pitch)];
    const size = max(2, round(pitch));
    const colour = viewer.colour(object);
    if (!facts.isAgent[object]) {
      if (size < PLAIN_BELOW) rect(pen, colour, x, y, size, size);
      else pen.drawImage(sprites.thing(facts.sprite(object), inks, size), x, y, size, size);
      return;
    }
    // A smaller dot could not be seen on a large map.
    const drawn = max(9 * density(), size);
    const shift = (drawn - size) / 2 + agentPad(drawn);
    const label = drawn >= 13 ? String(replay.agentIds[object]) : "";
    pen.drawImage(sprites.agent(colour, inks, label, drawn, drawn >= 8 ? facts.facing(object, state.shown) : -1), round(x - shift), round(y - shift));
    if (size >= 6) drawBadges(pen, object, x, y, size);
  }

  /** Mark a freeze, a failed action and a reward. @param {Pen} pen @param {number} object @param {number} x @param {number} y @param {number} size */
  function drawBadges(pen, object, x, y, size) {
    const { inks } = viewer;
    const { layers } = state;
    const at = /** @param {string} name */ (name) => replay.at(name, object, state.shown);
    const unit = max(3, size * 0.17);
    if (at("is_frozen")) {
      pen.globalAlpha = 0.7;
      const iced = drawPicture(pen, "frozen", x, y, size);
      pen.globalAlpha = 1;
      ink(pen, inks.cold, max(1.5, size * 0.1));
      if (!iced) pen.strokeRect(x + 1, y + 1, size - 2, size - 2);
    }
    if (size >= 10 && at("action_success") === 0) {
      const right = x + size - 1.4 * unit;
      ink(pen, inks.bad, max(1.5, size * 0.08));
      line(pen, right, y - unit * 0.2, right + 1.6 * unit, y + unit * 1.4);
      line(pen, right, y + unit * 1.4, right + 1.6 * unit, y - unit * 0.2);
    }
    if (layers.talk && size >= VIBE_FROM) drawVibe(pen, at("vibe_id"), x + size, y + size * 0.8, size * 0.34);
    const reward = at("current_reward");
    if (odd(reward)) write(pen, rewardText(reward), x, y, inks.bad, "left", `600 ${max(9, round(unit * 2))}`);
    else if (reward !== 0) disc(pen, reward > 0 ? inks.good : inks.bad, x + unit * 0.9, y + unit * 0.9, unit * 0.75);
    if (size >= PIPS_FROM && layers.items) drawPips(pen, object, x + size / 2, y + size, round(size * (sprites.atlas ? 0.22 : 0.14)));
  }

  /** @param {Pen} pen @param {string} key @param {number} x @param {number} y @param {number} size @returns {boolean} Whether there is such a picture. */
  function drawPicture(pen, key, x, y, size) {
    const picture = sprites.picture(key, size);
    if (picture) pen.drawImage(picture, x, y);
    return picture !== null;
  }

  /** Mark its vibe by the item that it is called after, or by its name's beginning. @param {Pen} pen @param {number} vibe The first is none. @param {number} right @param {number} bottom @param {number} side */
  function drawVibe(pen, vibe, right, bottom, side) {
    if (!vibe) return;
    const name = replay.header.vibe_names[vibe] ?? String(vibe);
    const [x, y] = [right - side / 2, bottom - side / 2];
    disc(pen, viewer.inks.page, x, y, side * 0.6);
    if (!drawPicture(pen, `item:${name.replace(/_[a-z]$/, "")}`, round(right - side), round(bottom - side), round(side))) write(pen, name.slice(0, 2), x, y, viewer.inks.talk, "center", `600 ${side * 0.7}`);
  }

  /** Mark what it carries, a square for each item. @param {Pen} pen @param {number} object @param {number} middle @param {number} bottom @param {number} side */
  function drawPips(pen, object, middle, bottom, side) {
    const held = facts.holdings(object, state.shown).slice(0, MOST_PIPS);
    held.forEach(([item], i) => {
      const left = round(middle + (i - held.length / 2) * (side + 2));
      if (drawPicture(pen, `item:${replay.header.item_names[item]}`, left - 1, bottom - side, side + 2)) return;
      rect(pen, viewer.inks.page, left - 1, bottom - side, side + 2, side + 2);
      rect(pen, series(viewer.inks, item), left, bottom - side + 1, side, side);
    });
  }

  /** @param {Pen} pen @param {Frame} frame */
  function drawSelection(pen, frame) {
    const at = centre(frame, place(state.selected));
    const unit = density();
    const { page, text } = viewer.inks;
    ring(pen, page, ...at, max(7 * unit, frame.pitch * 0.66), 5 * unit);
    ring(pen, text, ...at, max(7 * unit, frame.pitch * 0.66), 2.5 * unit);
  }

  function noticeText() {
    const { step } = state;
    const { failed } = replay.chunkOf(step);
    return replay.ready(step) ? view.hint : failed ? `Step ${step} cannot be shown: ${failed}.` : `Loading step ${step}`;
  }

  /** @param {number} px @param {number} py CSS pixels. @returns {number[]} Objects under the pointer, agents first. */
  function pick(px, py) {
    const { camera } = view;
    const cell = cam.toWorld(camera, view.size, px, py);
    const [x, y] = [floor(cell.x), floor(cell.y)];
    const far = /** @param {number} object */ (object) => {
      const at = place(object);
      return hypot(at.x + 0.5 - cell.x, at.y + 0.5 - cell.y);
    };
    const found = [...replay.agents, ...facts.moving]
      .filter((object) => far(object) < max(0.6, (facts.isAgent[object] * 9) / camera.scale) && replay.here(object, state.shown))
      .sort((a, b) => facts.isAgent[b] - facts.isAgent[a] || far(a) - far(b));
    facts.each(x, y, x + 1, y + 1, (object) => found.push(object));
    return found;
  }

  function listen() {
    /** Fingers or the pressed mouse, by the pointer's number. @type {Map<number, Point>} */
    const held = new Map();
    let moved = false;
    const lift = /** @param {PointerEvent} event */ ({ pointerId }) => held.delete(pointerId);
    set(canvas, {
      onpointerdown: (/** @type {PointerEvent} */ { button, pointerId, offsetX: x, offsetY: y }) => {
        if (button !== 0) return;
        moved = held.size > 0;
        held.set(pointerId, { x, y });
        canvas.setPointerCapture(pointerId);
      },
      onpointermove: (/** @type {PointerEvent} */ { pointerId, pointerType, offsetX: x, offsetY: y }) => {
        const before = held.get(pointerId);
        if (!before) return pointerType === "mouse" && hover(x, y);
        if (!moved && hypot(x - before.x, y - before.y) <= 4) return;
        moved = true;
        held.set(pointerId, { x, y });
        const other = [...held].find(([id]) => id !== pointerId)?.[1];
        if (other) pinch(before, { x, y }, other);
        else if (pointerType !== "touch" || zoomed()) pan(x - before.x, y - before.y);
      },
      onpointerup: (/** @type {PointerEvent} */ event) => {
        const at = held.get(event.pointerId);
        if (at && !moved) click(at.x, at.y);
        lift(event);
      },
      onpointercancel: lift,
      onpointerleave: () => hover(-1, -1),
      ondblclick: (/** @type {MouseEvent} */ { offsetX, offsetY }) => {
        const [object = -1] = pick(offsetX, offsetY);
        if (object < 0) return;
        viewer.select(object);
        if (!state.follow) viewer.toggleFollow();
      },
    });
    canvas.addEventListener("wheel", (event) => {
      // The page scrolls over an unfocused map: a notebook must not trap the wheel.
      if (!event.ctrlKey && !event.metaKey && !canvas.closest(".rv-root")?.matches(":focus-within")) return viewer.hint("Click the map, or hold Ctrl, to zoom with the wheel");
      event.preventDefault();
      zoom(Math.exp(-within(event.deltaY * (event.deltaMode ? 16 : 1), -240, 240) * 0.0022), event.offsetX, event.offsetY);
    }, { passive: false });
  }

  /** @param {number} dx @param {number} dy CSS pixels. */
  function pan(dx, dy) {
    const { x, y, scale } = view.camera;
    view.camera = { x: x - dx / scale, y: y - dy / scale, scale };
  }

  /** Zoom so that what is under both fingers stays there. @param {Point} before @param {Point} now Of the finger that moved. @param {Point} other */
  function pinch(before, now, other) {
    pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    const apart = /** @param {Point} finger */ ({ x, y }) => max(8, hypot(x - other.x, y - other.y));
    zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] CSS pixels; the middle when left out. */
  function zoom(factor, x = view.size.width / 2, y = view.size.height / 2) {
    const { node } = view;
    const before = node.clientWidth;
    const camera = cam.zoomAt(view.camera, view.size, factor, x, y);
    store.set({ camera });
    viewer.minimap.fold();
    // The map makes room for the small one at its right: what is under the pointer stays there.
    const wider = node.clientWidth - before;
    if (wider) store.set({ camera: { ...camera, x: camera.x + wider / 2 / camera.scale } });
  }

  /** @param {number} x @param {number} y */
  function click(x, y) {
    const here = pick(x, y);
    viewer.select(here[(here.indexOf(state.selected) + 1) % here.length] ?? -1);
  }

  /** @param {number} x @param {number} y */
  function hover(x, y) {
    const [object = -1] = x < 0 ? [] : pick(x, y);
    const over = object >= 0 && facts.sprite(object).kind !== "wall";
    canvas.style.cursor = over ? "pointer" : "";
    if (over) setText(tip, facts.summary(object, state.shown));
    showTip(tip, over, x + 14, y > view.size.height - 58 ? y - 36 : y + 16, view.size.width);
  }

  return view;
}
