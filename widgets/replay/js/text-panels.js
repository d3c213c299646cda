/** Talk and policy notes, and what there is to know of the replay itself. */
import { fill } from "../../page/js/dom.js";
import { button, definitions, div, failure, h, note, region, section } from "./dom.js";
import { count, joined, plural, reason, words } from "../../page/js/format.js";
import { activityLine } from "./object-panel.js";
import { Part } from "./part.js";
import { parseJson } from "./wire.js";

/** @import { ChunkInfo } from "./wire.js" */

const CONFIG = "the configuration";
const TALK_LINES = 40;
const LONGEST = 20_000;
const CONFIG_CHARS = 400_000;

export class TextPanel extends Part {
  node = region("Talk and policy notes");

  update() {
    const { shown, selected } = this;
    const part = this.viewer.texts.part(shown);
    if (part?.failed) {
      const again = () => {
        this.viewer.texts.retry();
        this.update();
      };
      fill(this.node, ...failure(part.failed, again));
    } else if (!part?.fields) {
      fill(this.node, note("Loading the texts of these steps"));
    } else {
      fill(this.node, selected < 0 ? note("Select an agent to read its policy notes.") : this.#agent(selected, shown), this.#talk(shown));
    }
  }

  /** @param {number} object @param {number} step */
  #agent(object, step) {
    const read = /** @param {string} name */ (name) => this.viewer.texts.at(name, object, step);
    const notes = read("policy_infos");
    const texts = { says: read("talk_text"), thinks: read("monologue_append"), ...(notes && typeof notes === "object" ? notes : { note: notes }) };
    const rows = Object.entries(texts).filter(([, value]) => value !== null && value !== "").slice(0, 100);
    const list = definitions(rows.map(([key, value]) => [words(key), (typeof value === "string" ? value : JSON.stringify(value, null, 1)).slice(0, LONGEST).trim()]));
    list.classList.add("rv-notes");
    return section(this.facts.title(object), rows.length ? list : note("No text at this step."));
  }

  /** @param {number} step */
  #talk(step) {
    const { viewer, facts } = this;
    const lines = viewer.texts.recentTalk(step, TALK_LINES).map(({ step: when, object, text }) => activityLine(count(when), facts.title(object), text, () => {
      viewer.select(object);
      viewer.seek(when);
    }));
    return lines.length ? section("Talk so far", div("activity", ...lines)) : null;
  }
}

export class AboutPanel extends Part {
  node = region("About this replay");
  config = h("div");

  update() {
    if (this.node.firstChild) return;
    const { header, types, config } = this.replay;
    const used = new Map();
    for (const type of types) used.set(type, (used.get(type) ?? 0) + 1);
    const kinds = [...used].sort((a, b) => b[1] - a[1]).slice(0, 60).map(([type, n]) => `${words(header.type_names[type] || "unknown")} ${count(n)}`);
    if (config) fill(this.config, button("Show the configuration", () => this.#loadConfig(config)));
    fill(this.node, definitions([
      ["format", `MettaScope replay, version ${header.version}`], ["map", `${count(header.width)} x ${count(header.height)} cells`], ["steps", count(header.steps)],
      ["objects", `${count(header.objects)}: ${joined(kinds)}`], ["items", joined(header.item_names.filter(Boolean).slice(0, 100).map(words)) || "none"],
    ]), this.#issues(), config ? section("Configuration", this.config) : null);
  }

  #issues() {
    const { issues, issues_more } = this.replay.header;
    const entries = issues.map(({ severity, path, rule, count: n, example }) => h("li", {}, h("strong", {}, `${severity}: `), `${path}: ${rule}${n > 1 ? ` (${count(n)} times)` : ""}`, div("muted.code", String(example ?? ""))));
    return section("Issues in the file", entries.length ? h("ul.list", {}, ...entries) : note("None found."), issues_more ? note(`and ${plural(issues_more, "more issue")}`) : null);
  }

  /** @param {ChunkInfo} config */
  async #loadConfig(config) {
    fill(this.config, note(`Loading ${CONFIG}`));
    try {
      const text = JSON.stringify(parseJson(await this.replay.raw(config, CONFIG), CONFIG), null, 2);
      fill(this.config, h("pre.code", {}, text.length > CONFIG_CHARS ? `${text.slice(0, CONFIG_CHARS)}\u2026` : text));
    } catch (error) {
      fill(this.config, ...failure(reason(error), () => this.#loadConfig(config)));
    }
  }
}
