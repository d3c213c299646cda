/** What is drawn over the map on demand: path, vision, fog, presence, search hits. */
import { Part } from "./part.js";
import { newCanvas, penOf, rect, ring } from "./pen.js";
import { Presence } from "./presence.js";
import { matching } from "./search.js";

/**
 * @import { Pen } from "./pen.js"
 * @import { Point } from "./replay.js"
 * @import { Frame } from "./tiles.js"
 */

const TRAIL_STEPS = 200;
const BANDS = 8;
/** More hits than these are shown without a ring each. */
const MOST_RINGS = 800;

export class Overlays extends Part {
  presence = new Presence(this.replay);
  mask = newCanvas(1);
  heat = newCanvas(this.presence.tooLarge ? 1 : this.replay.map.width, this.presence.tooLarge ? 1 : this.replay.map.height);

  /** Draw where the selected agent came from (solid) and goes to (dotted), fading with distance in time. @param {Pen} pen @param {Frame} frame */
  trail(pen, frame) {
    const { selected, shown } = this.state;
    if (!this.facts.isAgent[selected]) return;
    const width = Math.max(2, frame.perCell * 0.13);
    pen.strokeStyle = this.facts.colour(selected, shown, this.palette);
    pen.lineJoin = pen.lineCap = "round";
    pen.lineWidth = width;
    for (let band = BANDS; band > 0; band--) {
      const [near, far] = [((band - 1) * TRAIL_STEPS) / BANDS, (band * TRAIL_STEPS) / BANDS];
      pen.globalAlpha = 0.9 * (1 - (band - 1) / BANDS);
      this.#path(pen, frame, selected, shown - far, shown - near);
      pen.setLineDash([width * 0.1, width * 2.1]);
      this.#path(pen, frame, selected, shown + near, shown + far);
      pen.setLineDash([]);
    }
    pen.globalAlpha = 1;
  }

  /** @param {Pen} pen @param {Frame} frame @param {number} object @param {number} from @param {number} to */
  #path(pen, frame, object, from, to) {
    const { replay } = this;
    const last = { x: -9, y: -9 };
    pen.beginPath();
    replay.location.runs(object, Math.max(0, from), Math.min(replay.steps, to + 1), (start) => {
      const { x, y } = replay.locate(object, start);
      const [px, py] = [frame.left + (x + 0.5) * frame.perCell, frame.top + (y + 0.5) * frame.perCell];
      if (Math.abs(x - last.x) + Math.abs(y - last.y) > 2) pen.moveTo(px, py);
      else pen.lineTo(px, py);
      Object.assign(last, { x, y });
    });
    pen.stroke();
  }

  /** @param {Frame} frame @param {number} object @param {Point} place @returns {[number, number, number, number]} What it sees, in pixels. */
  #sight(frame, object, { x, y }) {
    const reach = Math.floor(this.replay.at("vision_size", object, this.state.shown) / 2) || 0;
    const side = (2 * reach + 1) * frame.perCell;
    return [frame.left + (x - reach) * frame.perCell, frame.top + (y - reach) * frame.perCell, side, side];
  }

  /** @param {Pen} pen @param {Frame} frame @param {(object: number) => Point} place */
  vision(pen, frame, place) {
    const { selected } = this.state;
    if (!this.facts.isAgent[selected]) return;
    pen.strokeStyle = this.palette.accent;
    pen.lineWidth = 1.5;
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
      if (replay.alive.at(object, shown) !== 0) sheet.clearRect(...this.#sight(frame, object, place(object)));
    }
    pen.drawImage(mask, 0, 0);
  }

  /** Draw how much time agents have spent on each cell. @param {Pen} pen @param {Frame} frame @returns {boolean} Whether all is counted. */
  presenceMap(pen, frame) {
    const { presence, heat } = this;
    const done = presence.advance(this.state.shown, 8);
    if (presence.tooLarge) return true;
    const sheet = penOf(heat);
    const image = sheet.createImageData(heat.width, heat.height);
    const top = Math.log1p(presence.peak);
    presence.counts.forEach((count, cell) => {
      if (count) image.data.set([...this.palette.heat, 30 + 150 * (Math.log1p(count) / top)], 4 * cell);
    });
    sheet.putImageData(image, 0, 0);
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
    const radius = Math.max(4, frame.perCell * 0.72);
    for (const object of list) {
      const at = place(object);
      const [px, py] = [frame.left + (at.x + 0.5) * frame.perCell, frame.top + (at.y + 0.5) * frame.perCell];
      if (px < -radius || py < -radius || px > frame.width + radius || py > frame.height + radius) continue;
      draw(object, at);
      if (list.length <= MOST_RINGS) ring(pen, this.palette.accent, px, py, radius, Math.max(1.5, frame.perCell * 0.06));
    }
  }
}
