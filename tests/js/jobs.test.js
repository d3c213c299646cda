import assert from "node:assert/strict";
import test from "node:test";

import { colouredArms, fraction, holds, sorted, summary, textOf } from "../../widgets/jobs/js/rows.js";

const row = (run, more = {}) => ({
  run, arm: "base", seed: 0, launcher: "local", state: "running", words: "", reason: "", step: null, total: null,
  sps: null, reward: null, left_s: null, started_at: null, ended_at: null, ...more,
});

const runs = (rows) => rows.map((each) => each.run).join("");

test("progress stays between nothing and all, and is unknown without both numbers", () => {
  assert.equal(fraction(row("a", { step: 50, total: 200 })), 0.25);
  assert.equal(fraction(row("a", { step: 300, total: 200 })), 1);
  assert.equal(fraction(row("a", { step: 50 })), null);
  assert.equal(fraction(row("a", { total: 200 })), null);
});

test("a summary names only the states that are there", () => {
  assert.equal(summary([row("a"), row("b", { state: "failed" }), row("c")]), "3 jobs: 2 running, 1 failed");
  assert.equal(summary([row("a")]), "1 job: 1 running");
});

test("every word of the filter has to be somewhere in the row", () => {
  const one = row("ada.exp.base.s3.abc", { seed: 3, state: "failed", reason: "out of memory" });
  assert.ok(holds(textOf(one), ""));
  assert.ok(holds(textOf(one), "S3 memory"));
  assert.ok(!holds(textOf(one), "s3 running"));
});

test("rows are sorted by value, and those without one come last either way", () => {
  const rows = [row("a", { reward: 2 }), row("b"), row("c", { reward: 10 }), row("d", { reward: -1 })];
  assert.equal(runs(sorted(rows, { key: "reward", down: true })), "cadb");
  assert.equal(runs(sorted(rows, { key: "reward", down: false })), "dacb");
  assert.equal(runs(sorted(rows, null)), "abcd");
  assert.equal(runs(rows), "abcd");
});

test("names are sorted as people count", () => {
  const rows = ["r.s10", "r.s9", "r.s1"].map((run) => row(run));
  assert.deepEqual(sorted(rows, { key: "run", down: false }).map((each) => each.run), ["r.s1", "r.s9", "r.s10"]);
});

test("running jobs sort before those that have ended when time left is asked for", () => {
  const rows = [row("a", { state: "succeeded", started_at: 1, ended_at: 5 }), row("b", { left_s: 50 }), row("c")];
  assert.equal(runs(sorted(rows, { key: "left", down: false })), "bac");
});

test("arms have colours where there are several and no more than there are colours", () => {
  const arms = (names) => names.map((arm) => ({ arm }));
  assert.deepEqual(colouredArms(arms(["b", "a", "b"])), ["b", "a"]);
  assert.deepEqual(colouredArms(arms(["a", "a"])), []);
  assert.deepEqual(colouredArms(arms([..."abcdefghi"])), []);
});
