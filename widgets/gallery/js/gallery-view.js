/**
 * The gallery of replays: pictures in a grid, filtered by words and reward on the page itself; a click chooses one, a
 * second one is put beside it.
 *
 * @import { Item, Picture } from "./items.js"
 * @typedef {{items: Item[], pictures: Record<string, Picture>, more: Record<string, Picture>, chosen: string[], empty: string}} GalleryState See ../gallery.py.
 * @typedef {import("@anywidget/types").AnyModel<GalleryState>} GalleryModel
 */
import { remember } from "../../page/js/address.js";
import { arrange, make, setText } from "../../page/js/dom.js";
import { tellPython } from "../../page/js/model.js";
import { Card } from "./card.js";
import { ORDERS, passes, toggled } from "./items.js";

export class GalleryView {
  /** @type {Map<string, Card>} */
  cards = new Map();
  /** @type {Record<string, Picture>} */
  pictures = {};
  oninput = () => this.place();
  words = make("input.jobs-filter.jobs-field", { type: "search", placeholder: "Filter replays", label: "Filter replays", oninput: this.oninput });
  least = make("input.gallery-least.jobs-field", { type: "number", step: "any", placeholder: "any", oninput: this.oninput });
  order = make("select.jobs-field", { label: "Order", oninput: this.oninput },
    ...Object.keys(ORDERS).map((name) => make("option", { value: name }, name)));
  two = make("input", { type: "checkbox" });
  count = make("span.jobs-count", { "aria-live": "polite" });
  list = make("ul.gallery-cards");
  nothing = make("p.jobs-empty");
  top = make("div.jobs-top", {}, this.words, make("label", {}, "Reward at least", this.least), this.order,
    make("label", {}, this.two, "Second one beside"), this.count);

  /** @param {GalleryModel} model @param {HTMLElement} root */
  constructor(model, root) {
    this.model = model;
    this.two.checked = model.get("chosen").length > 1;
    root.replaceChildren(this.top, this.list, this.nothing);
  }

  /** Show what passes the filters, in the order asked for. */
  place() {
    const items = this.model.get("items");
    const pictures = Object.assign(this.pictures, this.model.get("pictures"), this.model.get("more"));
    const least = this.least.value === "" ? null : Number(this.least.value);
    const rank = /** @param {Item} item */ (item) => ORDERS[this.order.value](item, pictures[item.id] ?? {});
    const shown = items.filter((item) => passes(item, pictures[item.id] ?? {}, this.words.value.trim(), least));
    shown.sort((a, b) => rank(b) - rank(a));
    arrange(this.list, shown.map((item) => this.card(item).element));
    setText(this.count, `${shown.length} of ${items.length} replays`);
    this.top.hidden = items.length === 0;
    setText(this.nothing, items.length ? "No replay matches. Change or clear the filters." : this.model.get("empty"));
    this.nothing.hidden = shown.length > 0;
    this.paint();
  }

  /** @param {Item} item @returns {Card} With its picture, as far as there is one. */
  card(item) {
    const card = this.cards.get(item.id) ?? new Card(item, (event) => this.choose(item.id, event));
    this.cards.set(item.id, card);
    card.update(this.pictures[item.id]);
    return card;
  }

  /** @param {string} id @param {MouseEvent} event */
  choose(id, event) {
    const beside = this.two.checked || event.shiftKey || event.ctrlKey || event.metaKey;
    const chosen = toggled(this.model.get("chosen"), id, beside);
    tellPython(this.model, "chosen", chosen);
    remember({ replay: chosen.join(",") });
    this.paint();
  }

  paint() {
    const chosen = this.model.get("chosen");
    for (const [id, card] of this.cards) card.button.setAttribute("aria-pressed", String(chosen.includes(id)));
  }
}
