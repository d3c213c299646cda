import assert from "node:assert/strict";
import test from "node:test";

import { age, duration, fraction, jobs, matches, quantity, sorted, summary } from "../../widgets/jobs/static/jobs.js";

const row = (run, more = {}) => ({
  run, arm: "base", seed: 0, launcher: "local", state: "running", words: "", reason: "", step: null, total: null,
  sps: null, reward: null, left_s: null, started_at: null, ended_at: null, ...more,
});

const runs = (rows) => rows.map((each) => each.run).join("");

test("numbers have three significant digits and an SI suffix", () => {
  for (const [value, text] of [[0, "0"], [7, "7"], [1234, "1.23k"], [25123.4, "25.1k"], [2e6, "2M"], [-3.2, "−3.2"],
    [999_960, "1M"], [0.00412, "0.00412"], [0.000012, "1.20e−5"], [null, "–"], [NaN, "–"], [Infinity, "–"]]) {
    assert.equal(quantity(value), text);
  }
});

test("a measured number keeps its zeros, so that a column lines up", () => {
  assert.deepEqual([8.7, 25000, 0, -3.2].map((value) => quantity(value, true)), ["8.70", "25.0k", "0", "−3.20"]);
});

test("durations are words", () => {
  for (const [seconds, text] of [[0, "0 s"], [59.4, "59 s"], [60, "1 m 00 s"], [185, "3 m 05 s"], [8040, "2 h 14 m"],
    [273_600, "3 d 04 h"], [null, "–"], [-1, "–"], [NaN, "–"]]) {
    assert.equal(duration(seconds), text);
  }
});

test("ages have one unit and are never negative", () => {
  assert.deepEqual([-5, 0, 59.9, 60, 7200, 200_000].map(age), ["0 s", "0 s", "59 s", "1 m", "2 h", "2 d"]);
});

test("progress stays between nothing and all, and is unknown without both numbers", () => {
  assert.equal(fraction(row("a", { step: 50, total: 200 })), 0.25);
  assert.equal(fraction(row("a", { step: 300, total: 200 })), 1);
  assert.equal(fraction(row("a", { step: 50 })), null);
  assert.equal(fraction(row("a", { total: 200 })), null);
});

test("a summary names only the states that are there", () => {
  assert.equal(summary([row("a"), row("b", { state: "failed" }), row("c")]), "3 jobs: 2 running, 1 failed");
  assert.equal(jobs(1, "Cancel"), "Cancel 1 job");
});

test("every word of the filter has to be somewhere in the row", () => {
  const one = row("ada.exp.base.s3.abc", { seed: 3, state: "failed", reason: "out of memory" });
  assert.ok(matches(one, ""));
  assert.ok(matches(one, "S3 memory"));
  assert.ok(!matches(one, "s3 running"));
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
