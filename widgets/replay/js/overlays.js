/** What is drawn over the map on demand: path, vision, fog, presence, search hits. */
import { series } from "./palette.js";
import { matching } from "./search.js";

/**
 * @import { Presence } from "./presence.js"
 * @import { Context } from "./viewer.js"
 * @import { Frame } from "./tiles.js"
 * @typedef {(object: number) => {x: number, y: number}} Place
 */

const TRAIL_STEPS = 200;
const BANDS = 8;
const TAU = Math.PI * 2;

/**
 * Draw where the selected agent came from (solid) and goes to (dotted), fading with distance in time.
 * @param {CanvasRenderingContext2D} context @param {Context} viewer @param {Frame} frame
 */
export function drawTrail(context, viewer, frame) {
  const { replay, facts, store } = viewer;
  const { selected, shown } = store.state;
  if (selected < 0 || !facts.isAgent[selected] || !replay.ready(shown)) return;
  const palette = viewer.palette();
  const width = Math.max(2, frame.perCell * 0.13);
  context.strokeStyle = series(palette, facts.teams.hue(facts.teams.of(selected, shown)));
  context.fillStyle = context.strokeStyle;
  context.lineJoin = "round";
  context.lineCap = "round";
  context.lineWidth = width;
  for (let band = BANDS - 1; band >= 0; band--) {
    const far = (TRAIL_STEPS * (band + 1)) / BANDS;
    const near = (TRAIL_STEPS * band) / BANDS;
    context.globalAlpha = 0.9 * (1 - band / BANDS);
    context.setLineDash([]);
    pathBetween(context, viewer, frame, selected, shown - far, shown - near);
    context.setLineDash([width * 0.1, width * 2.1]);
    pathBetween(context, viewer, frame, selected, shown + near, shown + far);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context @param {Context} viewer @param {Frame} frame
 * @param {number} object @param {number} from @param {number} to
 */
function pathBetween(context, viewer, frame, object, from, to) {
  const { replay } = viewer;
  const first = Math.max(0, Math.round(from));
  const last = Math.min(replay.steps - 1, Math.round(to));
  if (first >= last) return;
  const place = { x: 0, y: 0 };
  let [lastX, lastY, started] = [0, 0, false];
  context.beginPath();
  replay.location.runs(object, first, last + 1, (start) => {
    replay.locate(object, start, place);
    const x = frame.originX + (place.x + 0.5) * frame.perCell;
    const y = frame.originY + (place.y + 0.5) * frame.perCell;
    const jump = Math.abs(place.x - lastX) + Math.abs(place.y - lastY) > 2;
    if (!started || jump) context.moveTo(x, y);
    else context.lineTo(x, y);
    [lastX, lastY, started] = [place.x, place.y, true];
  });
  context.stroke();
}

/** @param {Context} viewer @param {number} object @returns {number} Cells seen to each side. */
function sight(viewer, object) {
  const size = viewer.replay.field("vision_size").at(object, viewer.store.state.shown);
  return Number.isFinite(size) ? Math.max(0, Math.floor(size / 2)) : 5;
}

/** @param {CanvasRenderingContext2D} context @param {Context} viewer @param {Frame} frame @param {Place} place */
export function drawVision(context, viewer, frame, place) {
  const { selected } = viewer.store.state;
  if (selected < 0 || !viewer.facts.isAgent[selected]) return;
  const reach = sight(viewer, selected);
  const { x, y } = place(selected);
  const side = (2 * reach + 1) * frame.perCell;
  context.strokeStyle = viewer.palette().accent;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.strokeRect(frame.originX + (x - reach) * frame.perCell, frame.originY + (y - reach) * frame.perCell, side, side);
  context.setLineDash([]);
}

/**
 * Darken what no agent sees; with an agent selected, what that one does not see.
 * @param {CanvasRenderingContext2D} context @param {Context} viewer @param {Frame} frame @param {Place} place
 */
export function drawFog(context, viewer, frame, place) {
  const { replay, facts, store } = viewer;
  const { selected, shown } = store.state;
  const watchers = selected >= 0 && facts.isAgent[selected] ? [selected] : replay.agents;
  const mask = scratch(frame.width, frame.height);
  const pen = /** @type {CanvasRenderingContext2D} */ (mask.getContext("2d"));
  pen.clearRect(0, 0, frame.width, frame.height);
  pen.fillStyle = viewer.palette().fog;
  pen.fillRect(frame.originX, frame.originY, replay.map.width * frame.perCell, replay.map.height * frame.perCell);
  for (const object of watchers) {
    if (replay.alive.at(object, shown) === 0) continue;
    const reach = sight(viewer, object);
    const { x, y } = place(object);
    const side = (2 * reach + 1) * frame.perCell;
    pen.clearRect(frame.originX + (x - reach) * frame.perCell, frame.originY + (y - reach) * frame.perCell, side, side);
  }
  context.drawImage(mask, 0, 0);
}

/** @type {HTMLCanvasElement | null} */
let fogMask = null;

/** @param {number} width @param {number} height */
function scratch(width, height) {
  fogMask ??= document.createElement("canvas");
  if (fogMask.width !== width || fogMask.height !== height) {
    fogMask.width = width;
    fogMask.height = height;
  }
  return fogMask;
}

/**
 * Draw how much time agents have spent on each cell.
 * @param {CanvasRenderingContext2D} context @param {Presence} presence @param {Context} viewer @param {Frame} frame
 */
export function drawHeat(context, presence, viewer, frame) {
  if (presence.tooLarge || presence.peak === 0) return;
  const { width, height } = viewer.replay.map;
  const picture = document.createElement("canvas");
  picture.width = width;
  picture.height = height;
  const pen = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"));
  const image = pen.createImageData(width, height);
  const [red, green, blue] = viewer.palette().heat;
  const top = Math.log1p(presence.peak);
  for (let cell = 0; cell < presence.counts.length; cell++) {
    const count = presence.counts[cell];
    if (count === 0) continue;
    image.data[4 * cell] = red;
    image.data[4 * cell + 1] = green;
    image.data[4 * cell + 2] = blue;
    image.data[4 * cell + 3] = 30 + 200 * (Math.log1p(count) / top);
  }
  pen.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, frame.originX, frame.originY, width * frame.perCell, height * frame.perCell);
}

/**
 * Dim the map and draw the search hits on top, each with a ring.
 * @param {CanvasRenderingContext2D} context @param {Context} viewer @param {Frame} frame @param {Place} place
 * @param {(object: number) => void} drawObject
 */
export function drawHighlights(context, viewer, frame, place, drawObject) {
  const { store, facts } = viewer;
  const { found, shown } = store.state;
  if (!found) return;
  const palette = viewer.palette();
  context.globalAlpha = 0.72;
  context.fillStyle = palette.floor;
  context.fillRect(frame.originX, frame.originY, viewer.replay.map.width * frame.perCell, viewer.replay.map.height * frame.perCell);
  context.globalAlpha = 1;
  const hits = matching(facts, found, shown);
  const ring = Math.max(4, frame.perCell * 0.72);
  context.lineWidth = Math.max(1.5, frame.perCell * 0.06);
  for (const object of hits) {
    const { x, y } = place(object);
    const px = frame.originX + (x + 0.5) * frame.perCell;
    const py = frame.originY + (y + 0.5) * frame.perCell;
    if (px < -ring || py < -ring || px > frame.width + ring || py > frame.height + ring) continue;
    drawObject(object);
    if (hits.length > 800) continue;
    context.strokeStyle = palette.accent;
    context.beginPath();
    context.arc(px, py, ring, 0, TAU);
    context.stroke();
  }
}
