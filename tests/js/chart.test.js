import assert from "node:assert/strict";
import test from "node:test";

import { changed, columnsIn, nearest, recoloured, rowsOf, waitHeight } from "../../widgets/charts/js/data.js";

test("columns become rows, and no columns none", () => {
  assert.deepEqual(rowsOf({ x: [1, 2], name: ["a", "b"] }), [{ x: 1, name: "a" }, { x: 2, name: "b" }]);
  assert.deepEqual(rowsOf({}), []);
});

test("colours are put in place of others, wherever they stand and however deep", () => {
  const spec = { mark: { color: "#0072b2" }, scale: { range: ["#0072b2", "#123456"] }, text: "no colour" };
  const dark = recoloured(spec, { "#0072b2": "#56b4e9", "#56b4e9": "#000000" });
  assert.deepEqual(dark, { mark: { color: "#56b4e9" }, scale: { range: ["#56b4e9", "#123456"] }, text: "no colour" });
});

test("the nearest point counts, and none where all are far", () => {
  const points = { x: [0, 10, 20], y: [0, 0, 50], k: [0, 1, 2] };
  const same = (/** @type {number} */ value) => value;
  assert.equal(nearest(points, { x: 11, y: 3 }, same, same), 1);
  assert.equal(nearest(points, { x: 200, y: 0 }, same, same), -1);
  assert.equal(nearest({}, { x: 0, y: 0 }, same, same), -1);
});

test("a piece changes the stretches and columns that it names, and nothing else", () => {
  const before = { points: { x: [0, 1, 0, 1], k: [0, 0, 1, 1] }, runs: { k: [0, 1], state: ["running", "running"] }, rest: { x: [7] }, old: { x: [1] } };
  const after = changed(before, { gone: ["old"], datasets: {
    points: { cuts: [[1, 1, 2], [4, 0, 1]], columns: { x: [5, 6, 2], k: [0, 0, 1] } },
    runs: { columns: { state: ["running", "failed"] } },
    fresh: { columns: { x: [9] } },
  } });
  assert.deepEqual(after, { points: { x: [0, 5, 6, 0, 1, 2], k: [0, 0, 0, 1, 1, 1] }, runs: { k: [0, 1], state: ["running", "failed"] }, rest: { x: [7] }, fresh: { x: [9] } });
  assert.deepEqual(before.points.x, [0, 1, 0, 1]);
  assert.equal(after.rest, before.rest);
});

test("small charts stand in as many columns as the page has room for, and at least in one", () => {
  const spec = { columns: 3, concat: [{ width: 268 }] };
  assert.deepEqual([100, 380, 680, 1040, 3000].map((width) => columnsIn(spec, width)), [1, 1, 2, 3, 3]);
  assert.equal(columnsIn(spec, 0), 3);
});

test("a chart that waits is about as high as it will be: plots, axes and legends", () => {
  const legend = (/** @type {string} */ orient) => ({ encoding: { color: { legend: { orient } } } });
  const wait = (/** @type {any} */ spec) => waitHeight(spec);
  assert.equal(wait({}), 44);
  assert.equal(wait({ height: 320, layer: [{}] }), 364);
  assert.equal(wait({ height: 320, layer: [legend("top"), legend("top"), legend("bottom")] }), 424);
  assert.equal(wait({ columns: 3, concat: [{ height: 130 }, { height: 130 }, { height: 130 }, { height: 130 }] }), 348);
});
