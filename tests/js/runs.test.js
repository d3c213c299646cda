import assert from "node:assert/strict";
import test from "node:test";
import { byArm, compared, found, heights, hider, linesOf, together, withNews } from "../../widgets/runs/js/rows.js";
import { inSight } from "../../widgets/page/js/row-window.js";

/** @typedef {import("../../widgets/runs/js/rows.js").Row} Row */

const columns = [{ key: "lr", label: "lr", title: "", kind: "number", name: "lr" }, { key: "r", label: "reward", title: "", kind: "number", name: "" }];
/** @param {string} arm @param {number} seed @param {number | null} reward @param {boolean} [counts] @returns {Row} */
const row = (arm, seed, reward, counts = true) => [`ada.x.${arm}.s${seed}.abc`, arm, String(seed), counts, "succeeded", arm === "a" ? 0.1 : 0.2, reward];
const rows = [row("a", 0, 1), row("a", 1, 3), row("a", 1, 99, false), row("b", 0, null), row("b", 1, 5)];

test("a group shows what all of its runs share, else the mean over those that count and have a value", () => {
  const [a, b] = byArm(rows);
  assert.deepEqual([together(a.rows, 5), together(a.rows, 6), together(b.rows, 6)],
    [{ value: 0.1, of: 0, values: 1 }, { value: 2, of: 2, values: 3 }, { value: 5, of: 1, values: 2 }]);
});

test("lines are arms by their means, with the runs of those that are open in the same order", () => {
  const names = linesOf(rows, { cell: 6, down: true }, true, (arm) => arm === "a").map(({ key }) => key);
  assert.deepEqual(names, ["arm b", "arm a", "run ada.x.a.s1.abc", "run ada.x.a.s1.abc", "run ada.x.a.s0.abc"]);
  assert.deepEqual(linesOf(rows, null, false, () => true).length, 5);
});

test("missing values come last whichever way, and numbers in names count as numbers", () => {
  assert.deepEqual([3, null, 1].sort((a, b) => compared(a, b, true)), [3, 1, null]);
  assert.deepEqual([3, null, 1].sort((a, b) => compared(a, b, false)), [1, 3, null]);
  assert.deepEqual(["s10", "s9"].sort((a, b) => compared(a, b, false)), ["s9", "s10"]);
});

test("a search takes every word, of names and of settings by their names", () => {
  assert.equal(found({ columns, rows }, "s1 lr=0.1").length, 2);
  assert.equal(found({ columns, rows }, "").length, 5);
});

test("news change their cells alone, and no row that was handed out", () => {
  const table = { columns, rows };
  const now = withNews(table, { rows: [[0, [[6, 7]]]] });
  assert.deepEqual([now.rows[0][6], rows[0][6], now.rows[1] === rows[1]], [7, 1, true]);
});

test("of ten thousand rows those in sight are in the page, and a few on each side", () => {
  assert.deepEqual([inSight(0, 280, 28, 10_000, 8), inSight(140_000, 280, 28, 10_000, 8), inSight(1e9, 280, 28, 10, 8)], [[0, 18], [4992, 5018], [10, 10]]);
});

test("an arm hides its runs, also those that are yet to come, and a run hides itself", () => {
  const isHidden = hider({ runs: ["ada.x.b.s0.abc"], arms: ["a"] });
  assert.deepEqual(rows.map(isHidden), [true, true, true, true, false]);
});

test("a curve is heights between the lowest and the highest of all, and a reason is none", () => {
  assert.deepEqual([heights("~#b"), heights("not logged"), heights(null)], [[0, 1], null, null]);
});
