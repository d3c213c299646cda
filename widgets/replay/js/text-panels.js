/** Talk and policy notes, and what there is to know of the replay itself. */
import { fill, refill } from "../../page/js/dom.js";
import { button, div, failure, h, note, region, section, terms } from "./dom.js";
import { count, plural, reason, words } from "../../page/js/format.js";
import { activityLine } from "./object-panel.js";
import { changes } from "./part.js";
import { parseJson } from "./wire.js";

/**
 * @import { Child } from "../../page/js/dom.js"
 * @import { Viewer } from "./viewer.js"
 * @import { ChunkInfo } from "./wire.js"
 * @import { Element } from "./wire.js"
 */

const TALK_LINES = 40;
const LONGEST = 20_000;
/** Entries of a list, characters of what needs no unfolding, and lists within lists. */
const [MOST_ROWS, SHORT, DEEPEST] = [100, 40, 6];
const CONFIG_CHARS = 400_000;

/** @param {Viewer} viewer */
export function textPanel(viewer) {
  const { replay, facts, state, texts } = viewer;
  const node = region("Talk and policy notes");
  const changed = changes();

  function update() {
    const { shown, selected } = state;
    const { failed, columns } = texts.part(shown) ?? { failed: "", columns: null };
    const rows = columns && selected >= 0 ? rowsOf(selected, shown) : null;
    const talk = columns ? texts.recentTalk(shown, TALK_LINES) : [];
    // An unchanged panel keeps what was unfolded in it.
    if (!changed(failed, columns, selected, JSON.stringify([rows, talk.map(({ step, object }) => [step, object])]))) return;
    if (failed) refill(node, ...failure(failed, again));
    else if (!columns) refill(node, note("Loading the texts"));
    else refill(node, rows ? notesOf(selected, rows) : note("Select an agent to read its policy notes."), talkOf(talk));
  }

  function again() {
    for (const part of replay.texts) part.failed = "";
    update();
  }

  /** @param {number} object @param {number} step @returns {[string, any][]} */
  function rowsOf(object, step) {
    const [notes, says, thinks] = ["policy_infos", "talk_text", "monologue_append"].map((name) => texts.at(name, object, step));
    const all = { says, thinks, ...(notes && typeof notes === "object" ? notes : { note: notes }) };
    return visible(all).filter(([, value]) => value !== null && value !== "").slice(0, MOST_ROWS);
  }

  /** @param {number} object @param {[string, any][]} rows */
  function notesOf(object, rows) {
    const list = terms(rows.map(([key, value]) => [words(key), tree(value, 0)]));
    list.classList.add("rv-notes");
    return section(facts.title(object), rows.length ? list : note("No text at this step."));
  }

  /** @param {{step: number, object: number, text: string}[]} talk */
  function talkOf(talk) {
    const lines = talk.map(({ step, object, text }) => activityLine(count(step), facts.title(object), text, () => {
      viewer.select(object);
      viewer.seek(step);
    }));
    return lines.length ? section("Talk so far", div("activity", ...lines)) : null;
  }

  return { node, update };
}

/** @param {object} value @returns {[string, any][]} What is in it, but for what begins with two underscores: that is meant for machines. */
const visible = (value) => Object.entries(value).filter(([key]) => !key.startsWith("__"));

/** @param {any} value Of JSON. @param {number} depth @returns {Child} A text, or what is in it as a list that unfolds. */
function tree(value, depth) {
  if (typeof value === "string") return value.slice(0, LONGEST).trim();
  const entries = visible(value ?? {});
  const flat = JSON.stringify(value);
  if (!entries.length || flat.length <= SHORT || depth >= DEEPEST) return flat.slice(0, LONGEST);
  const more = entries.length - MOST_ROWS;
  const list = terms(entries.slice(0, MOST_ROWS).map(([key, each]) => [words(key), tree(each, depth + 1)]));
  return h("details", { open: depth === 0 }, h("summary", {}, plural(entries.length, "value")), list, more > 0 ? note(`and ${plural(more, "more value")}`) : null);
}

/** @param {Viewer} viewer */
export function aboutPanel({ replay }) {
  const config = h("div", {}, button("Show the configuration", load));

  async function load() {
    refill(config, note("Loading"));
    try {
      const text = JSON.stringify(parseJson(await replay.raw(/** @type {ChunkInfo} */ (replay.config))), null, 2);
      fill(config, h("pre.code", {}, text.length > CONFIG_CHARS ? `${text.slice(0, CONFIG_CHARS)}\u2026` : text));
    } catch (error) {
      fill(config, ...failure(reason(error), load));
    }
  }

  return { node: region("About this replay", ...replay.header.about.map(built), replay.config ? section("Configuration", config) : null), update() {} };
}

/** @param {Element} element As the codec tells it. @returns {Child} */
function built(element) {
  if (typeof element === "string") return element;
  const [selector, ...parts] = element;
  return h(/** @type {"div"} */ (selector), {}, ...parts.map(built));
}
