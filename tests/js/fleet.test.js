import assert from "node:assert/strict";
import test from "node:test";
import { byExperiment, dollars, moreUrgent, patched, total } from "../../widgets/fleet/js/rows.js";

/** @param {string} run @param {object} [more] */
const row = (run, more = {}) => ({
  run, experiment: "exp", arm: "base", seed: 0, launcher: "local", state: "running", words: "", reason: "", cost: null,
  step: 50, total: 100, sps: 10, reward: 1, left_s: 5, started_at: 100, ended_at: null, data: "v", alerts: [], ...more,
});

test("an experiment's sums leave out what nobody knows and say so", () => {
  const sum = total([row("a"), row("b", { state: "succeeded", cost: 2, step: null, sps: 99, started_at: 200 })]);
  assert.deepEqual(sum.counts, [["running", 1], ["succeeded", 1]]);
  assert.deepEqual([sum.done, sum.sps, sum.cost, sum.unknown, sum.started], [0.75, 10, 2, true, 200]);
});

test("a job whose progress nobody knows counts as not begun", () => {
  assert.equal(total([row("a", { step: 100 }), row("b", { step: null })]).done, 0.5);
  assert.equal(total([row("b", { step: null })]).done, null);
});

test("a patch replaces, adds and removes, and names the experiments it touched", () => {
  const rows = new Map([["a", row("a")], ["b", row("b", { experiment: "old" })]]);
  const touched = patched(rows, { rows: [row("a", { step: 60 }), row("c", { experiment: "new" })], gone: ["b"] });
  assert.deepEqual([...touched].sort(), ["exp", "new", "old"]);
  assert.deepEqual([...rows.keys()], ["a", "c"]);
  assert.equal(rows.get("a")?.step, 60);
});

test("money is rounded for reading and an unknown part is shown", () => {
  assert.deepEqual([dollars(null), dollars(0), dollars(1.5), dollars(12.4), dollars(12_345), dollars(3, true)],
    ["–", "$0", "$1.50", "$12", "$12.3k", "$3.00 + ?"]);
});

test("experiments with alerts come first, then those that run, then the newest", () => {
  const rows = [row("a", { experiment: "old", state: "failed" }), row("b", { experiment: "new", state: "failed", started_at: 300 }),
    row("c", { experiment: "runs" }), row("d", { experiment: "alerts", state: "failed", alerts: ["low reward"] })];
  const sums = [...byExperiment(rows)].map(([name, jobs]) => ({ name, sum: total(jobs) }));
  assert.deepEqual(sums.sort((a, b) => moreUrgent(a.sum, b.sum)).map(({ name }) => name), ["alerts", "runs", "new", "old"]);
});
