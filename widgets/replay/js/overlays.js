/** What is drawn over the map on demand: path, vision, fog, presence, search hits. */
import { abs, floor, log1p, max, min } from "./maths.js";
import { Part } from "./part.js";
import { ink, line, newCanvas, penOf, pixelRatio, rect, ring } from "./pen.js";
import { Presence } from "./presence.js";
import { matching } from "./search.js";

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
  heat = newCanvas(this.presence.tooLarge ? 1 : this.replay.map.width, this.presence.tooLarge ? 1 : this.replay.map.height);

  /** Draw where the selected agent came from (solid) and goes to (dotted), fading with distance in time. @param {Pen} pen @param {Frame} frame */
  trail(pen, { left, top, perCell }) {
    const { replay } = this;
    const { selected, shown } = this.state;
    const width = max(2 * pixelRatio(), perCell * 0.13);
    const [from, to] = [max(0, shown - TRAIL_STEPS), min(replay.steps, shown + TRAIL_STEPS)];
    let last = replay.locate(selected, from);
    ink(pen, this.facts.colour(selected, shown, this.palette), width);
    pen.lineCap = "round";
    replay.location.runs(selected, from, to, (start) => {
      const at = replay.locate(selected, start);
      pen.globalAlpha = 0.9 - (0.8 * abs(start - shown)) / TRAIL_STEPS;
      pen.setLineDash(start > shown ? [width * 0.1, width * 2.1] : []);
      pen.beginPath();
      if (abs(at.x - last.x) + abs(at.y - last.y) <= 2) line(pen, ...[last, at].flatMap(({ x, y }) => [left + (x + 0.5) * perCell, top + (y + 0.5) * perCell]));
      pen.stroke();
      last = at;
    });
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  /** @param {Frame} frame @param {number} object @param {Point} place @returns {[number, number, number, number]} What it sees, in pixels. */
  #sight(frame, object, { x, y }) {
    const reach = floor(this.replay.at("vision_size", object, this.state.shown) / 2) || 0;
    const side = (2 * reach + 1) * frame.perCell;
    return [frame.left + (x - reach) * frame.perCell, frame.top + (y - reach) * frame.perCell, side, side];
  }

  /** @param {Pen} pen @param {Frame} frame @param {(object: number) => Point} place */
  vision(pen, frame, place) {
    const { selected } = this.state;
    ink(pen, this.palette.accent, 1.5);
    pen.setLineDash([5, 4]);
    pen.strokeRect(...this.#sight(frame, selected, place(selected)));
    pen.setLineDash([]);
  }

  /** Darken what no agent sees; with an agent selected, what that one does not see. @param {Pen} pen @param {Frame} frame @param {(object: number) => Point} place */
  fog(pen, frame, place) {
    const { replay, mask } = this;
    const { selected, shown } = this.state;
    const { width, height } = replay.map;
    [mask.width, mask.height] = [frame.width, frame.height];
    const sheet = penOf(mask);
    rect(sheet, this.palette.fog, frame.left, frame.top, width * frame.perCell, height * frame.perCell);
    for (const object of this.facts.isAgent[selected] ? [selected] : replay.agents) {
      if (replay.here(object, shown)) sheet.clearRect(...this.#sight(frame, object, place(object)));
    }
    pen.drawImage(mask, 0, 0);
  }

  /** Draw how much time agents have spent on each cell. @param {Pen} pen @param {Frame} frame @returns {boolean} Whether all is counted. */
  presenceMap(pen, frame) {
    const { presence, heat } = this;
    const done = presence.advance(this.state.shown, 8);
    if (presence.tooLarge) return true;
    const sheet = penOf(heat);
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
    const { width, height } = this.replay.map;
    pen.globalAlpha = 0.72;
    rect(pen, this.palette.floor, frame.left, frame.top, width * frame.perCell, height * frame.perCell);
    pen.globalAlpha = 1;
    const list = matching(this.facts, found, shown);
    for (const object of list) {
      const at = place(object);
      draw(object, at);
      if (list.length <= MOST_RINGS) ring(pen, this.palette.accent, frame.left + (at.x + 0.5) * frame.perCell, frame.top + (at.y + 0.5) * frame.perCell, max(5 * pixelRatio(), frame.perCell * 0.72), max(1.5 * pixelRatio(), frame.perCell * 0.06));
    }
  }
}
