import assert from "node:assert/strict";
import { test } from "node:test";

import { directionOfMove } from "../../widgets/replay/js/actions.js";
import * as cam from "../../widgets/replay/js/camera.js";
import { count, number, plural, signed, tickStep, words } from "../../widgets/page/js/format.js";
import { Player, clampSpeed } from "../../widgets/replay/js/player.js";
import { readShare, readView, shareText, viewText } from "../../widgets/replay/js/share.js";
import { Store } from "../../widgets/replay/js/store.js";
import { extent, ratePerStep, runningTotal, stepAt, ticks, xOf } from "../../widgets/replay/js/timeline.js";

const MAP = { width: 100, height: 50 };
const VIEW = { width: 800, height: 400, map: MAP };

test("numbers have three digits, separators and a true minus", () => {
  assert.deepEqual([0, 1234567, 0.123456, -2.5, 1e-6, NaN].map(number), ["0", "1,234,567", "0.123", "\u22122.5", "1.00e\u22126", "\u2013"]);
  assert.deepEqual([1234.6, -1000, NaN].map(count), ["1,235", "\u22121,000", "\u2013"]);
  assert.deepEqual([signed(2), signed(-2), signed(0)], ["+2", "\u22122", "0"]);
  assert.deepEqual([plural(1, "agent"), plural(1000, "agent"), words("carbon_extractor"), words("")], ["1 agent", "1,000 agents", "carbon extractor", "unnamed"]);
});

test("fitting shows the whole map", () => {
  const seen = cam.visibleCells(cam.fit(VIEW), VIEW);
  assert.deepEqual(seen, { x0: 0, y0: 0, x1: 100, y1: 50 });
});

test("zooming keeps the cell under the pointer", () => {
  const before = { x: 50, y: 25, scale: 10 };
  const cell = cam.toWorld(before, VIEW, 600, 300);
  const after = cam.toWorld(cam.zoomAt(before, VIEW, 1.7, 600, 300), VIEW, 600, 300);
  assert.ok(Math.hypot(after.x - cell.x, after.y - cell.y) < 1e-9);
});

test("a camera stays on the map and within its scales", () => {
  assert.deepEqual(cam.clamp({ x: -9, y: 999, scale: 1e9 }, VIEW), { x: 0, y: 50, scale: cam.MAX_SCALE });
  assert.deepEqual(cam.clamp({ x: NaN, y: 1, scale: 1 }, VIEW), cam.fit(VIEW));
});

test("steps and pixels agree both ways", () => {
  const axis = { left: 78, width: 700, steps: 1000 };
  for (const step of [0, 1, 500, 999]) assert.equal(stepAt(axis, xOf(axis, step)), step);
  assert.equal(stepAt(axis, -50), 0);
  assert.equal(stepAt(axis, 5000), 999);
  assert.equal(xOf({ ...axis, steps: 1 }, 0), 78);
});

test("ticks are round, start at 0 and stay inside", () => {
  assert.deepEqual(ticks({ left: 0, width: 700, steps: 1000 }), [0, 200, 400, 600, 800]);
  assert.deepEqual(ticks({ left: 0, width: 700, steps: 1 }), [0]);
  assert.equal(tickStep(0, 5), 1);
});

test("rates are per step and agent, totals run", () => {
  assert.deepEqual([...ratePerStep([4, 8], 8, 2)], [0.5, 1]);
  assert.deepEqual([...runningTotal([4, 8], 2)], [2, 6]);
  assert.deepEqual(extent([-1e-12, 3]), { low: 0, high: 3 });
  assert.deepEqual(extent([]), { low: 0, high: 1 });
});

test("a step on the map has the direction of its longer side", () => {
  assert.deepEqual([directionOfMove(0, 0), directionOfMove(1, 0), directionOfMove(0, -1)], [-1, 3, 0]);
});

test("a view survives being written and read", () => {
  const camera = { x: 12.5, y: 3.25, scale: 8 };
  assert.deepEqual(readView(viewText(camera, true)), { camera, follow: true });
  assert.equal(viewText(null, false), "");
  for (const text of ["", "1,2", "1,2,x", "1,2,-3", "1e9999,2,3", "NaN,1,1", null, "1,2,0"]) assert.equal(readView(text).camera, null, String(text));
});

test("a place survives being shared, whatever stands around it", () => {
  const text = shareText({ step: 120, selected: 7, view: "5,4,12,follow" });
  assert.equal(text, "step=120&selected=7&view=5%2C4%2C12%2Cfollow");
  assert.deepEqual(readShare(`https://host/page?${text}&other=1`), { step: 120, selected: 7, view: "5,4,12,follow" });
  assert.deepEqual(readShare("step=-1&selected=1e3"), { step: undefined, selected: undefined, view: undefined });
});

test("playing turns time into steps and stops at the end", () => {
  const player = new Player([{ steps: 10, ready: () => true, load: () => {} }]);
  assert.equal(player.tick(0, 10).step, 0);
  assert.deepEqual(player.tick(150, 10), { step: 1, fraction: 0.5, ended: false });
  assert.equal(player.tick(10_000, 10).step, 4);
  assert.deepEqual(player.tick(10_200, 1000), { step: 9, fraction: 0, ended: true });
});

test("playing waits for steps that are still loading", () => {
  const asked = [];
  const player = new Player([{ steps: 100, ready: (step) => step < 5, load: (step) => asked.push(step) }]);
  player.seek(4);
  player.tick(0, 50);
  assert.equal(player.tick(200, 50).step, 4);
  assert.ok(asked.includes(14));
});

test("a speed is always playable", () => {
  assert.deepEqual([NaN, 0, 5, 1e9].map(clampSpeed), [10, 0.1, 5, 1000]);
});

test("listeners hear only of what changed", () => {
  const store = new Store();
  const heard = [];
  store.listeners.add((changed) => heard.push(changed));
  store.set({ step: 0, speed: 20 });
  store.set({ speed: 20 });
  assert.deepEqual(heard, [["speed"]]);
});

