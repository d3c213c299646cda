/** The picture of one replay with its run, step and reward. Pictures are images, whose scripts never run. */
import { fill, make, say } from "../../page/js/dom.js";
import { quantity } from "../../page/js/format.js";

/** @import { Item, Picture } from "./items.js" */

export class Card {
  picture = make("span.gallery-picture", {}, "Drawing …");
  reward = make("span");
  shown = "";

  /** @param {Item} item @param {(event: MouseEvent) => void} press */
  constructor(item, press) {
    const name = make("span.gallery-name", { title: item.run }, `${item.arm || item.run} seed ${item.seed}`);
    const step = make("span", { title: item.when }, `${quantity(item.step)} steps`);
    this.button = make("button.gallery-card", { type: "button", "aria-pressed": "false", onclick: press },
      this.picture, name, make("span.gallery-facts", {}, make("span", {}, item.experiment)),
      make("span.gallery-facts", {}, step, this.reward));
    this.element = make("li", {}, this.button);
  }

  /** @param {Picture | undefined} picture Undefined while it is being made. */
  update(picture) {
    const wanted = picture ? `${picture.svg ?? picture.problem}` : "";
    if (!picture || wanted === this.shown) return;
    this.shown = wanted;
    const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.svg ?? "")}`;
    fill(this.picture, picture.svg ? make("img", { src: source, alt: "", loading: "lazy" }) : picture.problem ?? "");
    const reward = picture.reward ?? null;
    if (picture.not_finite) say(this.reward, "reward unknown", "A reward in this replay is not a finite number");
    else say(this.reward, `reward ${quantity(reward)}`, reward === null ? "This replay holds no rewards" : "Mean an agent, whole episode");
  }
}
