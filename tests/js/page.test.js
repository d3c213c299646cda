import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { movedTo } from "../../widgets/page/js/dom.js";
import { quantity } from "../../widgets/page/js/format.js";
import { listen } from "../../widgets/page/js/model.js";
import { age, duration, since } from "../../widgets/page/js/time.js";

test("numbers have three significant digits and an SI suffix", () => {
  for (const [value, text] of [[0, "0"], [7, "7"], [1234, "1.23k"], [25123.4, "25.1k"], [2e6, "2M"], [-3.2, "−3.2"],
    [999_960, "1M"], [0.00412, "0.00412"], [0.000012, "1.2e−5"], [null, "–"], [NaN, "–"], [Infinity, "–"]]) {
    assert.equal(quantity(value), text);
  }
});

test("a page writes each digit of a number as terminals, tables and logs do", () => {
  const cases = JSON.parse(readFileSync(new URL("../cases/quantities.json", import.meta.url), "utf8"));
  for (const [value, text] of cases) assert.equal(quantity(value), text.replaceAll("-", "−"));
});

test("what is older than a month is said by its day", () => {
  const now = Date.UTC(2026, 10, 29, 12) / 1000;
  assert.equal(since(now - 29 * 86400, now), "29 d ago");
  assert.match(since(now - 40 * 86400, now), /^2026-10-(19|20|21)$/);
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

test("a number that rounds up takes the next suffix", () => {
  assert.deepEqual([0, 1234567, -48000, 0.123456, NaN, 999.96].map(quantity), ["0", "1.23M", "−48k", "0.123", "–", "1k"]);
});

test("a key leads to a row that is there, and other keys nowhere", () => {
  const keys = ["ArrowDown", "ArrowUp", "PageDown", "Home", "End", "x"];
  assert.deepEqual(keys.map((key) => movedTo(key, 3, 5)), [4, 2, 4, 0, 4, -1]);
  assert.equal(movedTo("ArrowDown", -1, 0), -1);
});

test("a widget that is closed hears nothing any more", () => {
  /** @type {string[]} */
  const heard = [];
  const stop = listen(/** @type {any} */ ({ on: (name) => heard.push(`+${name}`), off: (name) => heard.push(`-${name}`) }), { rows: () => {}, empty: () => {} });
  stop();
  assert.deepEqual(heard, ["+change:rows", "+change:empty", "-change:rows", "-change:empty"]);
});
