/** What is drawn over the map on demand: path, vision, fog, presence, search hits. */
import { abs, floor, log1p, max, min } from "../../page/js/maths.js";
import { Part } from "./part.js";
import { ink, line, newCanvas, penOf, pixelRatio, rect, ring, sized } from "./pen.js";
import { Presence } from "./presence.js";
import { matching } from "./search.js";
import { centre } from "./still.js";

/**
 * @import { Pen } from "./pen.js"
 * @import { Point } from "./replay.js"
 * @import { Frame } from "./still.js"
 */

const TRAIL_STEPS = 200;
/** More hits than these are shown without a ring each. */
const MOST_RINGS = 800;

export class Overlays extends Part {
  presence = new Presence(this.replay);
  mask = newCanvas(1);
  heat = newCanvas(1);

  /** Draw where the selected agent came from (solid) and goes to (dotted), fading with distance in time. @param {Pen} pen @param {Frame} frame */
  trail(pen, frame) {
    const { replay, selected, shown } = this;
    const width = max(2 * pixelRatio(), frame.perCell * 0.13);
    const [from, to] = [max(0, shown - TRAIL_STEPS), min(replay.steps, shown + TRAIL_STEPS)];
    let last = replay.locate(selected, from);
    ink(pen, this.colour(selected), width);
    replay.location.runs(selected, from, to, (start) => {
      const at = replay.locate(selected, start);
      pen.globalAlpha = 0.9 - (0.8 * abs(start - shown)) / TRAIL_STEPS;
      pen.lineCap = start > shown ? "round" : "butt";
      pen.setLineDash(start > shown ? [width * 0.1, width * 2.1] : []);
      if (abs(at.x - last.x) + abs(at.y - last.y) <= 2) line(pen, ...centre(frame, last), ...centre(frame, at));
      last = at;
    });
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  /** @param {Frame} frame @param {number} object @param {Point} place @returns {[number, number, number, number]} What it sees, in pixels. */
  #sight(frame, object, { x, y }) {
    const reach = floor(this.replay.at("vision_size", object, this.shown) / 2) || 0;
    const side = (2 * reach + 1) * frame.perCell;
    return [frame.left + (x - reach) * frame.perCell, frame.top + (y - reach) * frame.perCell, side, side];
  }

  /** @param {Pen} pen @param {Frame} frame @param {string} colour Over the whole map. */
  #cover(pen, { left, top, perCell }, colour) {
    const { width, height } = this.replay.map;
    rect(pen, colour, left, top, width * perCell, height * perCell);
  }

  /** @param {Pen} pen @param {Frame} frame @param {(object: number) => Point} place */
  vision(pen, frame, place) {
    ink(pen, this.palette.accent, 1.5);
    pen.setLineDash([5, 4]);
    pen.strokeRect(...this.#sight(frame, this.selected, place(this.selected)));
    pen.setLineDash([]);
  }

  /** Darken what no agent sees; with an agent selected, what that one does not see. @param {Pen} pen @param {Frame} frame @param {(object: number) => Point} place */
  fog(pen, frame, place) {
    const { replay, mask, selected, shown } = this;
    const sheet = penOf(sized(mask, frame.width, frame.height));
    sheet.clearRect(0, 0, mask.width, mask.height);
    this.#cover(sheet, frame, this.palette.fog);
    for (const object of this.facts.isAgent[selected] ? [selected] : replay.agents) {
      if (replay.here(object, shown)) sheet.clearRect(...this.#sight(frame, object, place(object)));
    }
    pen.drawImage(mask, 0, 0);
  }

  /** Draw how much time agents have spent on each cell. @param {Pen} pen @param {Frame} frame @returns {boolean} Whether all is counted. */
  presenceMap(pen, frame) {
    const { presence, heat } = this;
    const done = presence.advance(this.shown, 8);
    if (presence.tooLarge) return true;
    const sheet = penOf(sized(heat, this.replay.map.width, this.replay.map.height));
    const top = log1p(presence.peak);
    sheet.clearRect(0, 0, heat.width, heat.height);
    presence.counts.forEach((count, cell) => {
      sheet.globalAlpha = 0.12 + 0.6 * (log1p(count) / top);
      if (count) rect(sheet, this.palette.heat, cell % heat.width, floor(cell / heat.width), 1, 1);
    });
    pen.imageSmoothingEnabled = false;
    pen.drawImage(heat, frame.left, frame.top, heat.width * frame.perCell, heat.height * frame.perCell);
    return done;
  }

  /**
   * Dim the map and draw the search hits on top, each with a ring.
   * @param {Pen} pen @param {Frame} frame @param {(object: number) => Point} place @param {(object: number, place: Point) => void} draw
   */
  hits(pen, frame, place, draw) {
    const { found, shown } = this.state;
    if (!found) return;
    pen.globalAlpha = 0.72;
    this.#cover(pen, frame, this.palette.floor);
    pen.globalAlpha = 1;
    const { perCell } = frame;
    const list = matching(this.facts, found, shown);
    for (const object of list) {
      const at = place(object);
      draw(object, at);
      if (list.length <= MOST_RINGS) ring(pen, this.palette.accent, ...centre(frame, at), max(5 * pixelRatio(), perCell * 0.72), max(1.5 * pixelRatio(), perCell * 0.06));
    }
  }
}
