import assert from "node:assert/strict";
import { test } from "node:test";

import { activity, describeLine, lineAt } from "../../widgets/replay/js/activity.js";
import { agentEvents, binOf, binStart, nextStep, rewardBins } from "../../widgets/replay/js/events.js";
import { curve, groups } from "../../widgets/replay/js/curves.js";
import { Facts } from "../../widgets/replay/js/facts.js";
import { teamColour } from "../../widgets/replay/js/palette.js";
import { presenceOf } from "../../widgets/replay/js/presence.js";
import { Replay } from "../../widgets/replay/js/replay.js";
import { hasRewards, odd, rewardAt, rewardText, totalText } from "../../widgets/replay/js/rewards.js";
import { matching, search } from "../../widgets/replay/js/search.js";
import { Texts } from "../../widgets/replay/js/texts.js";
import { HEADER, opened, sample } from "./encoded.js";

test("a value holds until the next change point, across parts", async () => {
  const replay = await opened();
  const xs = [0, 1, 3, 5, 9, 10, 19].map((step) => replay.locate(0, step).x);
  assert.deepEqual(xs, [0, 1, 3, 5, 5, 5, 5]);
  assert.deepEqual([0, 14, 15, 19].map((step) => replay.alive.at(0, step)), [1, 1, 0, 0]);
  assert.deepEqual([7, 8, 9, 10].map((step) => replay.at("action_success", 0, step)), [1, 0, 1, 1]);
});

test("final values and totals agree with the change points", async () => {
  const replay = await opened();
  assert.deepEqual([0, 5, 6, 9, 10, 12, 13, 19].map((step) => replay.total(0, step)), [0, 0, 1, 1, 1, 0.5, 0.5, 0.5]);
  assert.equal(replay.field("total_reward").last(0), replay.total(0, 19));
  assert.equal(replay.total(1, 19), 0);
  assert.equal(replay.alive.last(0), 0);
});

test("an absent field holds its default everywhere", async () => {
  const replay = await opened();
  assert.equal(replay.at("vision_size", 0, 7), 11);
  assert.equal(replay.at("collective_id", 3, 7), -1);
  assert.equal(replay.at("no such field", 3, 7), 0);
});

test("steps that are not loaded are unknown, not wrong", async () => {
  const replay = await Replay.open(sample(), () => Promise.reject(new Error("gone")));
  assert.equal(replay.ready(0), true);
  assert.equal(replay.ready(3), false);
  assert.equal(replay.at("action", 0, 3), NaN);
  assert.equal(replay.total(0, 3), NaN);
  await replay.load(3);
  assert.equal(replay.at("action", 0, 3), 1);
});

test("a part that is not embedded is asked for, and its failure is kept", async () => {
  const asked = [];
  const replay = await Replay.open(sample({ embedSecond: false }), (hash, id) => {
    asked.push([hash, id]);
    return Promise.reject(new Error("nobody answers"));
  });
  await Promise.all([replay.load(12), replay.load(13)]);
  assert.deepEqual(asked, [["00", "steps/1"]]);
  assert.equal(replay.chunkOf(12).failed, "nobody answers");
});

test("runs cover a range without gap, cut to it", async () => {
  const replay = await opened();
  const runs = [];
  replay.field("action").runs(0, 3, 12, (from, to, value) => runs.push([from, to, value]));
  assert.deepEqual(runs, [[3, 6, 1], [6, 7, 2], [7, 10, 0], [10, 12, 0]]);
});

test("teams, titles and summaries come from tags, types and ids", async () => {
  const facts = new Facts(await opened());
  assert.deepEqual([0, 1, 2].map((object) => facts.teamName(object, 3)), ["blue", "red", ""]);
  assert.equal(facts.title(0), "agent 0");
  assert.equal(facts.title(3), "altar #4");
  assert.equal(facts.summary(0, 7), "agent 0 \u00b7 blue \u00b7 noop \u00b7 ore red 1");
  assert.equal(facts.facing(0, 3), 3);
});

test("what an agent carries is told item by item", async () => {
  const facts = new Facts(await opened());
  assert.deepEqual([5, 6].map((step) => facts.holdings(0, step)), [[], [[0, 1]]]);
  assert.deepEqual(facts.holdings(1, 6), []);
});

test("unmoving objects are found by their cells", async () => {
  const facts = new Facts(await opened());
  const found = [];
  facts.each(3, 3, 4, 4, (object, x, y) => found.push([object, x, y]));
  assert.deepEqual(found, [[2, 3, 3]]);
});

test("an agent's events are its own, at their exact steps", async () => {
  const events = agentEvents(await opened(), 0);
  assert.deepEqual(events, { reward: [6], penalty: [12], odd: [], gain: [6], freeze: [], death: [15], failure: [8], talk: [] });
});

test("one can go from event to event, both ways", () => {
  assert.deepEqual([nextStep([3, 7, 9], 7, 1), nextStep([3, 7, 9], 7, -1), nextStep([3, 7, 9], 9, 1), nextStep([], 0, -1)], [9, 3, -1, -1]);
});

test("an agent's reward by bins sums to its total", async () => {
  const replay = await opened();
  const bins = rewardBins(replay, 0, 10);
  assert.equal(bins.reduce((a, b) => a + b), 0.5);
  assert.equal(bins[3], 1);
  for (const steps of [7, 20, 999]) for (let step = 0; step < steps; step++) assert.ok(binStart(binOf(step, 10, steps), 10, steps) <= step);
});

test("what an agent did reads as lines, quiet steps joined", async () => {
  const facts = new Facts(await opened());
  const lines = activity(facts, 0, 0, 20).map((line) => [line.from, line.to, line.action, line.failed, line.reward, line.notes.join()]);
  assert.deepEqual(lines, [
    [0, 0, "noop", false, 0, ""], [1, 5, "move east", false, 0, ""], [6, 6, "get items", false, 1, "+1 ore red"], [7, 7, "noop", false, 0, ""],
    [8, 8, "noop", true, 0, ""], [9, 11, "noop", false, 0, ""], [12, 12, "noop", false, -0.5, ""], [13, 14, "noop", false, 0, ""], [15, 15, "noop", false, 0, "died"], [16, 19, "noop", false, 0, ""],
  ]);
  assert.equal(describeLine("agent 0", lineAt(facts, 0, 6)), "agent 0, step 6\nget items\nreward +1\n+1 ore red");
});

test("search finds types, holders of an item, tags, agents and ids", async () => {
  const facts = new Facts(await opened());
  const hits = (query, step) => matching(facts, search(facts, query), step);
  assert.deepEqual(hits("altar", 3), [3]);
  assert.deepEqual(hits("ore red", 3), []);
  assert.deepEqual(hits("ORE_RED", 7), [0]);
  assert.deepEqual(hits("team:red", 3), [1]);
  assert.deepEqual(hits("agent 1", 3), [1]);
  assert.deepEqual(hits("Agent1", 3), [1]);
  assert.deepEqual(hits("#1", 3), [0]);
  assert.deepEqual(hits("#4", 3), [3]);
  assert.deepEqual(hits("agent", 16), [1]);
  assert.equal(search(facts, "   "), null);
});

test("presence counts the time on each cell and can go back", async () => {
  const presence = presenceOf(await opened());
  assert.equal(presence.advance(9, 1000), true);
  assert.equal(presence.counts[0], 1);
  assert.equal(presence.counts[5], 5);
  assert.equal(presence.counts[5 * 10 + 5], 10);
  presence.advance(2, 1000);
  assert.equal(presence.counts[5], 0);
  assert.equal(presence.counts.reduce((a, b) => a + b), 6);
});

test("texts are fetched once, and read at their steps", async () => {
  const text = {
    "talk_text.i": ["i1", [1]], "talk_text.k": ["i1", [-1]], "talk_text.n": ["u1", [2]], "talk_text.s": ["u1", [3, 4]], "talk_text.v": ["i1", [0, 1]],
    "talk_text.table": ["json", ["hello", "</script><b>x"]],
  };
  const replay = await opened({ more: [{ id: "text/0", kind: "text", from: 0, to: 20, columns: text, info: { fields: ["talk_text"] } }] });
  const texts = new Texts(replay);
  assert.equal(texts.at("talk_text", 1, 3), null);
  await new Promise((resolve) => { replay.onload = resolve; });
  assert.deepEqual([2, 3, 6, 7].map((step) => texts.at("talk_text", 1, step)), [null, "hello", "hello", "</script><b>x"]);
  assert.equal(texts.at("talk_text", 0, 5), null);
  assert.deepEqual(texts.recentTalk(9, 5).map((line) => line.step), [7, 3]);
});

const NOT_FINITE = {
  first: { "current_reward.n": ["u1", [4]], "current_reward.s": ["u1", [3, 1, 2, 1]], "current_reward.u": ["f4", [0, 1, NaN]], "current_reward.v": ["u1", [2, 0, 1, 0]] },
  second: { "total_reward.k": ["f8", [NaN]] },
  base: { "total_reward.f": ["f8", [NaN]], "overview.sum": ["f4", [0, NaN, 0, 1, 0, 0, -0.5, 0, 0, 0]], "overview.odd": ["u1", [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]] },
};

test("a reward that is not finite is found at its step and makes the totals after it unknown", async () => {
  const replay = await opened(NOT_FINITE);
  assert.deepEqual([2, 3, 4, 6, 9, 12].map((step) => totalText(replay.total(0, step))), ["0", "unknown", "unknown", "unknown", "unknown", "unknown"]);
  assert.deepEqual([2, 3, 4, 6, 12].map((step) => rewardAt(replay, 0, step)), ["0", "NaN", "0", "+1", "\u22120.5"]);
  assert.deepEqual(agentEvents(replay, 0).odd, [3]);
  const bins = rewardBins(replay, 0, 10);
  assert.deepEqual([...bins.keys()].filter((bin) => odd(bins[bin])), [1]);
});

test("what an agent did names a reward that is not finite", async () => {
  const facts = new Facts(await opened(NOT_FINITE));
  assert.equal(describeLine("agent 0", lineAt(facts, 0, 3)), "agent 0, step 3\nmove east\nreward NaN");
  assert.deepEqual(activity(facts, 0, 0, 8).map((line) => [line.from, line.to]), [[0, 0], [1, 2], [3, 3], [4, 5], [6, 6], [7, 7]]);
});

test("a reward that was not recorded is not 0", async () => {
  const without = ({ current_reward, total_reward, ...others }) => others;
  const replay = await opened({
    header: { fields: without(HEADER.fields) },
    base: Object.fromEntries(["current_reward.i", "current_reward.f", "total_reward.i", "total_reward.f"].map((name) => [name, ["u1", []]])),
  });
  assert.equal(hasRewards(replay), false);
  assert.equal(rewardAt(replay, 0, 6), "\u2013");
});

test("infinities have their sign", () => {
  assert.deepEqual([Infinity, -Infinity, NaN, -1.5].map(rewardText), ["\u221e", "\u2212\u221e", "NaN", "\u22121.5"]);
});

const RULE = { title: "altar", takes: [], gives: [], lines: ["when used"], makes: "", uses: "", text: "" };
const BURN = { ...RULE, takes: [[0, "2 ore red"]], gives: [[-1, "1 heart"]], makes: "heart", uses: "ore red", text: "heart\nore red\nburn" };
const HUNGER = { ...RULE, title: "agent, 1 agent", uses: "the agent has 1 heart", text: "the agent has 1 heart" };
const NO_KIND = { rules: [], makes: "", uses: "", text: "" };
const KINDS = [{ ...NO_KIND, text: "agent" }, { ...NO_KIND, rules: [0], makes: "heart", uses: "ore red", text: "altar\nteam:red" }, { ...NO_KIND, rules: [1], text: "agent" }];
const RULED = { header: { rules: [BURN, HUNGER], kinds: KINDS }, base: { kind: ["i1", [0, 2, 0, 1]] } };

test("each thing has the rules of its kind, after what it says itself", async () => {
  const facts = new Facts(await opened(RULED));
  assert.deepEqual([0, 1, 3].map((object) => facts.rules(object, 0)), [[], [HUNGER], [BURN]]);
  const header = { ...RULED.header, tables: { ...HEADER.tables, protocols: [null, [RULE]] }, fields: { ...HEADER.fields, protocols: { kind: "table" } } };
  const carrying = new Facts(await opened({ header, base: { ...RULED.base, "protocols.c": ["i1", [0, 0, 0, 1]] } }));
  assert.deepEqual(carrying.rules(3, 0), [RULE, BURN]);
});

test("one may ask who makes, needs or takes an item", async () => {
  const facts = new Facts(await opened(RULED));
  const asked = (query) => { const found = search(facts, query); return [found.verb, [BURN, HUNGER].map(found.tells), matching(facts, found, 0)]; };
  assert.deepEqual(asked("Who makes heart?"), ["makes", [true, false], [3]]);
  assert.deepEqual(asked("who needs heart"), ["needs", [false, true], []]);
  assert.deepEqual(asked("takes ore"), ["takes", [true, false], [3]]);
  assert.deepEqual(asked("who makes gold?"), ["makes", [false, false], []]);
  assert.deepEqual(asked("heart of gold"), ["", [false, false], []]);
});

test("no two teams have one colour, however many there are", () => {
  for (const palette of Object.values(HEADER.palettes)) assert.equal(new Set(Array.from({ length: 200 }, (_, hue) => teamColour(palette, hue))).size, 200);
});

test("rewards, items and stats are charted of all, of each team and of each agent", async () => {
  const facts = new Facts(await opened());
  const [blue, red] = groups(facts, "team", 0, new Set());
  assert.deepEqual([blue.agents, red.agents], [[0], [1]]);
  assert.deepEqual(groups(facts, "team", 0, new Set([blue.team])).map(({ name }) => name), ["red"]);
  assert.deepEqual(groups(facts, "agent", 0, new Set()).map(({ name }) => name), ["agent 0", "agent 1"]);
  const [all] = groups(facts, "all", 0, new Set());
  const last = (line) => line.at(-1);
  assert.equal(last(curve(facts, "total", blue.agents)), 0.5);
  assert.equal(last(curve(facts, "total", red.agents)), 0);
  assert.equal(last(curve(facts, "total", all.agents)), 0.25);
  assert.equal(last(curve(facts, "alive", all.agents)), 0.5);
  assert.ok(curve(facts, "item 0", blue.agents).some((held) => held > 0));
  assert.deepEqual([5, 6, 19].map((step) => curve(facts, "gained 0", blue.agents)[step]), [0, 1, 1]);
  assert.equal(last(curve(facts, "gained 0", all.agents)), 0.5);
  // Who never holds an item holds none of it, where the others do.
  const of = (agents) => curve(facts, "item 0", agents);
  assert.deepEqual(of(red.agents), new Float64Array(of(red.agents).length));
  assert.deepEqual(of(all.agents), of(blue.agents).map((held) => held / 2));
});

test("what a policy notes is charted as the mean of those who note it", async () => {
  const noted = { "noted hope": { kind: "float" } };
  const header = { fields: { ...HEADER.fields, ...noted } };
  const values = { "noted hope.c": ["f4", [1, NaN, NaN, NaN]], "noted hope.i": ["i1", [0]], "noted hope.f": ["f4", [3]] };
  const first = { "noted hope.k": ["f4", [1]], "noted hope.n": ["u1", [1]], "noted hope.s": ["u1", [4]], "noted hope.v": ["f4", [3]] };
  const facts = new Facts(await opened({ header, base: values, first, second: { "noted hope.k": ["f4", [3]] } }));
  assert.deepEqual([3, 4, 19].map((step) => curve(facts, "noted hope", [0, 1])[step]), [1, 3, 3]);
  assert.ok(Number.isNaN(curve(facts, "noted hope", [1]).at(-1)));
});

test("what is not loaded is charted as unknown", async () => {
  const facts = new Facts(await Replay.open(sample(), () => Promise.reject(new Error("gone"))));
  assert.ok(Number.isNaN(curve(facts, "item 0", [0]).at(-1)));
});
