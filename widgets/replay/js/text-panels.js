/** Talk and policy notes, and what there is to know of the replay itself. */
import { fill, h } from "./dom.js";
import { PROBLEM, count, plural, words } from "./format.js";
import { definitions } from "./object-panel.js";
import { mettascopeLink } from "./share.js";

/**
 * @import { Texts } from "./texts.js"
 * @import { Context } from "./viewer.js"
 */

const TALK_LINES = 40;
const LONGEST = 20_000;

export class TextPanel {
  /** @param {Context} context @param {Texts} texts */
  constructor(context, texts) {
    this.context = context;
    this.texts = texts;
    this.node = h("div", { class: "rv-scroll rv-pad", tabindex: 0, role: "region", "aria-label": "Talk and policy notes" });
  }

  update() {
    if (!this.texts.present) {
      fill(this.node, empty("This replay holds no talk and no policy notes."));
      return;
    }
    const { shown, selected } = this.context.store.state;
    const part = this.texts.part(shown);
    if (part?.failed) {
      fill(this.node, empty(part.failed), h("button", { type: "button", class: "rv-action", onclick: () => this.#retry() }, "Try again"));
    } else if (!part?.fields) {
      fill(this.node, empty("Loading the texts of these steps"));
    } else {
      fill(this.node, selected >= 0 ? this.#agent(selected, shown) : null, this.#talk(shown), selected < 0 ? empty("Select an agent to read its policy notes.") : null);
    }
  }

  #retry() {
    this.texts.retry();
    this.update();
  }

  /** @param {number} object @param {number} step */
  #agent(object, step) {
    const talk = this.texts.at("talk_text", object, step);
    const monologue = this.texts.at("monologue_append", object, step);
    const notes = this.texts.at("policy_infos", object, step);
    const some = talk || monologue || notes;
    return h("section", {}, h("h4", {}, this.context.facts.title(object)),
      talk ? h("p", { class: "rv-quote" }, String(talk)) : null,
      monologue ? h("p", { class: "rv-quote" }, String(monologue)) : null,
      notes !== null && typeof notes === "object" ? noteList(/** @type {object} */ (notes)) : notes ? h("p", {}, String(notes)) : null,
      some ? null : empty("No text at this step."));
  }

  /** @param {number} step */
  #talk(step) {
    const lines = this.texts.recentTalk(step, TALK_LINES);
    if (lines.length === 0) return null;
    return h("section", {}, h("h4", {}, "Talk so far"), h("div", { class: "rv-activity" }, ...lines.map((line) => h("button", {
      type: "button", class: "rv-line", onclick: () => { this.context.select(line.object); this.context.seek(line.step); },
    }, h("span", { class: "rv-line-step" }, count(line.step)), h("span", { class: "rv-line-action" }, this.context.facts.title(line.object)), h("span", { class: "rv-line-note" }, line.text)))));
  }
}

/** @param {object} notes */
function noteList(notes) {
  const rows = Object.entries(notes).slice(0, 100).map(([key, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 1);
    return /** @type {[string, string]} */ ([words(key), String(text).slice(0, LONGEST).trim()]);
  });
  const list = definitions(rows);
  list.classList.add("rv-notes");
  return list;
}

/** @param {string} text */
function empty(text) {
  return h("p", { class: "rv-empty" }, text);
}

const SEVERITY = { error: "Error", warning: "Warning", note: "Note" };

export class AboutPanel {
  /** @param {Context} context @param {{url: string}} options */
  constructor(context, { url }) {
    this.context = context;
    this.url = url;
    this.config = h("div", {});
    this.node = h("div", { class: "rv-scroll rv-pad", tabindex: 0, role: "region", "aria-label": "About this replay" });
    this.#build();
  }

  update() {}

  #build() {
    const { header } = this.context.replay;
    const used = new Map();
    for (const type of this.context.replay.types) used.set(type, (used.get(type) ?? 0) + 1);
    const types = [...used].sort((a, b) => b[1] - a[1]).slice(0, 60).map(([type, n]) => `${words(header.typeNames[type] ?? "unknown")} ${count(n)}`);
    /** @type {[string, string][]} */
    const rows = [
      ["format", `MettaScope replay, version ${header.version}`],
      ["map", `${count(header.width)} x ${count(header.height)} cells`],
      ["steps", count(header.steps)],
      ["objects", `${count(header.objects)}: ${types.join(", ")}`],
      ["items", header.itemNames.filter(Boolean).slice(0, 100).map(words).join(", ") || "none"],
      ["actions", `${count(header.actionNames.length)}`],
    ];
    fill(this.node, definitions(rows), this.#link(), this.#issues(), this.#configSection());
  }

  #link() {
    const address = mettascopeLink(this.url);
    if (!address) return null;
    return h("p", {}, h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope"));
  }

  #issues() {
    const { issues, issuesMore } = this.context.replay.header;
    const entries = issues.map((issue) => h("li", {},
      h("strong", {}, `${SEVERITY[/** @type {keyof typeof SEVERITY} */ (issue.severity)] ?? "Note"}: `), `${issue.path}: ${issue.rule}`,
      issue.count > 1 ? ` (${count(issue.count)} times)` : "", h("div", { class: "rv-muted rv-code" }, issue.example)));
    return h("section", {}, h("h4", {}, `Issues in the file`),
      entries.length ? h("ul", { class: "rv-list" }, ...entries) : empty("None found."),
      issuesMore > 0 ? h("p", { class: "rv-muted" }, `and ${plural(issuesMore, "more issue")}`) : null);
  }

  #configSection() {
    if (!this.context.replay.config) return null;
    fill(this.config, h("button", { type: "button", class: "rv-action", onclick: () => this.#loadConfig() }, "Show the configuration"));
    return h("section", {}, h("h4", {}, "Configuration"), this.config);
  }

  async #loadConfig() {
    fill(this.config, empty("Loading the configuration"));
    try {
      const text = JSON.stringify(await this.context.replay.configValue(), null, 2) ?? "";
      const shown = text.slice(0, 400_000);
      fill(this.config, h("pre", { class: "rv-code" }, shown), shown.length < text.length ? empty("Cut at 400,000 characters.") : null);
    } catch (error) {
      fill(this.config, empty(error instanceof Error ? error.message : PROBLEM), h("button", { type: "button", class: "rv-action", onclick: () => this.#loadConfig() }, "Try again"));
    }
  }
}
