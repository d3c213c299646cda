import assert from "node:assert/strict";
import { test } from "node:test";

import { describeAction, directionOfMove } from "../../widgets/replay/js/actions.js";
import * as cam from "../../widgets/replay/js/camera.js";
import { count, number, plural, signed, tickStep, words } from "../../widgets/page/js/format.js";
import { palettes } from "../../widgets/replay/js/palette.js";
import { Player, clampSpeed } from "../../widgets/replay/js/player.js";
import { mettascopeLink, readShare, readView, shareText, viewText } from "../../widgets/replay/js/share.js";
import { describeSprites, kindOf } from "../../widgets/replay/js/sprites.js";
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

test("actions fall into families, with a direction where the name has one", () => {
  const facts = ["noop", "move_north", "move", "rotate", "get_items", "put_items", "attack_nearest", "change_vibe_heart", "swap"].map((name) => describeAction(name));
  assert.deepEqual(facts.map((action) => action.family), ["wait", "move", "move", "turn", "take", "give", "attack", "signal", "other"]);
  assert.deepEqual(facts.map((action) => action.direction), [-1, 0, -1, -1, -1, -1, -1, -1, -1]);
  assert.deepEqual([directionOfMove(0, 0), directionOfMove(1, 0), directionOfMove(0, -1)], [-1, 3, 0]);
});

test("every type has a symbol of its own, the same each time", () => {
  const names = ["agent", "wall", "altar", "mine_red", "mine_blue", "carbon_extractor", "", "", "hub", "c:hub", "x1", "x2"];
  const first = describeSprites(names);
  assert.deepEqual(first, describeSprites(names));
  const things = first.filter((sprite, i) => sprite.kind === "thing" && names[i]);
  assert.equal(new Set(things.map((sprite) => `${sprite.shape},${sprite.hue}`)).size, things.length);
  assert.equal(new Set(things.map((sprite) => sprite.letters)).size, things.length);
  assert.deepEqual(["wall", "stone_wall", "swallow", "agent", "agent.prey"].map(kindOf), ["wall", "wall", "thing", "agent", "agent"]);
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
  assert.deepEqual(readShare("step=-1&selected=1e3"), { step: null, selected: null, view: null });
});

test("a link to MettaScope is made of public addresses only, percent-encoded", () => {
  assert.ok(mettascopeLink("https://h/a.json.z?x=1&y=2").endsWith("?replay=https%3A%2F%2Fh%2Fa.json.z%3Fx%3D1%26y%3D2"));
  for (const url of ["", "file:///etc/passwd", "javascript:alert(1)", "s3://b/k"]) assert.equal(mettascopeLink(url), "");
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

test("text and marks contrast with the page in both themes", () => {
  const light = (hex) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  for (const palette of Object.values(palettes)) {
    for (const key of ["text", "muted", "accent"]) assert.ok(contrast(palette[key], palette.page) >= 4.5, key);
    for (const mark of [...palette.series, palette.good, palette.bad, palette.cold, palette.gain, palette.talk]) assert.ok(contrast(mark, palette.page) >= 3, mark);
  }
});
