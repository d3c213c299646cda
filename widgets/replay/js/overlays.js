/** What is drawn over the map on demand: path, vision, fog, presence, search hits. */
import { abs, floor, log1p, max, min, within } from "../../page/js/maths.js";
import { teamColour } from "./palette.js";
import { FAMILY, density, ink, line, newCanvas, penOf, rect, ring, sized, write } from "./pen.js";
import { presenceOf } from "./presence.js";
import { matching } from "./search.js";
import { centre } from "./still.js";

/**
 * @import { Pen } from "./pen.js"
 * @import { Point } from "./replay.js"
 * @import { Found } from "./search.js"
 * @import { Frame } from "./still.js"
 * @import { Viewer } from "./viewer.js"
 * @typedef {(object: number) => Point} Place Where an object is drawn.
 */

const TRAIL_STEPS = 200;
/** Steps in which what was said fades, how many say something at once, and how much of it is shown. */
const [FADE_STEPS, MOST_BUBBLES, BUBBLE_CHARS] = [12, 24, 48];
/** More hits than these are shown without a ring each. */
const MOST_RINGS = 800;

/** What is drawn leaves the pen as it is. @param {Viewer} viewer @param {Place} place @param {(pen: Pen, frame: Frame, object: number) => void} drawAt Draws an object. */
export function overlaysOf(viewer, place, drawAt) {
  const { replay, facts, state, texts } = viewer;
  const { width, height } = replay.map;
  /** @type {ReturnType<typeof presenceOf> | undefined} */
  let presence;
  const [mask, heat] = [newCanvas(1), newCanvas(1)];

  /** Draw where the selected agent came from (solid) and goes to (dotted), fading with distance in time. @param {Pen} pen @param {Frame} frame */
  function trail(pen, frame) {
    const { selected, shown } = state;
    const wide = max(2 * density(), frame.pitch * 0.13);
    const [from, to] = [max(0, shown - TRAIL_STEPS), min(replay.steps, shown + TRAIL_STEPS)];
    let last = replay.locate(selected, from);
    ink(pen, viewer.colour(selected), wide);
    replay.location.runs(selected, from, to, (start) => {
      const at = replay.locate(selected, start);
      pen.globalAlpha = 0.9 - (0.8 * abs(start - shown)) / TRAIL_STEPS;
      pen.lineCap = start > shown ? "round" : "butt";
      pen.setLineDash(start > shown ? [wide * 0.1, wide * 2.1] : []);
      if (abs(at.x - last.x) + abs(at.y - last.y) <= 2) line(pen, ...centre(frame, last), ...centre(frame, at));
      last = at;
    });
  }

  /** Visit the rows that an agent sees, from its own, and how far it sees there: a disc with a tip on each side, before version 4 a square. @param {number} object @param {(row: number, wide: number) => void} visit */
  function rows(object, visit) {
    const reach = min(width + height, floor(replay.at("vision_size", object, state.shown) / 2)) || 0;
    const square = replay.header.version < 4;
    for (let row = -reach; row <= reach; row++) {
      const tip = reach > 1 && { [reach]: 1, 1: reach }[abs(row)];
      visit(row, square ? reach : tip || floor(Math.sqrt(reach * reach - row * row)));
    }
  }

  /** @param {Frame} frame @param {number} object @returns {Path2D} Around what it sees, in pixels. */
  function sight({ left, top, pitch }, object) {
    const { x, y } = place(object);
    const path = new Path2D();
    for (const side of [1, -1]) {
      rows(object, (row, wide) => {
        for (const edge of [row - 0.5, row + 0.5]) path.lineTo(left + (x + 0.5 + side * (wide + 0.5)) * pitch, top + (y + 0.5 + side * edge) * pitch);
      });
    }
    path.closePath();
    return path;
  }

  /** @param {Pen} pen @param {Frame} frame @param {string} colour Over the whole map. */
  const cover = (pen, { left, top, pitch }, colour) => rect(pen, colour, left, top, width * pitch, height * pitch);

  /** Mark where the selected agent's policy says that it goes. @param {Pen} pen @param {Frame} frame */
  function target(pen, frame) {
    const way = texts.target(state.selected, state.shown);
    if (!way) return;
    const { accent } = viewer.inks;
    const from = place(state.selected);
    const [x, y] = centre(frame, { x: from.x + way.x, y: from.y + way.y });
    const radius = max(6 * density(), frame.pitch * 0.4);
    ink(pen, accent, 2 * density());
    pen.setLineDash([4, 4]);
    line(pen, ...centre(frame, from), x, y);
    pen.setLineDash([]);
    ring(pen, accent, x, y, radius, 2 * density());
    line(pen, x - radius, y, x + radius, y);
    line(pen, x, y - radius, x, y + radius);
  }

  /** Draw what agents say, in bubbles that fade when it is said. @param {Pen} pen @param {Frame} frame */
  function talk(pen, frame) {
    const { inks } = viewer;
    const unit = density();
    const seen = new Set();
    for (const { object, until, text } of texts.recentTalk(state.shown, MOST_BUBBLES)) {
      const passed = state.shown + 1 - until;
      if (passed >= FADE_STEPS || seen.has(object) || !replay.here(object, state.shown)) continue;
      seen.add(object);
      const [x, y] = centre(frame, place(object));
      const said = text.length > BUBBLE_CHARS ? `${text.slice(0, BUBBLE_CHARS)}\u2026` : text;
      pen.globalAlpha = 1 - passed / FADE_STEPS;
      pen.font = 11 * unit + FAMILY;
      const wide = pen.measureText(said).width + 12 * unit;
      const left = within(x - wide / 2, 2, max(2, frame.width - wide - 2));
      const top = max(2, y - max(9 * unit, frame.pitch * 0.6) - 20 * unit);
      pen.beginPath();
      pen.roundRect(left, top, wide, 18 * unit, 5 * unit);
      pen.fillStyle = inks.page;
      pen.fill();
      ink(pen, inks.talk, unit);
      pen.stroke();
      write(pen, said, left + 6 * unit, top + 9.5 * unit, inks.text, "left", 11 * unit);
    }
  }

  /** @param {Pen} pen @param {Frame} frame */
  function vision(pen, frame) {
    ink(pen, viewer.inks.accent, 1.5);
    pen.setLineDash([5, 4]);
    pen.stroke(sight(frame, state.selected));
  }

  /** Darken what no agent sees; with an agent selected, what that one does not see. @param {Pen} pen @param {Frame} frame */
  function fog(pen, frame) {
    const { selected, shown } = state;
    const sheet = penOf(sized(mask, frame.width, frame.height));
    sheet.reset();
    cover(sheet, frame, viewer.inks.fog);
    sheet.globalCompositeOperation = "destination-out";
    for (const object of facts.isAgent[selected] ? [selected] : replay.agents) if (replay.here(object, shown)) sheet.fill(sight(frame, object));
    pen.drawImage(mask, 0, 0);
  }

  /** Darken what no agent has seen so far; with an agent selected, what that one has not. @param {Pen} pen @param {Frame} frame */
  function explored(pen, frame) {
    const { selected, shown } = state;
    const seen = Uint8Array.from(replay.explored, /** @returns {any} */ (step) => step <= shown);
    if (facts.isAgent[selected]) {
      seen.fill(0);
      replay.location.runs(selected, 0, shown + 1, (start) => {
        const { x, y } = replay.locate(selected, start);
        rows(selected, (row, wide) => {
          const at = (y + row) * width;
          if (at >= 0) seen.fill(1, at + max(0, x - wide), at + min(width, x + wide + 1));
        });
      });
    }
    cells(pen, frame, seen, [viewer.inks.fog]);
  }

  /** Tint what each team holds, but for those left out. @param {Pen} pen @param {Frame} frame */
  function territory(pen, frame) {
    const holders = Uint16Array.from({ length: width * height }, (_, cell) => replay.territory.at(cell, state.shown));
    pen.globalAlpha = 0.3;
    cells(pen, frame, holders, ["", ...facts.teams.hues.map((hue, team) => (state.hidden.has(team) ? "" : teamColour(viewer.inks, hue)))]);
  }

  /** Draw a sheet with a pixel for each cell over the map. @param {Pen} pen @param {Frame} frame @param {(sheet: Pen) => void} paint */
  function layCells(pen, { left, top, pitch }, paint) {
    const sheet = penOf(sized(heat, width, height));
    sheet.reset();
    paint(sheet);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(heat, left, top, width * pitch, height * pitch);
  }

  /** Colour cells by what they hold. @param {Pen} pen @param {Frame} frame @param {Uint8Array | Uint16Array} held @param {string[]} colours By value; none leaves a cell as it is. */
  function cells(pen, frame, held, colours) {
    layCells(pen, frame, (sheet) => {
      // Neighbours of one colour are one rectangle.
      for (let from = 0, cell = 1; cell <= held.length; cell++) {
        if (cell % width && held[cell] === held[from]) continue;
        const colour = colours[held[from]];
        if (colour) rect(sheet, colour, from % width, floor(from / width), cell - from, 1);
        from = cell;
      }
    });
  }

  /** Draw how much time agents have spent on each cell. @param {Pen} pen @param {Frame} frame */
  function presenceMap(pen, frame) {
    const { advance, counts } = (presence ??= presenceOf(replay));
    if (!advance(state.shown, 8)) viewer.invalidate("map");
    layCells(pen, frame, (sheet) => {
      const top = log1p(presence?.peak ?? 0);
      counts.forEach((steps, cell) => {
        sheet.globalAlpha = 0.12 + 0.6 * (log1p(steps) / top);
        if (steps) rect(sheet, viewer.inks.heat, cell % width, floor(cell / width), 1, 1);
      });
    });
  }

  /** Dim the map and draw the search hits on top, each with a ring. @param {Pen} pen @param {Frame} frame */
  function hits(pen, frame) {
    const { floor: ground, accent } = viewer.inks;
    pen.globalAlpha = 0.72;
    cover(pen, frame, ground);
    pen.globalAlpha = 1;
    const list = matching(facts, /** @type {Found} */ (state.found), state.shown);
    for (const object of list) {
      drawAt(pen, frame, object);
      if (list.length <= MOST_RINGS) ring(pen, accent, ...centre(frame, place(object)), max(5 * density(), frame.pitch * 0.72), max(1.5 * density(), frame.pitch * 0.06));
    }
  }

  return { trail, target, talk, vision, fog, explored, territory, presenceMap, hits };
}
