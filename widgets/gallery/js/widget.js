/** The widget: a gallery that follows the model's traits. All text is set as text, never as HTML. */
import { make } from "../../page/js/dom.js";
import { listen } from "../../page/js/model.js";
import { GalleryView } from "./gallery-view.js";

/** @import { GalleryModel } from "./gallery-view.js" */

/** @param {{model: GalleryModel, el: HTMLElement}} context */
function render({ model, el }) {
  const view = new GalleryView(model, el.appendChild(make("div.jobs-table.gallery.look")));
  const place = () => view.place();
  place();
  return listen(model, { items: place, pictures: place, more: place, chosen: () => view.paint() });
}

export default { render };
