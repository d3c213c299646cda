/**
 * The gallery of replays: pictures in a grid, filtered by words and reward on the page itself; a click chooses one, a
 * second one is put beside it. All text is set as text, and pictures are images, whose scripts never run.
 *
 * @typedef {{id: string, experiment: string, run: string, arm: string, seed: number, step: number}} Item
 * @typedef {{svg?: string, reward?: number | null, problem?: string}} Picture
 * @typedef {{items: Item[], pictures: Record<string, Picture>, more: Record<string, Picture>, chosen: string[], empty: string}} GalleryState
 * @typedef {import("@anywidget/types").AnyModel<GalleryState>} GalleryModel
 */

const MISSING = "–";
/** @type {Record<string, (item: Item, picture: Picture) => number>} What the pictures can be sorted by, highest first. */
const ORDERS = {
  "newest step": (item) => item.step,
  "highest reward": (_, picture) => picture.reward ?? -Infinity,
  "lowest reward": (_, picture) => -(picture.reward ?? Infinity),
};

/** @param {number} value */
export function short(value) {
  const [limit, suffix] = /** @type {[number, string]} */ ([[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([unit]) => Math.abs(value) >= Number(unit)) ?? [1, ""]);
  return `${Number((value / limit).toPrecision(3))}${suffix}`;
}

/** @param {Item} item @param {Picture} picture @param {string} words @param {number | null} least */
export function passes(item, picture, words, least) {
  const text = `${item.experiment} ${item.run} ${item.arm} s${item.seed} ${item.step}`.toLowerCase();
  if (!words.toLowerCase().split(/\s+/).every((word) => text.includes(word))) return false;
  return least === null || (typeof picture.reward === "number" && picture.reward >= least);
}

/** @param {string[]} chosen @param {string} id @param {boolean} beside @returns {string[]} At most two. */
export function toggled(chosen, id, beside) {
  if (chosen.includes(id)) return chosen.filter((each) => each !== id);
  return beside && chosen.length ? [chosen[0], id] : [id];
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {string} name @param {Record<string, string>} [attributes] @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function make(tag, name, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

class CardView {
  picture = make("span", "gallery-picture", {}, "Drawing …");
  reward = make("span", "");
  shown = "";

  /** @param {Item} item */
  constructor(item) {
    this.item = item;
    const name = make("span", "gallery-name", { title: item.run }, `${item.arm || item.run} seed ${item.seed}`);
    const step = make("span", "", { title: `${item.step.toLocaleString("en")} agent steps` }, `${short(item.step)} steps`);
    this.button = make("button", "gallery-card", { type: "button", "aria-pressed": "false" },
      this.picture, name, make("span", "gallery-facts", {}, make("span", "", {}, item.experiment)),
      make("span", "gallery-facts", {}, step, this.reward));
    this.element = make("li", "", {}, this.button);
  }

  /** @param {Picture | undefined} picture */
  update(picture) {
    const wanted = picture ? `${picture.svg ?? picture.problem}` : "";
    if (!picture || wanted === this.shown) return;
    this.shown = wanted;
    const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.svg ?? "")}`;
    this.picture.replaceChildren(picture.svg ? make("img", "", { src: source, alt: "", loading: "lazy" }) : picture.problem ?? "");
    const known = typeof picture.reward === "number";
    this.reward.textContent = known ? `reward ${short(picture.reward ?? 0)}` : `reward ${MISSING}`;
    this.reward.title = known ? "Mean an agent, whole episode" : "This replay holds no rewards";
  }
}

/** @param {{model: GalleryModel, el: HTMLElement}} context */
function render({ model, el }) {
  /** @type {Map<string, CardView>} */
  const cards = new Map();
  /** @type {Record<string, Picture>} */
  const pictures = {};
  const words = make("input", "jobs-filter", { type: "search", placeholder: "Filter replays", "aria-label": "Filter replays" });
  const least = make("input", "gallery-least", { type: "number", step: "any", placeholder: "any" });
  const order = make("select", "", { "aria-label": "Order" }, ...Object.keys(ORDERS).map((name) => make("option", "", { value: name }, name)));
  const two = make("input", "", { type: "checkbox" });
  const count = make("span", "jobs-count", { "aria-live": "polite" });
  const list = make("ul", "gallery-cards");
  const nothing = make("p", "jobs-empty");
  const top = make("div", "jobs-top", {}, words, make("label", "", {}, "Reward at least", least), order,
    make("label", "", {}, two, "Second one beside"), count);
  el.append(make("div", "jobs-table gallery", {}, top, list, nothing));
  two.checked = model.get("chosen").length > 1;

  const paint = () => {
    const chosen = model.get("chosen");
    for (const [id, card] of cards) card.button.setAttribute("aria-pressed", String(chosen.includes(id)));
  };
  const place = () => {
    const items = model.get("items");
    Object.assign(pictures, model.get("pictures"), model.get("more"));
    const limit = least.value === "" ? null : Number(least.value);
    const by = ORDERS[order.value];
    const shown = items.filter((item) => passes(item, pictures[item.id] ?? {}, words.value.trim(), limit));
    shown.sort((a, b) => by(b, pictures[b.id] ?? {}) - by(a, pictures[a.id] ?? {}));
    for (const item of shown) {
      const card = cards.get(item.id) ?? new CardView(item);
      if (!cards.has(item.id)) {
        cards.set(item.id, card);
        card.button.addEventListener("click", (event) => {
          choose(toggled(model.get("chosen"), item.id, two.checked || event.shiftKey || event.ctrlKey || event.metaKey));
        });
      }
      card.update(pictures[item.id]);
    }
    const wanted = shown.map((item) => /** @type {CardView} */ (cards.get(item.id)).element);
    if (wanted.length !== list.children.length || wanted.some((element, index) => list.children[index] !== element)) {
      list.replaceChildren(...wanted);
    }
    count.textContent = `${shown.length} of ${items.length} replays`;
    top.hidden = items.length === 0;
    nothing.textContent = items.length ? "No replay matches. Change or clear the filters." : model.get("empty");
    nothing.hidden = shown.length > 0;
    paint();
  };
  /** @param {string[]} chosen */
  const choose = (chosen) => {
    model.set("chosen", chosen);
    model.save_changes();
    const address = new URL(location.href);
    if (chosen.length) address.searchParams.set("replay", chosen.join(","));
    else address.searchParams.delete("replay");
    history.replaceState(history.state, "", address);
    paint();
  };
  for (const input of [words, least, order]) input.addEventListener("input", place);
  place();
  const handlers = /** @type {[keyof GalleryState, () => void][]} */ ([["items", place], ["pictures", place], ["more", place], ["chosen", paint]]);
  for (const [trait, show] of handlers) model.on(`change:${trait}`, show);
  return () => {
    for (const [trait, show] of handlers) model.off(`change:${trait}`, show);
  };
}

export default { render };
